/**
 * Posts runs from NDJSON (one run a line, plain or .gz) to a service, in batches of 500.
 *
 *   npm run example:load -- runs.ndjson.gz [http://localhost:8765]
 *
 * TELEMETRY_API_URL is the address where none is given, and TELEMETRY_API_AUTH_TOKEN is sent where it is set.
 */
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';

const BATCH = 500;

interface Answer {
  inserted: number;
  duplicates: number;
  errors: string[];
}

/** Ends with a message for people; what failed is in it, and what to do. */
function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

async function* linesOf(path: string): AsyncGenerator<string> {
  const file = createReadStream(path);
  // Unlike pipe, this hands on errors too: they are thrown where the chunks are read.
  const input = path.endsWith('.gz') ? pipeline(file, createGunzip(), () => undefined) : file;
  let rest = '';
  for await (const chunk of input.setEncoding('utf8') as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    yield* lines.filter((line) => line.trim() !== '');
  }
  if (rest.trim() !== '') yield rest;
}

async function post(url: string, lines: readonly string[]): Promise<Answer> {
  const token = process.env.TELEMETRY_API_AUTH_TOKEN;
  const headers = { 'Content-Type': 'application/json', ...(token && { Authorization: `Bearer ${token}` }) };
  const request = { method: 'POST', headers, body: `[${lines.join(',')}]` };
  const response = await fetch(`${url}/api/v1/runs/batch`, request).catch((error: Error) =>
    fail(`No service at ${url} (${reasonOf(error.cause ?? error) || error.message}). Is it running? npm start`),
  );
  if (!response.ok) fail(`The service answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as Answer;
}

const [path, url = process.env.TELEMETRY_API_URL ?? 'http://localhost:8765'] = process.argv.slice(2);
if (path === undefined) {
  process.stderr.write('Usage: npm run example:load -- runs.ndjson.gz [http://localhost:8765]\n');
  process.exit(2);
}
const total = { runs: 0, inserted: 0, duplicates: 0, errors: 0 };
const started = performance.now();
let waiting: string[] = [];

async function sendWaiting(): Promise<void> {
  if (waiting.length === 0) return;
  const { inserted, duplicates, errors } = await post(String(url), waiting);
  total.runs += waiting.length;
  total.inserted += inserted;
  total.duplicates += duplicates;
  total.errors += errors.length;
  for (const error of errors.slice(0, 5)) process.stderr.write(`${error}\n`);
  waiting = [];
}

try {
  for await (const line of linesOf(path)) {
    if (waiting.push(line) === BATCH) await sendWaiting();
  }
} catch (error) {
  fail(`${path} cannot be read: ${reasonOf(error)}. Name a file with a run a line.`);
}
await sendWaiting();
const seconds = (performance.now() - started) / 1000;
process.stdout.write(
  `${total.runs} runs sent in ${seconds.toFixed(1)} s: ${total.inserted} inserted, ` +
    `${total.duplicates} duplicates, ${total.errors} errors\n`,
);
