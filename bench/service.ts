/** A service for benchmarks: as configured by the environment, with the techniques named on the command line off. */
import { type Config, loadConfig } from '../src/config.ts';
import { createLogger } from '../src/log.ts';
import { start } from '../src/platform.ts';
import { answerQuestions } from './questions.ts';

const config = structuredClone(loadConfig(process.env, null)) as Config;
for (const name of process.argv.slice(2)) {
  if (!(name in config.techniques)) throw new Error(`No such technique: ${name}`);
  config.techniques[name as keyof Config['techniques']] = false;
}
const platform = await start(config, createLogger('ERROR'));
process.stdout.write(`${JSON.stringify({ url: platform.url })}\n`);
answerQuestions();
const end = (): void => void platform[Symbol.asyncDispose]().then(() => process.exit(0));
process.once('SIGTERM', end);
// Whoever measures was killed: nobody else would end this process.
process.once('disconnect', end);
