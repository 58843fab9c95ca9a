/** `healthcheck`: whether the service answers, for containers; light, for it runs every few seconds. */
import { isIPv6 } from 'node:net';
import { describe, TelemetryError } from '../errors.ts';
import { command } from './command.ts';
import { EXIT } from './exit.ts';
import { ask, type Health } from './healthcheck/ask.ts';
import { addressOf } from './http-target.ts';
import { wholeNumber } from './numbers.ts';
import { configOf, JSON_OUTPUT } from './options.ts';
import { ELSEWHERE } from './target.ts';
import type { Terminal } from './terminal.ts';

export default command({
  name: 'healthcheck',
  summary: 'Ask the service whether it is well; exit 0 or 1',
  details:
    'Asks /health at the configured host and port, on this machine where the host is 0.0.0.0 or ::, or at --url. It opens\n' +
    'no database and changes nothing. Why a service is not well is on stderr.',
  args: {
    ...ELSEWHERE,
    timeout: { type: 'string', valueHint: 'seconds', description: 'How long it may take, 1 to 600; 3 without it' },
    ...JSON_OUTPUT,
  },
  examples: [
    ['healthcheck', 'in the environment of the service, such as its container'],
    ['healthcheck --url http://127.0.0.1:9000 --timeout 10', 'elsewhere, with more patience'],
  ],
  run: healthcheck,
});

async function healthcheck(args: Readonly<Record<string, unknown>>, terminal: Terminal): Promise<number> {
  const seconds = typeof args.timeout === 'string' ? wholeNumber('timeout', args.timeout, 1, 600) : 3;
  const url = typeof args.url === 'string' ? given(args.url) : configured(args, terminal);
  const health = await ask(url, seconds * 1_000).catch((error: unknown): Health => ({ problem: describe(error) }));
  if (args.json === true) {
    const { problem = null, version = null } = health;
    terminal.json({ healthy: problem === null, url, version, problem });
  } else if (health.problem === undefined) {
    terminal.print(`The service at ${url} is well (version ${health.version})`);
  }
  if (health.problem === undefined) return EXIT.done;
  terminal.note(`local-telemetry: The service at ${url} is not well: ${health.problem}`);
  return EXIT.failed;
}

/** @throws UsageError */
function given(address: string): string {
  const { origin, pathname } = addressOf(address);
  return `${origin}${pathname.replace(/(?<!\/)\/+$/, '')}`;
}

/** Where the configured service is reached from this machine. */
function configured(args: Readonly<Record<string, unknown>>, terminal: Terminal): string {
  const { host, port } = configOf(args, terminal).http;
  if (port === 0) {
    const remedy = 'Set the port that it is to have, or give --url.';
    throw new TelemetryError('refused', `TELEMETRY_API_PORT is 0, so the service is on any free port. ${remedy}`);
  }
  const reached = { '0.0.0.0': '127.0.0.1', '::': '::1' }[host] ?? host;
  return `http://${isIPv6(reached) ? `[${reached}]` : reached}:${port}`;
}
