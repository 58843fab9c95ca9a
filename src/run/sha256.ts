/**
 * SHA-256 (FIPS 180-4) of a text's UTF-8, in hex. For the few ids that are over their bound: the record imports nothing, and
 * what `crypto` has for everyone answers only later. Pure.
 */
const WORDS = 64;
const BLOCK = 64;

/** The first bits behind the point of a root. */
const fraction = (root: number): number => ((root - Math.floor(root)) * 2 ** 32) | 0;

const PRIMES: number[] = [];
for (let number = 2; PRIMES.length < WORDS; number++) {
  if (PRIMES.every((prime) => number % prime !== 0)) PRIMES.push(number);
}
const ROUNDS = Int32Array.from(PRIMES, (prime) => fraction(Math.cbrt(prime)));
const START = Int32Array.from(PRIMES.slice(0, 8), (prime) => fraction(Math.sqrt(prime)));

export function sha256(text: string): string {
  const blocks = padded(new TextEncoder().encode(text));
  const state = Int32Array.from(START);
  const schedule = new Int32Array(WORDS);
  for (let at = 0; at < blocks.byteLength; at += BLOCK) mix(state, schedule, blocks, at);
  return Array.from(new Uint32Array(state), (word) => word.toString(16).padStart(8, '0')).join('');
}

/** The bytes, a bit that ends them, zeros, and how many bits they were. */
function padded(bytes: Uint8Array): DataView {
  const length = Math.ceil((bytes.length + 9) / BLOCK) * BLOCK;
  const whole = new Uint8Array(length);
  whole.set(bytes);
  whole[bytes.length] = 0x80;
  const view = new DataView(whole.buffer);
  view.setBigUint64(length - 8, BigInt(bytes.length) * 8n);
  return view;
}

const turned = (word: number, bits: number): number => (word >>> bits) | (word << (32 - bits));

function mix(state: Int32Array, schedule: Int32Array, blocks: DataView, at: number): void {
  for (let index = 0; index < 16; index++) schedule[index] = blocks.getInt32(at + index * 4);
  for (let index = 16; index < WORDS; index++) {
    const early = schedule[index - 15] as number;
    const late = schedule[index - 2] as number;
    const low = turned(early, 7) ^ turned(early, 18) ^ (early >>> 3);
    const high = turned(late, 17) ^ turned(late, 19) ^ (late >>> 10);
    const sum = ((schedule[index - 16] as number) + (schedule[index - 7] as number)) | 0;
    schedule[index] = (sum + ((low + high) | 0)) | 0;
  }
  let [a, b, c, d, e, f, g, h] = state as unknown as [number, number, number, number, number, number, number, number];
  for (let index = 0; index < WORDS; index++) {
    const chosen = (e & f) ^ (~e & g);
    const mixed = turned(e, 6) ^ turned(e, 11) ^ turned(e, 25);
    const input = ((ROUNDS[index] as number) + (schedule[index] as number)) | 0;
    const first = (((h + mixed) | 0) + ((chosen + input) | 0)) | 0;
    const majority = (a & b) ^ (a & c) ^ (b & c);
    const second = ((turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + majority) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + first) | 0;
    d = c;
    c = b;
    b = a;
    a = (first + second) | 0;
  }
  for (const [index, word] of [a, b, c, d, e, f, g, h].entries()) state[index] = (state[index] as number) + word;
}
