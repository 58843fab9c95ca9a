import type { BatchResult } from '../actors/protocol.ts';
import { cut } from '../run/text.ts';
import type { Call, Handler } from './call.ts';
import { invalidQuery } from './errors.ts';
import { ok } from './reply.ts';

/** POST /api/v1/runs/batch */
export const createBatch: Handler = async (call, { writer, http }) => {
  const merge = asked(call, 'on_duplicate', ['ignore', 'merge']) === 'merge';
  const onInvalid = asked(call, 'on_invalid', ['refuse', 'repair']);
  const args = { merge, onInvalid, maxRuns: http.maxBatchRuns, maxRunBytes: http.maxBodyBytes };
  const result = await writer.send('batch', args, await call.body(http.maxBatchBytes));
  const { inserted, duplicates, merged, errors, total } = result;
  const counts = { inserted, duplicates, ...(merge && { merged }), errors, total };
  if (!result.wrapped) return ok(counts);
  return { status: inserted > 0 ? 201 : 200, body: { status: statusOf(result), ...counts } };
};

/** The value of a parameter; without one the first of those there are. */
function asked<T extends string>({ query }: Call, name: string, values: readonly [T, T]): T {
  const given = query.get(name);
  const value = given === null || given === '' ? values[0] : values.find((one) => one === given);
  if (value !== undefined) return value;
  throw invalidQuery(name, 'enum', `Input should be '${values[0]}' or '${values[1]}'`, cut(given ?? '', 100));
}

function statusOf({ inserted, duplicates, merged }: BatchResult): string {
  if (inserted > 0) return 'created';
  if (merged > 0) return 'merged';
  return duplicates > 0 ? 'duplicate' : 'rejected';
}
