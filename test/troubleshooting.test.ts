/** docs/troubleshooting.md has every message that the code can print, and none that it cannot. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { none } from './support/documents.ts';
import { type Message, messagesOf } from './support/messages.ts';

const PAGE = readFileSync(new URL('../docs/troubleshooting.md', import.meta.url), 'utf8');

/** Texts that look like messages but are no message to look up, and why. */
const NOT_SHOWN: Readonly<Record<string, string>> = {
  'The client has gone': 'the answer to a client that has hung up: nobody is there to read it',
  'The service is closing': 'ends the wait of the spool thread, and is caught there',
  'Internal error': 'an answer says Internal Server Error in its place; the log has the cause',
  'Expected a property name': 'the parser of JSON throws it, and whoever parses says: is not valid JSON',
  'No free reader slot in the gate: … threads hold one': 'there are more slots than readers can be set',
  'an error that cannot be shown': 'stands in a warning where the reason would be',
  'Migrating the database': 'a line of the log, in docs/logs.md',
  'Database migrated': 'a line of the log, in docs/logs.md',
  'Event already exists (idempotent)': 'part of a successful answer, in docs/api.md',
  'The commit is stored': 'a success',
  '… exported… in …': 'the result of export',
  'Building index … of …: …': 'progress',
  'Try: local-telemetry …--help': 'follows every message about the command line',
  'local-telemetry: …': 'stands before every message of a command',
  'standard input': 'stands for the name of a file',
  'Standard input': 'stands for the name of a file',
  'Older runs are completed': 'a success, in docs/logs.md',
  'another process': 'stands for the holder of a lock',
  'of … or more': 'part of what a number must be',
  'a process without a name': 'stands for the holder of a lock',
};

const normal = (text: string): string => text.replaceAll(/\s+/g, ' ').replaceAll(/…+/g, '…').trim();

/** The inline code in the first column of every table below a `| Message |`. */
function messagesOn(page: string): string[] {
  const found: string[] = [];
  let inTable = false;
  for (const line of page.split('\n')) {
    if (!line.startsWith('|')) inTable = false;
    else if (line.startsWith('| Message ')) inTable = true;
    else if (inTable && !/^\|\s*-+/.test(line)) {
      const cell = line.slice(1).split(/(?<!\\)\|/)[0] ?? '';
      for (const [, , code] of cell.matchAll(/(`+) ?(.+?) ?\1(?!`)/g)) found.push(normal(String(code)));
    }
  }
  return found.map((text) => text.replaceAll('\\|', '|'));
}

/** Nothing but values and what stands between them. */
const isValue = (text: string): boolean => /^[…\s.,:;()"'-]*$/.test(text);

/** Reads messages as made of those of the code: a value of one is a value, or another one as a whole. */
class Reader {
  readonly #patterns: { text: string; pieces: string[] }[];
  readonly #known = new Map<string, ReadonlySet<string> | undefined>();

  constructor(messages: readonly Message[]) {
    const texts = new Set(messages.map(({ text }) => normal(text)));
    this.#patterns = [...texts].map((text) => ({ text, pieces: text.split('…') }));
  }

  /** The texts of the code that take part in a message; undefined where it cannot be read. */
  read(message: string): ReadonlySet<string> | undefined {
    if (this.#known.has(message)) return this.#known.get(message);
    this.#known.set(message, undefined);
    const used = new Set<string>();
    for (const { text, pieces } of this.#patterns) {
      const [first = ''] = pieces;
      const parts = message.startsWith(first) ? this.#after(message.slice(first.length), pieces, 1) : undefined;
      if (!parts) continue;
      used.add(text);
      for (const part of parts) used.add(part);
    }
    const found = used.size > 0 ? used : undefined;
    this.#known.set(message, found);
    return found;
  }

  /** What is used in the values, where `rest` is a value and the pieces from `at` on, with values between them. */
  #after(rest: string, pieces: readonly string[], at: number): Set<string> | undefined {
    const piece = pieces[at];
    if (piece === undefined) return rest === '' ? new Set() : undefined;
    const last = at === pieces.length - 1;
    let found: Set<string> | undefined;
    for (const end of last ? [rest.endsWith(piece) ? rest.length - piece.length : -1] : placesOf(piece, rest)) {
      const value = end < 0 ? undefined : this.#valueOf(rest.slice(0, end));
      const behind = value && (last ? new Set<string>() : this.#after(rest.slice(end + piece.length), pieces, at + 1));
      if (value && behind) found = new Set([...(found ?? []), ...value, ...behind]);
    }
    return found;
  }

  #valueOf(text: string): ReadonlySet<string> | undefined {
    if (isValue(text)) return new Set();
    // Two values may stand side by side.
    return this.read(text.trim()) ?? (text.startsWith('…') ? this.#valueOf(text.slice(1)) : undefined);
  }
}

function placesOf(piece: string, text: string): number[] {
  const places: number[] = [];
  for (let at = text.indexOf(piece); at !== -1; at = text.indexOf(piece, at + 1)) places.push(at);
  return places;
}

const documented = messagesOn(PAGE);
/** Short ones as well, even `… …`, for a message may be made of them. */
const reader = new Reader(messagesOf('src/**/*.ts', 0));

test('every message of the code is in docs/troubleshooting.md', () => {
  const used = new Set(documented.flatMap((message) => [...(reader.read(message) ?? [])]));
  const messages = messagesOf();
  assert.ok(messages.length > 300, `only ${messages.length} messages were found`);
  const absent = messages.filter(({ text }) => !used.has(normal(text)) && NOT_SHOWN[normal(text)] === undefined);
  none(
    absent.map(({ place, text }) => `${place}: ${text}`),
    'Without a row:',
  );
});

test('every message of docs/troubleshooting.md is one of the code', () => {
  none(
    documented.filter((message) => reader.read(message) === undefined),
    'The code has nothing of:',
  );
});

test('no message of docs/troubleshooting.md stands there twice', () => {
  none(
    documented.filter((message, index) => documented.indexOf(message) !== index),
    'Twice:',
  );
});

test('whatever is left out of docs/troubleshooting.md is still in the code', () => {
  const texts = new Set(messagesOf().map(({ text }) => normal(text)));
  none(
    Object.keys(NOT_SHOWN).filter((text) => !texts.has(text)),
    'Gone:',
  );
});

test('a message is read with the reason that the code puts into it, and not with any other', () => {
  assert.ok(reader.read('The database … is not a file. Set TELEMETRY_DB_PATH to a file. It was not changed.'));
  assert.ok(reader.read('The database … … It was not changed.'));
  assert.equal(reader.read('The database … is on the moon. It was not changed.'), undefined);
  assert.equal(
    reader.read('The database … is not a file. Set TELEMETRY_DB_PATH to a file. It was changed.'),
    undefined,
  );
});

test('the texts of a row are those in its first column, with their pipes and their backticks', () => {
  const page = [
    '| Message | Why |',
    '| --- | --- |',
    '| `a \\| b …`, `` `c` d `` | `not this` |',
    '',
    '| `nor this` |',
  ];
  assert.deepEqual(messagesOn(page.join('\n')), ['a | b …', '`c` d']);
});
