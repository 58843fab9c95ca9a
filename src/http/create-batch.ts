import type { BatchResult } from '../actors/protocol.ts';
import type { Call, Handler } from './call.ts';
import { invalidQuery } from './errors.ts';
import { ok } from './reply.ts';

/** POST /api/v1/runs/batch */
export const createBatch: Handler = async (call, { writer, http }) => {
  const merge = mergeAsked(call);
  const args = { merge, maxRuns: http.maxBatchRuns, maxRunBytes: http.maxBodyBytes };
  const result = await writer.send('batch', args, await call.body(http.maxBatchBytes));
  const { inserted, duplicates, merged, errors, total } = result;
  const counts = { inserted, duplicates, ...(merge && { merged }), errors, total };
  if (!result.wrapped) return ok(counts);
  return { status: inserted > 0 ? 201 : 200, body: { status: statusOf(result), ...counts } };
};

function mergeAsked({ query }: Call): boolean {
  const value = query.get('on_duplicate');
  if (value === null || value === '' || value === 'ignore') return false;
  if (value === 'merge') return true;
  throw invalidQuery('on_duplicate', 'enum', "Input should be 'ignore' or 'merge'", value.slice(0, 100));
}

function statusOf({ inserted, duplicates, merged }: BatchResult): string {
  if (inserted > 0) return 'created';
  if (merged > 0) return 'merged';
  return duplicates > 0 ? 'duplicate' : 'rejected';
}
