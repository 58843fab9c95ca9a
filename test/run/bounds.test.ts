import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { TABLE, withinBound } from '../../src/run.ts';
import { cutText, fits, MAX_ID, shortId } from '../../src/run/bounds.ts';
import { sha256 } from '../../src/run/sha256.ts';
import { growsLinearly } from '../support/linear.ts';

const bytesOf = (text: string): number => Buffer.byteLength(text);
const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');
const wellFormed = fc.string({ unit: 'grapheme', maxLength: 2_000, size: 'max' });
/** Of any length around the bound, in characters of one to four bytes. */
const long = fc
  .tuple(fc.constantFrom('x', 'ü', '…', '😀', 'aü…😀'), fc.integer({ min: 0, max: 1_200 }), wellFormed)
  .map(([part, times, rest]) => part.repeat(times) + rest);

test('our SHA-256 is that of everyone', () => {
  for (const length of [0, 1, 55, 56, 63, 64, 65, 119, 120, 1_000]) {
    const text = 'ab'.repeat(length).slice(0, length);
    assert.equal(sha256(text), hashOf(text), String(length));
  }
  fc.assert(fc.property(long, (text) => assert.equal(sha256(text), hashOf(text))));
});

test('an id within its bound is itself, one over it is its beginning and the digest of the whole', () => {
  const check = fc.property(long, (id) => {
    const short = shortId(id);
    assert.ok(bytesOf(short) <= MAX_ID);
    assert.ok(short.isWellFormed());
    assert.equal(shortId(short), short, 'a short one stays');
    if (bytesOf(id) <= MAX_ID) return assert.equal(short, id);
    const [, beginning = '', digest] = /^(.*)-sha256-([0-9a-f]{64})$/su.exec(short) ?? [];
    assert.equal(digest, hashOf(id));
    assert.ok(id.startsWith(beginning) && bytesOf(beginning) > 436, 'as much of it as there is room for');
  });
  fc.assert(check, { numRuns: 300 });
});

test('a text over its bound ends in … at the end of a character, and has as much as there is room for', () => {
  const check = fc.property(long, fc.integer({ min: 10, max: 3_000 }), (text, max) => {
    const cut = cutText(text, max);
    assert.equal(fits(text, max), bytesOf(text) <= max);
    if (bytesOf(text) <= max) return assert.equal(cut, text);
    assert.ok(bytesOf(cut) <= max && bytesOf(cut) > max - 4, `${bytesOf(cut)} of ${max} bytes`);
    assert.ok(cut.endsWith('…') && text.startsWith(cut.slice(0, -1)) && cut.isWellFormed());
  });
  fc.assert(check, { numRuns: 300 });
});

test('a reference has the short form of the id that it names', () => {
  const id = 'ü'.repeat(400);
  for (const name of ['parent_run_id', 'insight_id', 'run_id'] as const)
    assert.equal(withinBound(name, id), shortId(id), name);
});

test('every field of text that lists filter by, or that something follows from, has a bound', () => {
  const free = new Set(['item_name', 'input_summary', 'output_summary', 'source_ref', 'target_ref', 'error_summary']);
  for (const { name, kind, max } of TABLE) {
    const isText = ['id', 'reference', 'text', 'remote'].includes(kind);
    assert.equal(max !== undefined, isText && !free.has(name) && name !== 'error_details', name);
  }
});

test('bounding costs no more than the text is long', () => {
  for (const name of ['run_id', 'website', 'git_repo'] as const)
    growsLinearly(
      (size) => 'ü😀'.repeat(size / 3),
      (text) => withinBound(name, text),
      name,
    );
});
