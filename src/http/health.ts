import type { Handler } from './call.ts';

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
