/**
 * What stood in a file before a position, in a few characters. A file of the same name, inode and size may hold other bytes:
 * it was written anew. All before the position is in the digest; the first block and the last two are told apart from the
 * rest, so that a turn compares those only, and what the digest says of the rest is compared when there is reason to.
 */
import { hash } from 'node:crypto';
import { type Line, readAt } from './lines.ts';

/** How far a file has been read, and the digest of what stood there; '' at its beginning, and where it is not known. */
export interface Mark {
  position: number;
  digest: string;
}

export const START: Mark = { position: 0, digest: '' };

/** A comparison of the whole that is under way: blocks compared so far, and their chain. */
export interface Proof {
  blocks: number;
  chain: string;
}

const BLOCK = 32 * 1024;
/** Blocks that are compared in one go: others are waiting. */
const MAX_BLOCKS = 1024;
const NEWLINE = 0x0a;

interface Digest {
  /** The chain begins at this block: before it lies a line so long that it is not stored. */
  base: number;
  /** Of the first block; '' where the last blocks have it. */
  head: string;
  /** Of the blocks from `base` on, each with what is before it. */
  chain: string;
  /** Of the last blocks: what follows on the chain, a block to two. */
  tail: string;
}

const shortOf = (bytes: Uint8Array): string => hash('sha256', bytes, 'base64url');
const chained = (chain: string, block: Uint8Array): string => shortOf(Buffer.concat([Buffer.from(chain), block]));

/** Blocks that are not the last ones. */
const doneBlocks = (position: number): number => Math.max(0, Math.floor(position / BLOCK) - 1);

const written = ({ base, head, chain, tail }: Digest): string => [base, head, chain, tail].join('.');

function parsed({ digest }: Mark): Digest | undefined {
  const [base, head, chain, tail] = digest.split('.');
  const number = Number(base);
  if (tail === undefined || !Number.isSafeInteger(number) || number < 0) return undefined;
  return { base: number, head: head as string, chain: chain as string, tail };
}

/**
 * Compares a file's beginning and end.
 *
 * @returns the bytes that follow on the chain, up to the position; undefined where they are others
 */
export function nearBytes(descriptor: number, mark: Mark): Uint8Array | undefined {
  if (mark.position === 0) return new Uint8Array();
  const digest = parsed(mark);
  if (!digest) return undefined;
  const from = doneBlocks(mark.position) * BLOCK;
  const near = readAt(descriptor, from, mark.position - from);
  if (shortOf(near) !== digest.tail) return undefined;
  return digest.head === '' || shortOf(readAt(descriptor, 0, BLOCK)) === digest.head ? near : undefined;
}

/** The mark behind lines that follow on another, with the bytes that were read, whatever the file holds by now. */
export function markBehind(descriptor: number, mark: Mark, near: Uint8Array, lines: readonly Line[]): Mark {
  const position = lines.at(-1)?.next ?? mark.position;
  const before = parsed(mark) ?? { base: 0, head: '', chain: '' };
  const blocks = doneBlocks(position);
  // Of an overlong line only the beginning was kept.
  if (lines.some(({ bytes, length }) => length > bytes.length)) {
    const head = blocks === 0 ? '' : before.head || shortOf(readAt(descriptor, 0, BLOCK));
    const tail = shortOf(readAt(descriptor, blocks * BLOCK, position - blocks * BLOCK));
    return { position, digest: written({ base: blocks, head, chain: '', tail }) };
  }
  let at = doneBlocks(mark.position);
  const bytes = followed(near, lines, position - mark.position);
  const from = at * BLOCK;
  const head = blocks === 0 ? '' : before.head || shortOf(bytes.subarray(0, BLOCK));
  let { chain } = before;
  for (; at < blocks; at++) chain = chained(chain, bytes.subarray(at * BLOCK - from, (at + 1) * BLOCK - from));
  const tail = shortOf(bytes.subarray(blocks * BLOCK - from));
  return { position, digest: written({ base: before.base, head, chain, tail }) };
}

function followed(near: Uint8Array, lines: readonly Line[], length: number): Uint8Array {
  const bytes = new Uint8Array(near.length + length).fill(NEWLINE, near.length);
  bytes.set(near);
  let at = near.length;
  for (const line of lines) {
    bytes.set(line.bytes, at);
    at += line.next - line.offset;
  }
  return bytes;
}

/** Goes on with comparing a whole file with its mark. @returns what it came to, or how far it came */
export function compare(descriptor: number, mark: Mark, proof: Proof | undefined): 'same' | 'other' | Proof {
  const digest = parsed(mark);
  if (mark.position === 0) return 'same';
  if (!digest || (!proof && !nearBytes(descriptor, mark))) return 'other';
  const { base } = digest;
  const end = doneBlocks(mark.position);
  let { blocks, chain } = proof ?? { blocks: base, chain: '' };
  for (const stop = Math.min(end, blocks + MAX_BLOCKS); blocks < stop; blocks++)
    chain = chained(chain, readAt(descriptor, blocks * BLOCK, BLOCK));
  if (blocks < end) return { blocks, chain };
  return chain === digest.chain && nearBytes(descriptor, mark) ? 'same' : 'other';
}

/** The whole of it, for whoever has the time. */
export function isSame(descriptor: number, mark: Mark): boolean {
  for (let proof: Proof | undefined; ;) {
    const found = compare(descriptor, mark, proof);
    if (typeof found === 'string') return found === 'same';
    proof = found;
  }
}
