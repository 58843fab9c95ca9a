/** The page about the API, for people with a browser: a few files of our own, and nothing from elsewhere. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import type { Call, Handler } from './call.ts';
import { isKnown } from './conditional.ts';
import { HttpError } from './errors.ts';
import { notModified, ok, type Reply } from './reply.ts';

const FOLDER = new URL('page/', import.meta.url);
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
};

/** What the page may do: run and look like our files, talk to this service, and nothing else. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

interface PageFile {
  bytes: Uint8Array;
  headers: Readonly<Record<'ETag', string> & Record<string, string>>;
}

let files: ReadonlyMap<string, PageFile> | undefined;

/** All of them, read when the first is asked for: an installation that is replaced later gives no mixture. */
const filesOnce = (): ReadonlyMap<string, PageFile> =>
  (files ??= new Map(readdirSync(FOLDER).map((name) => [name, read(name)])));

function read(name: string): PageFile {
  const bytes = readFileSync(new URL(name, FOLDER));
  const headers = {
    'Content-Type': TYPES[extname(name)] ?? 'application/octet-stream',
    'Content-Security-Policy': POLICY,
    'Referrer-Policy': 'no-referrer',
    'Cache-Control': 'no-cache',
    ETag: `"${createHash('sha256').update(bytes).digest('base64url')}"`,
  };
  return { bytes, headers };
}

/** GET /docs */
export const getPage: Handler = (call) => answer(call, 'index.html');

/** GET /docs/page.css, and GET /docs/{file}: a script of the page. */
export const getPageFile: Handler = (call) => answer(call, call.params.file ?? 'page.css');

/** GET /redoc, where older services had such a page. */
export const getRedoc: Handler = () => ({
  status: 308,
  body: Buffer.from('The page is at /docs.\n'),
  headers: { Location: '/docs', 'Content-Type': 'text/plain; charset=utf-8' },
});

function answer({ headers: { 'if-none-match': known } }: Call, name: string): Reply {
  const file = filesOnce().get(name);
  if (!file) throw new HttpError(404, 'Not Found');
  return isKnown(known, file.headers.ETag) ? notModified(file.headers) : ok(file.bytes, file.headers);
}
