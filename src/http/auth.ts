import { createHash, timingSafeEqual } from 'node:crypto';
import { HttpError } from './errors.ts';

const SCHEME = 'Authorization: Bearer <token>';
const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** @returns a check of the Authorization header, in constant time, that throws 401 */
export function createAuth(token: string | undefined): (header: string | undefined) => void {
  if (token === undefined) return () => undefined;
  const expected = digest(token);
  return (header) => {
    if (!header) throw unauthorized(`Authorization header required. Use: ${SCHEME}`);
    const [scheme = '', given, ...more] = header.trim().split(/\s+/);
    if (scheme.toLowerCase() !== 'bearer' || given === undefined || more.length > 0) {
      throw unauthorized(`Invalid authorization format. Use: ${SCHEME}`);
    }
    if (!timingSafeEqual(digest(given), expected)) throw unauthorized('Invalid authentication token');
  };
}

function unauthorized(detail: string): HttpError {
  return new HttpError(401, detail, { 'WWW-Authenticate': 'Bearer' });
}
