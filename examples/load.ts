/**
 * Posts runs from NDJSON (one run a line, plain or .gz) to a service, in batches of 500.
 *
 *   npm run example:load -- runs.ndjson.gz [http://localhost:8765]
 *
 * TELEMETRY_API_URL is the address where none is given, and TELEMETRY_API_AUTH_TOKEN is sent where it is set.
 */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';

const BATCH = 500;

interface Answer {
  inserted: number;
  duplicates: number;
  errors: string[];
}

async function* linesOf(path: string): AsyncGenerator<string> {
  const file = createReadStream(path);
  const input = path.endsWith('.gz') ? file.pipe(createGunzip()) : file;
  for await (const line of createInterface({ input, crlfDelay: Infinity })) {
    if (line.trim() !== '') yield line;
  }
}

async function post(url: string, lines: readonly string[]): Promise<Answer> {
  const token = process.env.TELEMETRY_API_AUTH_TOKEN;
  const response = await fetch(`${url}/api/v1/runs/batch`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...(token && { Authorization: `Bearer ${token}` }) },
    body: `[${lines.join(',')}]`,
  });
  if (!response.ok) throw new Error(`The service answered ${response.status}: ${await response.text()}`);
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

for await (const line of linesOf(path)) {
  if (waiting.push(line) === BATCH) await sendWaiting();
}
await sendWaiting();
const seconds = (performance.now() - started) / 1000;
process.stdout.write(
  `${total.runs} runs sent in ${seconds.toFixed(1)} s: ${total.inserted} inserted, ` +
    `${total.duplicates} duplicates, ${total.errors} errors\n`,
);
