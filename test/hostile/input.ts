/** One thing that is done to the service: made from the seed and its number alone, so that it can be made again. */
import { Random } from '../crash/random.ts';
import type { Answer } from './answers.ts';
import type { Exchange } from './connection.ts';
import type { World } from './world.ts';

export const KINDS = ['bytes', 'structure', 'reads', 'sockets', 'spool', 'rows'] as const;
export type Kind = (typeof KINDS)[number];

/** Of a hundred inputs. */
const WEIGHTS: Readonly<Record<Kind, number>> = { bytes: 22, structure: 43, reads: 28, sockets: 5, spool: 1, rows: 1 };

export interface Input {
  number: number;
  kind: Kind;
  /** What is odd about it, in a few words. */
  what: string;
  /** What goes over a connection; none for files and rows. */
  exchange?: Exchange;
  /** On a connection of its own, which may be closed without an answer. */
  apart?: true;
  /** What is done to the machine's files or to the database by others. */
  act?: (world: World) => void;
  /** What is wrong with its answers beyond what is wrong with any. */
  judge?: (answers: readonly Answer[]) => string | undefined;
  /** The event_ids that a good answer acknowledges. */
  creates?: (answers: readonly Answer[]) => string[];
}

/** The die of an input. */
export const randomOf = (seed: number, number: number): Random =>
  new Random(Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(number + 1, 0x85ebca6b));

export function kindOf(random: Random, kinds: readonly Kind[]): Kind {
  let die = random.next() * kinds.reduce((sum, kind) => sum + WEIGHTS[kind], 0);
  return kinds.find((kind) => (die -= WEIGHTS[kind]) < 0) ?? (kinds[0] as Kind);
}

/** Milliseconds until an answer that has not come is said to be missing. */
export const PATIENCE_MS = 10_000;

export interface Request {
  method: string;
  path: string;
  /** Lines of the head beside Host and Content-Length. */
  headers?: readonly string[];
  body?: Buffer | string;
}

/** A request as its bytes. */
export function bytesOf({ method, path, headers = [], body }: Request): Buffer {
  const content = body === undefined ? undefined : Buffer.from(body as string);
  const length = content ? [`Content-Length: ${content.length}`] : [];
  const head = [`${method} ${path} HTTP/1.1`, 'Host: 127.0.0.1', ...headers, ...length].join('\r\n');
  return Buffer.concat([Buffer.from(`${head}\r\n\r\n`, 'latin1'), content ?? Buffer.alloc(0)]);
}

export const exchangeOf = (request: Request): Exchange => ({
  steps: [bytesOf(request)],
  methods: [request.method],
  patience: PATIENCE_MS,
});

export const RUNS = '/api/v1/runs';

/** Runs that are there from the beginning, for whatever changes a run. */
export const BASES = 40;
export const baseId = (random: Random): string => `base-${random.between(0, BASES - 1)}`;

/** Asserts nothing but the status: one of these. */
export const oneOf =
  (...statuses: readonly number[]) =>
  (answers: readonly Answer[]): string | undefined =>
    answers.every(({ status }) => statuses.includes(status))
      ? undefined
      : `it answered ${answers.map(({ status }) => status).join()}, not one of ${statuses.join()}`;
