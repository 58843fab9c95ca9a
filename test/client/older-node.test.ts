/** The client runs on Node 20, the rest of us on 24: what the client and all it imports may not use. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Members that Node 20 has not: of one object where it is named, else of any. Array.prototype.with and the like it has. */
const NEWER: Readonly<Record<string, readonly string[]>> = {
  Promise: ['withResolvers', 'try'],
  Array: ['fromAsync'],
  Object: ['groupBy'],
  Map: ['groupBy'],
  URL: ['parse'],
  RegExp: ['escape'],
  Error: ['isError'],
  Math: ['f16round', 'sumPrecise'],
  JSON: ['rawJSON', 'isRawJSON'],
  Iterator: ['from', 'concat'],
  Uint8Array: ['fromBase64', 'fromHex'],
  Atomics: ['waitAsync', 'pause'],
  process: ['getBuiltinModule', 'loadEnvFile', 'execve', 'finalization', 'ref', 'unref', 'features'],
  '': [
    ...['union', 'intersection', 'difference', 'symmetricDifference', 'isSubsetOf', 'isSupersetOf', 'isDisjointFrom'],
    ...['toArray', 'drop', 'take', 'toBase64', 'toHex', 'setFromBase64', 'setFromHex', 'getOrInsert'],
    ...['getOrInsertComputed', 'transfer', 'transferToFixedLength', 'dirname', 'filename'],
  ],
};
/** Of node's own modules, and global names. */
const NEWER_NAMES = new Set([
  ...[
    'glob',
    'globSync',
    'styleText',
    'getCallSites',
    'parseEnv',
    'findPackageJSON',
    'registerHooks',
    'enableCompileCache',
  ],
  ...[
    'stripTypeScriptTypes',
    'DisposableStack',
    'AsyncDisposableStack',
    'SuppressedError',
    'Float16Array',
    'WebSocket',
  ],
  ...['EventSource', 'navigator', 'localStorage', 'CloseEvent', 'Iterator', 'URLPattern', 'Temporal'],
]);
/** Methods of iterators: newer right behind values(), keys() or entries(), and after a Map's or Set's iterator at all. */
const OF_ITERATORS = new Set(['map', 'filter', 'flatMap', 'reduce', 'forEach', 'some', 'every', 'find']);

/** What is used after a look whether it is there. */
const LOOKED_FOR: Readonly<Record<string, readonly string[]>> = { 'src/run/json.ts': ['isRawJSON', 'rawJSON'] };

function treeOf(path: string, text = readFileSync(path, 'utf8')): ts.SourceFile {
  return ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
}

/** The client's files, and all that they import and that is there at run time. */
function filesOfClient(): Map<string, ts.SourceFile> {
  const files = new Map<string, ts.SourceFile>();
  const visit = (path: string): void => {
    if (files.has(path)) return;
    const tree = treeOf(path);
    files.set(path, tree);
    for (const statement of tree.statements) {
      if (!ts.isImportDeclaration(statement) && !ts.isExportDeclaration(statement)) continue;
      const clause = ts.isImportDeclaration(statement) ? statement.importClause : statement;
      const to = statement.moduleSpecifier;
      const erased = clause && 'isTypeOnly' in clause && clause.isTypeOnly;
      if (to && ts.isStringLiteral(to) && to.text.startsWith('.') && !erased) visit(join(dirname(path), to.text));
    }
  };
  for (const path of globSync('src/client/**/*.ts', { cwd: ROOT })) visit(join(ROOT, path));
  return files;
}

// Of `await using` it is a part.
const USING: number = ts.NodeFlags.Using;

/** The name of a member that is newer, where the node takes one; syntax that is newer by what it is. */
function newerIn(node: ts.Node): string | undefined {
  if (ts.isVariableDeclarationList(node) && (node.flags & USING) !== 0) return 'using';
  if (ts.isImportDeclaration(node) && node.attributes) return 'import with';
  if (ts.isRegularExpressionLiteral(node) && /\(\?[ims]*-?[ims]+:/.test(node.text)) return 'a modifier in a RegExp';
  if (ts.isIdentifier(node) && NEWER_NAMES.has(node.text) && !ts.isPropertyAccessExpression(node.parent))
    return node.text;
  if (!ts.isPropertyAccessExpression(node)) return undefined;
  const name = node.name.text;
  const on = node.expression.getText();
  if (NEWER[on]?.includes(name) || NEWER['']?.includes(name)) return `${on}.${name}`;
  const iterates = /\.(values|keys|entries)\(\)$/.test(on) && !on.startsWith('Object.');
  return iterates && OF_ITERATORS.has(name) ? `an iterator's ${name}` : undefined;
}

function newerOf(tree: ts.SourceFile): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    const newer = newerIn(node);
    if (newer !== undefined) found.push(newer);
    node.forEachChild(visit);
  };
  visit(tree);
  return found;
}

test('the client and what it imports use nothing that Node 20 does not have', () => {
  const files = filesOfClient();
  const offences = [...files].flatMap(([path, tree]) => {
    const name = relative(ROOT, path).replaceAll('\\', '/');
    const found = newerOf(tree).filter((newer) => !LOOKED_FOR[name]?.some((known) => newer.endsWith(`.${known}`)));
    return found.map((newer) => `${name}: ${newer}`);
  });
  assert.deepEqual(offences, []);
  const names = [...files.keys()].map((path) => relative(ROOT, path));
  for (const name of ['src/run.ts', 'src/run/json.ts', 'src/directory.ts']) assert.ok(names.includes(join(name)), name);
});

test('newer functions and newer syntax are seen', () => {
  const lines = {
    'const { promise } = Promise.withResolvers<void>();': ['Promise.withResolvers'],
    'Object.groupBy(list, (one) => one.name);': ['Object.groupBy'],
    'await using file = await open(path);': ['using'],
    'using file = open(path);': ['using'],
    "import data from './data.json' with { type: 'json' };": ['import with'],
    "import { globSync } from 'node:fs';": ['globSync'],
    'map.values().map((one) => one);': ["an iterator's map"],
    'one.union(other);': ['one.union'],
    '/(?i:a)b/.test(text);': ['a modifier in a RegExp'],
    'Object.entries(map).map(one); Object.values(map).filter(one); const now = 1; let using = 2;': [],
    '/(?:a)(?<b>c)(?!d)/.test(list.at(-1).toWellFormed());': [],
  };
  for (const [line, expected] of Object.entries(lines))
    assert.deepEqual(newerOf(treeOf('line.ts', line)), expected, line);
});

test('what embedded imports before it looks at the version of Node is as old', () => {
  const tree = treeOf(join(ROOT, 'src/embedded.ts'));
  const imported = tree.statements.flatMap((one) =>
    ts.isImportDeclaration(one) && !one.importClause?.isTypeOnly && ts.isStringLiteral(one.moduleSpecifier)
      ? [one.moduleSpecifier.text]
      : [],
  );
  const known = new Set([...filesOfClient().keys()].map((path) => relative(join(ROOT, 'src'), path)));
  const others = imported.filter((path) => !known.has(join(path)));
  assert.deepEqual(others.sort(), ['./errors.ts', './http/errors.ts']);
  for (const path of [...others, './embedded.ts']) assert.deepEqual(newerOf(treeOf(join(ROOT, 'src', path))), [], path);
});
