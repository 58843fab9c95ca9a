import type { Polka } from 'polka';
import { HttpError } from './errors.ts';
import type { Reply } from './reply.ts';

/** A path that has GET has HEAD. OPTIONS is nowhere: it would be asked on behalf of pages of other origins. */
const METHODS = ['GET', 'HEAD', 'POST', 'PATCH'] as const;

/** What a path without a route is answered: 405 where another method has one. */
export function noMatch(app: Polka, path: string): Reply {
  const allowed = METHODS.filter((method) => app.find(method, path).handlers.length > 0);
  if (allowed.length === 0) return new HttpError(404, 'Not Found').reply;
  return new HttpError(405, 'Method Not Allowed', { Allow: allowed.join(', ') }).reply;
}
