/** A request out of what was filled in: for fetch, and as a command for a shell. */

/** What browsers and curl take for a way through folders: they ask for another address. */
const DOTS = /\/\.\.?(?=[/?]|$)/;

/**
 * The request as { method, url, headers, body, token }, headers as pairs. The token is no header yet: it must not be shown.
 *
 * @param given base: address; values: lists of texts by `<in> <name>`, of which empty ones are not sent; accept, token;
 * body and its type, undefined where there is none
 */
export function requestOf({ method, path, parameters }, { base, values, accept, token, type, body }) {
  const inside = (place) =>
    parameters
      .filter((parameter) => parameter.in === place)
      .flatMap(({ name }) => (values[`${place} ${name}`] ?? []).map((text) => [name, text]))
      .filter(([, text]) => text !== '');
  const place = inside('path').reduce((text, [name, value]) => text.replace(`{${name}}`, () => encoded(value)), path);
  const query = inside('query').map((pair) => pair.map(encoded).join('='));
  const headers = inside('header');
  if (accept) headers.push(['Accept', accept]);
  if (body !== undefined) headers.push(['Content-Type', type]);
  return { method, url: base + place + (query.length > 0 ? `?${query.join('&')}` : ''), headers, body, token };
}

const encoded = (text) => encodeURIComponent(text.toWellFormed());

/** One word of a POSIX shell: whatever the text holds, nothing of it is expanded. */
export const quoted = (text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

/** Whether a browser would ask for another address than this. */
export const isRewritten = (url) => DOTS.test(url);

/** A command that sends the same, with the token by the name of its variable. */
export function curlOf({ method, url, headers, body, token }) {
  const words = ['curl --include'];
  if (method !== 'GET') words[0] += ` --request ${method}`;
  // Without this, curl would take {a,b} in an address for two.
  if (/[[\]{}]/.test(url)) words[0] += ' --globoff';
  if (isRewritten(url)) words[0] += ' --path-as-is';
  words.push(quoted(url));
  if (token) words.push('--header "Authorization: Bearer $TELEMETRY_API_AUTH_TOKEN"');
  words.push(...headers.map((header) => `--header ${quoted(header.join(': '))}`));
  // Not --data, which would read a file where the body begins with @.
  if (body !== undefined) words.push(`--data-raw ${quoted(body)}`);
  return words.join(' \\\n  ');
}
