/** The event_id of a run that has none: the same one however often and wherever it is derived. Pure. */

/** SHA-1 of bytes, 20 of them; passed in, for the record imports nothing. */
export type Sha1 = (bytes: Uint8Array) => Uint8Array;

/** HAZARD: never to be changed. Ids derived under it are in databases, and in what was sent on from them. */
const NAMESPACE = '8f2cbb6e-0c2f-5b63-9d0e-6a1f4f7d3c21';

const namespaceBytes = Uint8Array.from(NAMESPACE.replaceAll('-', '').match(/../g) ?? [], (pair) => parseInt(pair, 16));

/**
 * UUIDv5 (RFC 9562) of a run_id.
 *
 * @param id the row's id, where the id of the run_id alone is another row's
 * @param attempt above 0 where that one is taken too
 */
export function derivedEventId(sha1: Sha1, runId: string, id?: number, attempt = 0): string {
  const name = runId + (id === undefined ? '' : `#${id}`) + (attempt === 0 ? '' : `#${attempt}`);
  const nameBytes = new TextEncoder().encode(name);
  const bytes = new Uint8Array(namespaceBytes.length + nameBytes.length);
  bytes.set(namespaceBytes);
  bytes.set(nameBytes, namespaceBytes.length);
  const digest = sha1(bytes).slice(0, 16);
  digest[6] = ((digest[6] as number) & 0x0f) | 0x50;
  digest[8] = ((digest[8] as number) & 0x3f) | 0x80;
  const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
