/** What a stranger may do to a service's memory, over its port. Each lasts until it is ended. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { BATCH, RUNS } from '../support/http.ts';
import { aRun } from '../support/service.ts';

const MIB = 1024 * 1024;

/** @param url the service's @param signal ends it @returns once all has been sent */
export type Attack = (url: string, signal: AbortSignal) => Promise<void>;

const headOf = (path: string, length: number): string =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n`;

/** Sockets that are gone when the signal says so; what becomes of them is no matter. */
async function sockets(url: string, count: number, signal: AbortSignal): Promise<Socket[]> {
  const port = Number(new URL(url).port);
  const found = Array.from({ length: count }, () => connect(port, '127.0.0.1').on('error', () => undefined));
  signal.addEventListener('abort', () => found.forEach((socket) => socket.destroy()));
  await Promise.all(found.map((socket) => Promise.race([once(socket, 'connect'), once(socket, 'close')])));
  return found;
}

/** Resolves once the socket has taken it, or has gone. */
async function write(socket: Socket, data: string | Buffer): Promise<void> {
  if (socket.destroyed || socket.write(data)) return;
  const done = new AbortController();
  const { signal } = done;
  await Promise.race([once(socket, 'drain', { signal }), once(socket, 'close', { signal })]).catch(() => undefined);
  done.abort();
}

/** Bodies in chunks of a few bytes: what is kept of a chunk is far larger than what is in it. */
const smallChunks =
  (connections: number, chunkBytes: number, chunks: number): Attack =>
  async (url, signal) => {
    const many = Buffer.from(`${chunkBytes.toString(16)}\r\n${' '.repeat(chunkBytes)}\r\n`.repeat(10_000));
    await Promise.all(
      (await sockets(url, connections, signal)).map(async (socket) => {
        await write(socket, `POST ${BATCH} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`);
        for (let sent = 0; sent < chunks && !socket.destroyed && !signal.aborted; sent += 10_000)
          await write(socket, many);
      }),
    );
  };

/** Bodies that are announced, begun, and never ended. */
const stalledBodies: Attack = async (url, signal) => {
  const part = Buffer.alloc(MIB, ' ');
  await Promise.all(
    (await sockets(url, 12, signal)).map(async (socket, index) => {
      await write(socket, headOf(BATCH, 32 * MIB));
      for (let sent = 1; sent < (index < 2 ? 32 : 8); sent++) await write(socket, part);
    }),
  );
};

/** Lists of large runs, several on each connection, of which nothing is read. */
const unreadReplies =
  (connections: number): Attack =>
  async (url, signal) => {
    const details = 'x'.repeat(60_000);
    for (let batch = 0; batch < 10; batch++) {
      const runs = Array.from({ length: 100 }, () => aRun({ error_details: details }));
      await fetch(url + BATCH, { method: 'POST', body: JSON.stringify(runs), signal });
    }
    for (const socket of await sockets(url, connections, signal)) {
      socket.pause();
      socket.write(`GET ${RUNS}?limit=1000 HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(4));
    }
    await pause(2_000, undefined, { signal });
  };

/** Numbers that become something else when they are read, as many as a body holds. */
const hostileJson: Attack = async (url, signal) => {
  const body = `[${'1e999,'.repeat((31 * MIB) / 6)}1]`;
  await Promise.all(
    Array.from({ length: 5 }, async () => {
      const answer = await fetch(url + BATCH, { method: 'POST', body, signal });
      await answer.arrayBuffer();
    }),
  );
};

/** Compressed bodies that inflate to a thousand times their size. */
const bombs =
  (bytes: number): Attack =>
  async (url, signal) => {
    const body = gzipSync(Buffer.alloc(bytes, ' '));
    const headers = { 'Content-Encoding': 'gzip' };
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        const answer = await fetch(url + BATCH, { method: 'POST', body, headers, signal });
        await answer.arrayBuffer();
      }),
    );
  };

/** More connections than there may be, some silent, some amid a request. */
const connections: Attack = async (url, signal) => {
  for (let round = 0; round < 5; round++) {
    for (const [index, socket] of (await sockets(url, 1_000, signal)).entries())
      if (index % 2 === 0) socket.write(headOf(RUNS, 60_000) + ' '.repeat(1_000));
  }
};

/** Everything about totals, again and again, where names are as long as the seed has made them. */
const totals: Attack = async (url, signal) => {
  for (let round = 0; round < 5; round++)
    for (const path of ['/metrics', '/api/v1/metadata', '/metrics/prometheus', `${RUNS}?limit=1000`])
      await (await fetch(url + path, { signal })).arrayBuffer();
};

export const ATTACKS: Readonly<Record<string, Attack>> = {
  'bodies in chunks of one byte': smallChunks(8, 1, 3_000_000),
  'bodies in chunks of 16 bytes': smallChunks(8, 16, 1_500_000),
  'stalled bodies of 32 MiB': stalledBodies,
  'replies that nobody reads': unreadReplies(40),
  'JSON that grows when it is read': hostileJson,
  'compressed bombs': bombs(512 * MIB),
  'connections without end': connections,
  'names of a megabyte': totals,
};

/** For the suite: seconds, not minutes. */
export const SHORT: Readonly<Record<string, Attack>> = {
  'bodies in chunks of 16 bytes': smallChunks(4, 16, 250_000),
  'compressed bombs': bombs(30 * MIB),
};
