/** What clients do to a connection that no library for HTTP would. */
import { deflateRawSync, gzipSync } from 'node:zlib';
import type { Random } from '../../crash/random.ts';
import type { Answer } from '../answers.ts';
import type { Step } from '../connection.ts';
import { bytesOf, type Input, oneOf, PATIENCE_MS, RUNS } from '../input.ts';
import { aRecord, objectOf } from './records.ts';

type Made = Omit<Input, 'number' | 'kind'>;
type Maker = (random: Random, id: string) => Made;

const post = (random: Random, id: string): Buffer =>
  bytesOf({ method: 'POST', path: RUNS, body: objectOf(aRecord(random, id)) });
const apart = (what: string, steps: readonly Step[], patience = 50, methods = ['GET']): Made => ({
  what,
  exchange: { steps, methods, patience },
  apart: true,
});
const head = (...lines: readonly string[]): Buffer => Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
const created = (id: string) => (answers: readonly Answer[]) => (answers[0]?.status === 201 ? [id] : []);

function inPieces(bytes: Buffer, size: number, pauseMs?: number): Step[] {
  const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  );
  return pieces.flatMap((piece): Step[] => (pauseMs === undefined ? [piece] : [piece, pauseMs]));
}

/** A body as chunks of so many bytes. */
function chunked(body: Buffer, size: number): Buffer {
  const chunks = inPieces(body, size) as Buffer[];
  const framed = chunks.flatMap((chunk) => [
    Buffer.from(`${chunk.length.toString(16)}\r\n`),
    chunk,
    Buffer.from('\r\n'),
  ]);
  return Buffer.concat([...framed, Buffer.from('0\r\n\r\n')]);
}

const chunkHead = (path = RUNS): Buffer => head(`POST ${path} HTTP/1.1`, 'Host: h', 'Transfer-Encoding: chunked');

/** Made once: to deflate takes its time. */
const BOMB = gzipSync(Buffer.alloc(2 ** 25));
const JSON_BOMB = gzipSync(Buffer.from(`[${'{},'.repeat(2 ** 20)}{}]`));

function encoded(random: Random, id: string): Made {
  const body = Buffer.from(objectOf(aRecord(random, id)));
  const zipped = gzipSync(body);
  const [what, encoding, bytes, statuses] = random.pick<[string, string, Buffer, number[]]>([
    ['identity', 'identity', body, [201]],
    ['Identity', 'Identity', body, [201]],
    ['gzip', 'gzip', zipped, [201, 415]],
    ['GZIP', 'GZIP', zipped, [201, 415]],
    ['gzip cut short', 'gzip', zipped.subarray(0, zipped.length - random.between(1, 20)), [400, 415, 422]],
    ['gzip that is none', 'gzip', body, [400, 415, 422]],
    ['a gzip bomb', 'gzip', BOMB, [400, 413, 415]],
    ['a bomb of JSON', 'gzip', JSON_BOMB, [400, 413, 415]],
    ['gzip twice', 'gzip, gzip', gzipSync(zipped), [400, 413, 415]],
    ['deflate', 'deflate', deflateRawSync(body), [201, 400, 415]],
    ['br', 'br', body, [400, 415]],
    ['nothing', '', body, [201, 400, 415]],
    ['gzip, much of nothing behind', 'gzip', Buffer.concat([zipped, Buffer.alloc(10_000)]), [201, 400, 415, 422]],
  ]);
  const bytesSent = bytesOf({ method: 'POST', path: RUNS, headers: [`Content-Encoding: ${encoding}`], body: bytes });
  return {
    what: `Content-Encoding: ${what}`,
    exchange: { steps: [bytesSent], methods: ['POST'], patience: PATIENCE_MS },
    judge: oneOf(...statuses),
    creates: created(id),
  };
}

const SMUGGLED = 'POST /api/v1/runs HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nnull';

