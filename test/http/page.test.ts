import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { serviceOfFile } from '../support/http.ts';

const FOLDER = new URL('../../src/http/page/', import.meta.url);
/** Little enough to be read by whoever is asked for a token by it. Hiding that token took it beyond 40,000. */
const MAX_BYTES = 44_000;
const files = readdirSync(FOLDER).map((name) => ({ name, text: readFileSync(new URL(name, FOLDER), 'utf8') }));
const html = files.find(({ name }) => name === 'index.html')?.text ?? '';

const service = serviceOfFile({
  TELEMETRY_API_AUTH_ENABLED: 'true',
  TELEMETRY_API_AUTH_TOKEN: 'secret',
  TELEMETRY_RATE_LIMIT_ENABLED: 'true',
  TELEMETRY_RATE_LIMIT_RPM: '1',
});

const get = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(service().url + path, { headers, redirect: 'manual' });

/** Fails with a line for each file that has what must not be there. */
function nowhere(pattern: RegExp, why: string): void {
  const wrong = files.flatMap(({ name, text }) => (text.match(pattern) ?? []).map((found) => `${name}: ${found}`));
  assert.deepEqual(wrong, [], why);
}

test('the page is there without a token and beyond the rate limit', async () => {
  for (let times = 0; times < 3; times++) {
    const response = await get('/docs');
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('content-type'), 'text/html; charset=utf-8');
    assert.equal(response.headers.get('x-ratelimit-limit'), null);
    assert.equal(await response.text(), html);
  }
});

test('the page may load and ask only what is its own, and is framed by nobody', async () => {
  for (const path of ['/docs', '/docs/page.css', '/docs/page.js']) {
    const { headers } = await get(path);
    assert.equal(
      headers.get('content-security-policy'),
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    assert.equal(headers.get('referrer-policy'), 'no-referrer');
    assert.equal(headers.get('cache-control'), 'no-cache');
  }
});

test('every file that the page needs is served with its type, and there is no other', async () => {
  const needed = new Set(['index.html']);
  const types: Record<string, string> = { css: 'text/css', js: 'text/javascript', html: 'text/html' };
  for (const name of needed) {
    const response = await get(name === 'index.html' ? '/docs' : `/docs/${name}`);
    assert.equal(response.status, 200, name);
    assert.equal(response.headers.get('content-type'), `${types[name.split('.')[1] ?? '']}; charset=utf-8`);
    const text = await response.text();
    for (const [, file] of text.matchAll(/"\/docs\/([\w.-]+)"/g)) if (file) needed.add(file);
    for (const [, file] of text.matchAll(/from '\.\/([\w.-]+)'/g)) if (file) needed.add(file);
  }
  assert.deepEqual([...needed].sort(), files.map(({ name }) => name).sort());
});

test('a file that has not changed is not sent again', async () => {
  const first = await get('/docs/page.js');
  const tag = first.headers.get('etag') ?? assert.fail('there is no ETag');
  for (const known of [tag, `W/${tag}`, `"other", ${tag}`, '*']) {
    const again = await get('/docs/page.js', { 'If-None-Match': known });
    assert.equal(again.status, 304);
    assert.equal(await again.text(), '');
    assert.equal(again.headers.get('etag'), tag);
  }
  assert.equal((await get('/docs/page.js', { 'If-None-Match': '"other"' })).status, 200);
});

test('no other file can be had below /docs', async () => {
  for (const name of ['nothing.js', 'page', '..%2Froutes.ts', '%2Fetc%2Fpasswd', '..%2f..%2f..%2fpackage.json']) {
    const response = await get(`/docs/${name}`);
    assert.equal(response.status, 404, name);
    assert.deepEqual(await response.json(), { detail: 'Not Found' });
  }
});

test('/redoc leads to /docs', async () => {
  const response = await get('/redoc');
  assert.equal(response.status, 308);
  assert.equal(response.headers.get('location'), '/docs');
  assert.equal(response.headers.get('content-type'), 'text/plain; charset=utf-8');
  assert.equal(await response.text(), 'The page is at /docs.\n');
});

test('the page has no script, style or handler in its markup, which the policy would stop', () => {
  assert.match(html, /<script type="module" src="\/docs\/page\.js"><\/script>/);
  assert.doesNotMatch(html, /<style|\sstyle=|\son\w+=|javascript:|<script(?![^>]*\ssrc=)/);
});

test('the page names no other host', () => {
  // The namespace of SVG is a name, which nobody asks.
  nowhere(/(?:https?:|["'(])\/\/(?!www\.w3\.org\/2000\/svg')[\w.-]+/g, 'Everything must come from the service itself');
});

test('no text can become markup or a program', () => {
  nowhere(
    /\b(innerHTML|outerHTML|insertAdjacentHTML|setHTML\w*|srcdoc|document\.write|DOMParser|eval|Function\()/g,
    'Texts are appended as text',
  );
});

test('the token goes to no storage that outlives the tab', () => {
  nowhere(/\b(localStorage|indexedDB|document\.cookie|caches)\b/g, 'sessionStorage ends with the tab');
});

test('the page is small', () => {
  const bytes = files.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
  assert.ok(bytes < MAX_BYTES, `it has ${bytes} bytes`);
  const long = files.filter(({ text }) => text.trimEnd().split('\n').length > 300).map(({ name }) => name);
  assert.deepEqual(long, [], 'Files over 300 lines');
});
