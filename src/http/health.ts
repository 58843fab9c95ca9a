import { describe } from '../errors.ts';
import type { Handler, Services } from './call.ts';
import { within } from './within.ts';

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
/** After so long a trouble is forgotten: what is not tried again never gets better. */
const TROUBLE_MS = 10_000;

/** GET /readyz: whether a run sent now would be stored, and runs could be read; if not, why. */
export const getReadiness: Handler = async (_call, services) => {
  const reasons = [...writerTroubles(services), ...(await readerTroubles(services))];
  if (reasons.length === 0) return { status: 200, body: { status: 'ready' } };
  return { status: 503, body: { status: 'not ready', reasons }, headers: { 'Retry-After': '1' } };
};

function writerTroubles({ writer }: Services): string[] {
  const { trouble } = writer.figures;
  const reasons: string[] = [];
  if (writer.downForMs > 0) reasons.push('The writer is not running. It is started again by itself; the log says why.');
  if (writer.mailbox.full) reasons.push('More waits for the writer than it takes. Send less at once, or wait.');
  if (trouble && Date.now() - trouble.at < TROUBLE_MS) reasons.push(`The last commit failed: ${trouble.reason}`);
  return reasons;
}

async function readerTroubles({ readers }: Services): Promise<string[]> {
  try {
    await within(ANSWER_WITHIN_MS, readers.ask('counted', {}));
    return [];
  } catch (error) {
    return [`The database cannot be read: ${describe(error)}`];
  }
}
