/** The service without the directory's sync, to show what that is for. Tests only: no setting reaches it. */
import { loadConfig } from '../../src/config.ts';
import { createLogger } from '../../src/log.ts';
import { start } from '../../src/platform.ts';

const config = loadConfig();
const log = createLogger(config.logLevel);
const platform = await start({ ...config, techniques: { ...config.techniques, directorySync: false } }, log);
log.info(`Listening on ${platform.url}`, { url: platform.url });
