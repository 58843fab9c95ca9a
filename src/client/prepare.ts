import { type ClientConfig, clientConfig, type ClientOptions } from './config.ts';
import { Guard } from './guard.ts';
import { HttpTransport, type Transport } from './transport.ts';

const NAMES = [
  ...(['baseDir', 'ndjsonDir', 'bufferDir', 'apiUrl', 'token', 'testMode', 'fsync', 'agentOwner', 'git'] as const),
  ...(['timeoutMs', 'retryBackoffFactor', 'bufferMaxSizeMb', 'maxQueuedRuns', 'exitTimeoutMs'] as const),
  ...(['onWarning', 'transport'] as const),
] satisfies (keyof ClientOptions)[];
const OPTIONS: ReadonlySet<string> = new Set(NAMES);

/** The constructor must not throw whatever it is given; a fault in the options leaves the defaults. */
export function prepare(given: ClientOptions): { guard: Guard; config: ClientConfig; transport: Transport } {
  const options: ClientOptions = typeof given === 'object' && given !== null ? given : {};
  const quiet = new Guard();
  const report = quiet.attempt(
    'onWarning',
    () => options.onWarning,
    () => undefined,
  );
  const guard = new Guard(typeof report === 'function' ? report : undefined);
  const warn = (message: string): void => guard.warn(message, message);
  const read = (): ClientConfig => clientConfig(options, warn);
  const config = guard.attempt('Reading the options', read, () => clientConfig({}, warn));
  for (const name of guard.attempt(
    'Reading the options',
    () => Object.keys(options),
    () => [],
  )) {
    if (!OPTIONS.has(name)) warn(`${name} is no option of the client; it is ignored`);
  }
  const own = guard.attempt(
    'Reading the options',
    () => options.transport,
    () => undefined,
  );
  const { apiUrl: url, token, timeoutMs } = config;
  return { guard, config, transport: own ?? new HttpTransport({ url, token, timeoutMs }) };
}
