/** Bodies that come compressed: which encodings are taken, and how far one may inflate. */
import { createGunzip, createInflate } from 'node:zlib';
import { TelemetryError } from '../../errors.ts';
import { HttpError } from '../errors.ts';

/** Inflates off the main thread. */
export type Decoder = ReturnType<typeof createGunzip | typeof createInflate>;

/** What a decoder takes itself: its window, and the chunk it fills. */
export const DECODER_BYTES = 128 * 1024;

/** Beyond so many bytes a body may have this many times what was sent; JSON has about 10 times. */
const RATIO_FROM_BYTES = 1024 * 1024;
const MAX_RATIO = 200;

const OPTIONS = { chunkSize: 64 * 1024 };
const gunzip = (): Decoder => createGunzip(OPTIONS);
const DECODERS: ReadonlyMap<string, () => Decoder> = new Map([
  ['gzip', gunzip],
  ['x-gzip', gunzip],
  ['deflate', (): Decoder => createInflate(OPTIONS)],
]);

/** @returns what makes the decoder of an encoding; undefined where the body comes as it is @throws HttpError 415 */
export function decoderFor(encoding: string | undefined): (() => Decoder) | undefined {
  if (encoding === undefined) return undefined;
  const names = encoding.split(',').map((name) => name.trim().toLowerCase());
  const [name, ...more] = names.filter((each) => each !== '' && each !== 'identity');
  if (name === undefined) return undefined;
  const decoder = DECODERS.get(name);
  if (decoder && more.length === 0) return decoder;
  const why = `Content-Encoding ${encoding.slice(0, 100)} is not supported. Send gzip, deflate, or the JSON as it is.`;
  throw new HttpError(415, why, { 'Accept-Encoding': 'gzip, deflate, identity' });
}

/** @throws TelemetryError "too_large" for what inflates beyond all reason */
export function checkRatio(decoder: Decoder, inflated: number): void {
  if (inflated <= RATIO_FROM_BYTES || inflated <= MAX_RATIO * decoder.bytesWritten) return;
  throw new TelemetryError(
    'too_large',
    `The body inflates to more than ${MAX_RATIO} times its size. Send it in parts.`,
  );
}

export function notEncodedSo(cause: unknown): TelemetryError {
  const why = 'The body is not what its Content-Encoding says, or ends too early. Send it again, or the JSON as it is.';
  return new TelemetryError('bad_request', why, { cause });
}
