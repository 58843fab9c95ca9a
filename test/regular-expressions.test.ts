/** Whoever sends text must not choose how long it is looked at: every regular expression of the source, on hostile text. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import ts from 'typescript';
import { none, ROOT } from './support/documents.ts';

interface Expression {
  where: string;
  source: string;
  flags: string;
}

/** What a text may have to begin with for an anchored expression to come to its repetitions. */
const BEGINNINGS = ['', 'a', 'a:', 'a@a:', 'https://a.b/', '2026-01-10T12:00:00', '2026-01-10 ', '0', '"', '[', 'a="'];
/** With it the text fails at its end, and every other way is tried. */
const END = '\0!';
/** Characters, and milliseconds: a linear expression takes some microseconds for so many, a quadratic one 10 ms. */
const SHORT = 2 ** 12;
const SUSPICIOUS = 1;
const LONG = 2 ** 17;
const LONGEST = 400;

const expressions: Expression[] = globSync('src/**/*.ts', { cwd: ROOT }).flatMap((path) => {
  const text = readFileSync(join(ROOT, path), 'utf8');
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.Latest);
  const found: Expression[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isRegularExpressionLiteral(node)) {
      const end = node.text.lastIndexOf('/');
      const line = tree.getLineAndCharacterOfPosition(node.getStart(tree)).line + 1;
      found.push({ where: `${path}:${line}`, source: node.text.slice(1, end), flags: node.text.slice(end + 1) });
    }
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return found;
});

/** What to repeat: each character that the expression speaks of, some of every class, and pairs of them. */
function repeated(source: string): string[] {
  const spoken = [...new Set(source.replace(/\\[a-zA-Z]/g, '').match(/[^\\^$*+?()[\]{}|]/g) ?? [])];
  const units = [...new Set([...spoken, 'a', '0', ' ', '/', '.', '-', ':', '@', '\\', '"', '\t', '\n', 'é'])];
  return [...units, ...units.slice(0, 8).flatMap((one) => [`${one}a`, `${one}0`, `${one} `, `${one}.`, `a${one}`])];
}

/** @returns the text that takes too long, and how long; undefined where none does */
function tooLong({ source, flags }: Expression): string | undefined {
  // Nothing in it repeats without end.
  if (!/[*+]|\{\d+,\}/.test(source)) return undefined;
  const expression = new RegExp(source, flags.includes('g') ? flags : `${flags}g`);
  const time = (text: string): number => {
    const started = performance.now();
    text.replace(expression, '');
    return performance.now() - started;
  };
  for (const beginning of source.includes('^') || flags.includes('y') ? BEGINNINGS : ['']) {
    for (const unit of repeated(source)) {
      const textOf = (size: number): string => beginning + unit.repeat(size / unit.length) + END;
      // A busy machine makes one look slow, and not three in a row.
      if ([1, 2, 3].every(() => time(textOf(SHORT)) > SUSPICIOUS)) {
        const took = time(textOf(LONG / 4)) * 4;
        if (took > LONGEST) return `${JSON.stringify(beginning)} + ${JSON.stringify(unit)} x ${LONG}: ${took} ms`;
      }
    }
  }
  return undefined;
}

test('the expressions are found', () => assert.ok(expressions.length > 100, String(expressions.length)));

test('no regular expression takes more than linear time, whatever it is given', () => {
  const offences = expressions.flatMap((expression) => {
    const found = tooLong(expression);
    return found === undefined ? [] : [`${expression.where} /${expression.source}/ with ${found}`];
  });
  none(offences, 'Some text makes it take the square of its length: let a repetition begin in one place only.');
});
