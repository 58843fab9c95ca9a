import type { Handler, Services } from './call.ts';

/** How long the writer may be away (a respawn takes milliseconds) before the service calls itself unavailable. */
const PATIENCE_MS = 5_000;

/** GET /health: touches no database; the pragmas are those read back when it was opened. */
export const getHealth: Handler = (_call, { writer, version }) => {
  const available = writer.downForMs < PATIENCE_MS;
  const { path, journalMode, synchronous } = writer.info;
  return {
    status: available ? 200 : 503,
    body: { status: available ? 'ok' : 'unavailable', version, db_path: path, journal_mode: journalMode, synchronous },
  };
};

/** A probe waits longer than that. */
const ANSWER_WITHIN_MS = 1_000;
/** A commit takes milliseconds; a foreign lock may hold it up for TELEMETRY_DB_BUSY_TIMEOUT_MS. */
const LONGEST_COMMIT_MS = 2_000;
/** After so long a trouble is forgotten: what is not tried again never gets better. */
const TROUBLE_MS = 10_000;

/**
 * GET /readyz: whether runs can be stored and read; if not, why. Load is no reason: whoever is refused for it is told so, and
 * to send a busy service nothing at all would make it worse.
 */
export const getReadiness: Handler = async (_call, { writer, readers }) => {
  const unread = await readers.trouble(ANSWER_WITHIN_MS);
  const reasons = writerTroubles(writer);
  if (unread !== undefined) reasons.push(`The database cannot be read: ${unread}`);
  if (reasons.length === 0) return { status: 200, body: { status: 'ready' } };
  return { status: 503, body: { status: 'not ready', reasons }, headers: { 'Retry-After': '1' } };
};

function writerTroubles({ downForMs, committingMs, figures: { trouble } }: Services['writer']): string[] {
  const reasons: string[] = [];
  if (downForMs > 0) reasons.push('The writer is not running. It is started again by itself; the log says why.');
  if (committingMs > LONGEST_COMMIT_MS) {
    const seconds = Math.round(committingMs / 1_000);
    reasons.push(`A commit has been waiting for ${seconds} s: for another program's lock, or the disk.`);
  }
  if (trouble && Date.now() - trouble.at < TROUBLE_MS) reasons.push(`The last commit failed: ${trouble.reason}`);
  return reasons;
}
