/** `export`: all runs of a filter as NDJSON or CSV. */
import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { command } from './command.ts';
import { EXIT, UsageError } from './exit.ts';
import { CSV_HEADER, csvOf, LINE_END } from './export/csv.ts';
import { writeOut } from './export/output.ts';
import { type Arguments, FILTERS, queryOf } from './filter.ts';
import { configOf, DATABASE } from './options.ts';
import { count } from '../offline/figures.ts';
import { duration } from './pace.ts';
import { pagesOf } from './runs/pages.ts';
import { ELSEWHERE, openTarget } from './target.ts';
import { visibleJson } from '../run/visible.ts';
import type { Terminal } from './terminal.ts';

/** Characters that are written at once. */
const CHUNK = 64 * 1024;

export default command({
  name: 'export',
  summary: 'Write runs as NDJSON or CSV, newest first',
  details:
    'Writes all runs that match, a page at a time, whatever their number; the service goes on meanwhile. The last line of\n' +
    'NDJSON is a trailer with the number of runs and the SHA-256 of all before it, by which import sees whether a file is\n' +
    'complete; CSV has one with --trailer only. A file gets its name once it is complete and on disk. CSV is for\n' +
    'spreadsheets: a cell that one would take for a formula begins with an apostrophe, and CSV cannot be imported.\n' +
    'NDJSON can. It is no backup: it does not tell when each field was set, nor which values were defaults, so in a\n' +
    'database made from it what clients send later may merge otherwise than here. For that there are backup and restore.',
  args: {
    ...FILTERS,
    format: {
      type: 'enum',
      options: ['ndjson', 'csv'],
      default: 'ndjson',
      description: 'A run a line as JSON, or CSV',
    },
    output: { type: 'string', valueHint: 'path', description: 'A file instead of stdout' },
    force: { type: 'boolean', description: 'Replace the file of --output' },
    gzip: { type: 'boolean', description: 'Compress; the checksum is that of the text' },
    trailer: {
      type: 'boolean',
      description: 'End with the trailer, CSV too',
      negativeDescription: 'End with the last run, NDJSON too',
    },
    ...DATABASE,
    ...ELSEWHERE,
  },
  examples: [
    ['export --output runs.ndjson.gz --gzip', 'everything, compressed'],
    ['export --format csv --created-after 7d --output week.csv', 'the last week for a spreadsheet'],
    ['export --agent-name translator --no-trailer | jq -r .error_summary', 'into another program'],
  ],
  run: exportRuns,
});

interface Format {
  header: string;
  line(json: Uint8Array): string;
  trailer(rows: number, sha256: string): string;
}

const FORMATS: Readonly<Record<'ndjson' | 'csv', Format>> = {
  ndjson: {
    header: '',
    line: (json) => `${visibleJson(Buffer.from(json).toString())}\n`,
    trailer: (rows, sha256) => `${JSON.stringify({ record_type: 'trailer', rows, sha256 })}\n`,
  },
  csv: { header: CSV_HEADER, line: csvOf, trailer: (rows, sha256) => `# rows=${rows} sha256=${sha256}${LINE_END}` },
};

async function exportRuns(args: Arguments, terminal: Terminal): Promise<number> {
  const started = performance.now();
  const query = queryOf(args);
  const format = FORMATS[args.format as keyof typeof FORMATS];
  const ends = typeof args.trailer === 'boolean' ? args.trailer : args.format === 'ndjson';
  const path = typeof args.output === 'string' ? resolve(args.output) : undefined;
  if (args.gzip === true && path === undefined && Number.isFinite(terminal.columns)) {
    throw new UsageError('Compressed data is nothing for a terminal: name a file in --output, or write it into a pipe');
  }
  const database = configOf(args, terminal).database.path;
  await using target = await openTarget(args, terminal, { writes: false });
  let rows = 0;
  async function* chunks(): AsyncGenerator<string> {
    const hash = createHash('sha256');
    let text = format.header;
    const hashed = (): string => {
      hash.update(text);
      return text;
    };
    for await (const page of pagesOf(target, query)) {
      for (const json of page) {
        text += format.line(json);
        if (text.length < CHUNK) continue;
        yield hashed();
        text = '';
      }
      rows += page.length;
      terminal.progress(`Exporting: ${count(rows, 'run')}`);
    }
    yield hashed();
    if (ends) yield format.trailer(rows, hash.digest('hex'));
  }
  await writeOut(chunks(), { path, gzip: args.gzip === true, force: args.force === true, database }, terminal);
  terminal.note(
    `${count(rows, 'run')} exported${path === undefined ? '' : ` to ${path}`} in ${duration(performance.now() - started)}`,
  );
  return EXIT.done;
}
