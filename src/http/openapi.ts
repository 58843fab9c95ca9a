import type { Handler } from './call.ts';
import type { DescribedRoute } from './openapi/operation.ts';
import type { OperationId } from './openapi/operations.ts';
import { ok } from './reply.ts';

/**
 * GET /openapi.json: made when it is first asked for, and kept. Its tables are loaded then too, for a start should not
 * wait for what few ask for.
 *
 * @param routes those to describe; asked for late, for this handler is in the table itself
 */
export function describing(routes: () => readonly DescribedRoute<OperationId>[]): Handler {
  let bytes: Uint8Array | undefined;
  return async (_call, { version }) => {
    const { documentOf } = await import('./openapi/document.ts');
    return ok((bytes ??= Buffer.from(JSON.stringify(documentOf(routes(), version)))));
  };
}
