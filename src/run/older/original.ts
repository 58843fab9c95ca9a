/** A row of an older database as JSON from which every value can be had back; only credentials are gone. Pure. */
import { withoutCredentials } from '../urls.ts';
import { type OlderValue, utf8Of } from './values.ts';

// TypeScript's library does not know this part of the language yet.
const raw = JSON as unknown as { rawJSON(text: string): unknown };

/**
 * `{"run_id":"r","duration_ms":-5,"host":{"$blob":"AAE="}}`: integers exact, blobs in base64, reals with a point or an
 * exponent, infinities as `{"$real":"-Infinity"}`.
 */
export function originalOf(columns: readonly string[], row: readonly OlderValue[]): string {
  const original = Object.create(null) as Record<string, unknown>;
  for (const [index, column] of columns.entries()) {
    const value = row[index] ?? null;
    original[column] = jsonOf(column.toLowerCase() === 'git_repo' ? withoutSecrets(value) : value);
  }
  return JSON.stringify(original);
}

function withoutSecrets(value: OlderValue): OlderValue {
  const text = value instanceof Uint8Array ? (utf8Of(value) ?? Buffer.from(value).toString('latin1')) : value;
  if (typeof text !== 'string') return value;
  const clean = withoutCredentials(text);
  return clean === text ? value : clean;
}

function jsonOf(value: OlderValue): unknown {
  if (typeof value === 'bigint') return raw.rawJSON(String(value));
  if (value instanceof Uint8Array) return { $blob: Buffer.from(value).toString('base64') };
  if (typeof value !== 'number') return value;
  if (!Number.isFinite(value)) return { $real: String(value) };
  if (Object.is(value, -0)) return raw.rawJSON('-0.0');
  return raw.rawJSON(Number.isInteger(value) && Math.abs(value) < 1e15 ? `${value}.0` : String(value));
}
