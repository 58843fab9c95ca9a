/** The states of a run, the names older clients give them, and which of two says more. */
export const STATUSES = ['running', 'success', 'failure', 'partial', 'timeout', 'cancelled'] as const;
export type Status = (typeof STATUSES)[number];

const CANONICAL: ReadonlyMap<string, Status> = new Map<string, Status>([
  ...STATUSES.map((status) => [status, status] as const),
  ['failed', 'failure'],
  ['completed', 'success'],
  ['succeeded', 'success'],
]);

export const STATUS_NAMES: readonly string[] = [...CANONICAL.keys()];

export function canonicalStatus(value: string): Status | undefined {
  return CANONICAL.get(value);
}

/**
 * How final a status is. A run reported `cancelled` by a clean-up of stale runs may still have
 * completed, so any other terminal status outranks it.
 */
export function statusRank(status: Status): 0 | 1 | 2 {
  if (status === 'running') return 0;
  return status === 'cancelled' ? 1 : 2;
}