const MAKERS: readonly Maker[] = [
  (random, id) => {
    const size = random.pick([1, 1, 2, 7, 100]);
    const body = Buffer.from(objectOf(aRecord(random, id)));
    return {
      what: `chunks of ${size} bytes`,
      exchange: { steps: [chunkHead(), chunked(body, size)], methods: ['POST'], patience: PATIENCE_MS },
      judge: oneOf(201),
      creates: created(id),
    };
  },
  (random) => {
    const body = Buffer.from(`[${' '.repeat(2 ** random.between(10, 17))}]`);
    const steps = [chunkHead(`${RUNS}/batch`), chunked(body, 1)];
    return {
      what: 'much white space by one byte',
      exchange: { steps, methods: ['POST'], patience: PATIENCE_MS },
      // 400: more than 10,000 chunks of hardly a byte are refused.
      judge: oneOf(200, 400, 413, 422),
    };
  },
  (random, id) => ({
    ...apart('one byte at a time', inPieces(post(random, id).subarray(0, 120), 1, 1)),
    judge: () => undefined,
  }),
  () =>
    apart('both lengths', [
      head('POST /api/v1/runs HTTP/1.1', 'Host: h', 'Content-Length: 5', 'Transfer-Encoding: chunked'),
      Buffer.from(`0\r\n\r\n${SMUGGLED}`),
    ]),
  () =>
    apart('two lengths', [
      head('POST /api/v1/runs HTTP/1.1', 'Host: h', 'Content-Length: 4', 'Content-Length: 40'),
      Buffer.from(`null${SMUGGLED}`),
    ]),
  () => apart('a chunk that lies', [chunkHead(), Buffer.from(`ffffffffffffffff\r\n${SMUGGLED}`)]),
  () => apart('a chunk with an extension', [chunkHead(), Buffer.from(`4;${'a'.repeat(20_000)}\r\nnull\r\n0\r\n\r\n`)]),
  () => apart('trailers', [chunkHead(), Buffer.from(`4\r\nnull\r\n0\r\n${'X: y\r\n'.repeat(3_000)}\r\n`)]),
  (random) =>
    apart('lengths that are none', [
      head(
        'POST /api/v1/runs HTTP/1.1',
        'Host: h',
        `Content-Length: ${random.pick(['-1', '+4', '4,4', '0x4', '1e1', '99999999999999999999'])}`,
      ),
      Buffer.from('null'),
    ]),
  (random) => ({
    what: 'an absolute target',
    exchange: {
      steps: [head(`GET http://${random.pick(['127.0.0.1', 'h:1', 'a.b'])}/health HTTP/1.1`, 'Host: h')],
      methods: ['GET'],
      patience: PATIENCE_MS,
    },
    judge: oneOf(200),
  }),
  (random) =>
    apart('an odd target', [
      head(
        `GET ${random.pick(['*', 'h:80', 'http://', 'http://[', '\\\\x', '?', '#', 'http://h', '/\xff', 'ftp://h/health'])} HTTP/1.1`,
        'Host: h',
      ),
    ]),
  (random, id) => {
    const paths = Array.from({ length: random.between(2, 20) }, () =>
      random.pick(['/health', `${RUNS}?limit=1`, '/metrics']),
    );
    const steps = [Buffer.concat([...paths.map((path) => bytesOf({ method: 'GET', path })), post(random, id)])];
    return {
      what: `${paths.length + 1} requests at once`,
      exchange: { steps, methods: [...paths.map(() => 'GET'), 'POST'], patience: PATIENCE_MS },
      judge: oneOf(200, 201),
      creates: (answers) => (answers.at(-1)?.status === 201 ? [id] : []),
    };
  },
  (random, id) => ({
    what: 'a half-closed client',
    exchange: { steps: [post(random, id), 'end'], methods: ['POST'], patience: PATIENCE_MS },
    judge: oneOf(201),
    creates: created(id),
  }),
  (random, id) => apart('a slow head', [...inPieces(post(random, id).subarray(0, 60), 6, 5), 'end']),
  (random) => apart('half a request, then nothing', [post(random, 'never').subarray(0, random.between(1, 200)), 'end']),
  () =>
    apart('who does not read', [
      'deaf',
      ...Array.from({ length: 8 }, () => bytesOf({ method: 'GET', path: `${RUNS}?limit=50` })),
    ]),
  (random) =>
    apart('large headers', [head('GET /health HTTP/1.1', 'Host: h', `X: ${'x'.repeat(2 ** random.between(10, 18))}`)]),
  (random) =>
    apart('many headers', [
      head(
        'GET /health HTTP/1.1',
        'Host: h',
        ...Array.from({ length: random.between(50, 3_000) }, (_, index) => `X${index}: y`),
      ),
    ]),
  (random) =>
    apart('noise', [Buffer.from(Array.from({ length: random.between(1, 2_000) }, () => random.between(0, 255)))]),
  (random, id) => {
    const bytes = Buffer.from(post(random, id));
    bytes[random.between(0, 60)] = random.between(0, 255);
    return apart('a head with another byte', [bytes]);
  },
  (random, id) =>
    apart('other line ends', [
      Buffer.from(
        post(random, id)
          .toString('latin1')
          .replaceAll('\r\n', random.pick(['\n', '\r', '\r\r\n', '\n\r'])),
        'latin1',
      ),
    ]),
  (random) =>
    apart('other versions', [head(`GET /health HTTP/${random.pick(['0.9', '1.0', '2.0', '1.2', '9'])}`, 'Host: h')]),
  () => apart('no host', [head('GET /health HTTP/1.1')]),
  () =>
    apart('a body that is not awaited', [
      head('GET /health HTTP/1.1', 'Host: h', 'Content-Length: 30'),
      Buffer.from('GET /metrics HTTP/1.1\r\nHost: h'),
    ]),
  (_, id) =>
    apart('Expect', [
      head('POST /api/v1/runs HTTP/1.1', 'Host: h', 'Expect: 100-continue', 'Content-Length: 2'),
      2,
      Buffer.from(`{}${id}`),
    ]),
];

export function sockets(random: Random, id: string): Made {
  return random.chance(0.25) ? encoded(random, id) : random.pick(MAKERS)(random, id);
}
