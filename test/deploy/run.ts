/** npm run test:deploy: nginx for real, systemd's own checks of the units, the service under the units' restrictions. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkToken, checkTrusted, checkUntrusted, LIMITED, TRUSTED } from './addresses.ts';
import { checkBooted } from './boot.ts';
import { check, failed, has, say, skip, startService, stop } from './checks.ts';
import { checkConfined } from './confined.ts';
import { startNginx } from './nginx.ts';
import { checkErrors, checkPassing, checkTransport } from './proxy.ts';
import { Client } from './requests.ts';
import { checkRepeats, checkRestarts } from './restarts.ts';
import { checkUnits } from './units.ts';

const DEADLINE_MS = 420_000;

const folder = mkdtempSync(join(tmpdir(), 'telemetry-deploy-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
process.on('SIGINT', () => process.exit(130));
process.on('SIGTERM', () => process.exit(143));
setTimeout(() => {
  say(`FAIL  not done after ${DEADLINE_MS / 1_000} s`);
  process.exit(1);
}, DEADLINE_MS).unref();

const inFolder = (name: string): string => {
  const path = join(folder, name);
  mkdirSync(path);
  return path;
};

if (process.platform !== 'linux') skip('nginx', 'clients of several addresses need the loopback of Linux');
else if (!has('nginx') || !has('openssl')) skip('nginx', 'install nginx and openssl to try it');
else await behindNginx();
if (has('systemd-analyze')) await checkUnits(inFolder('units'));
else skip('systemd', 'install systemd to try its checks of the units');
if (process.platform !== 'linux' || process.getuid?.() !== 0)
  skip('restrictions', 'run this as root on Linux to try them');
else if (!has('unshare') || !has('setpriv')) skip('restrictions', 'install util-linux to try them');
else {
  await checkConfined(inFolder('confined'));
  await checkBooted(inFolder('boot'));
}
say(failed() === 0 ? 'All is well.' : `${failed()} failed.`);
process.exit(failed() === 0 ? 0 : 1);

async function behindNginx(): Promise<void> {
  const nginx = await startNginx(inFolder('nginx'));
  await check('nginx -t takes the site without a warning', () => {
    const warnings = nginx.tested.split('\n').filter((line) => /\[(warn|error|emerg)\]/.test(line));
    if (warnings.length > 0) throw new Error(warnings.join('\n'));
  });
  const client = new Client(nginx);
  const { servicePort: port } = nginx;
  const settings = { TELEMETRY_BASE_DIR: inFolder('service') };
  let service = await startService(port, settings);
  await checkPassing(client);
  await checkErrors(client);
  await checkTransport(client, nginx);
  service = await checkRestarts(client, port, settings, service);
  await stop(service);
  await checkRepeats(client, port);
  service = await startService(port, { ...settings, ...LIMITED, ...TRUSTED });
  await checkTrusted(client);
  await stop(service);
  service = await startService(port, { ...settings, ...LIMITED });
  await checkUntrusted(client);
  await stop(service);
  const token = 'a-token-of-the-test';
  const tokenFile = join(folder, 'token');
  writeFileSync(tokenFile, token, { mode: 0o600 });
  const secured = { TELEMETRY_API_AUTH_ENABLED: 'true', TELEMETRY_API_AUTH_TOKEN_FILE: tokenFile };
  service = await startService(port, { ...settings, ...secured });
  await checkToken(client, token);
  await stop(service);
  client.close();
  await stop(nginx.child, 'SIGQUIT');
}
