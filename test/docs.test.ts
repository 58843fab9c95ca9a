/** Whatever the code takes or says is in the documentation, and the documentation names nothing else. */
import assert from 'node:assert/strict';
import { existsSync, globSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import ts from 'typescript';
import { OTHERS } from '../src/cli/config/unknown.ts';
import { referenceOf } from '../src/cli/reference.ts';
import serve from '../src/cli/serve.ts';
import { CLIENT_SETTINGS } from '../src/client/config.ts';
import { type Setting, SETTINGS, WITHOUT_EFFECT } from '../src/config/settings.ts';
import { LIST_PARAMETERS } from '../src/http/filters.ts';
import { MEANINGS } from '../src/http/openapi/meanings.ts';
import { documented } from '../src/http/openapi/path.ts';
import { ROUTES } from '../src/http/routes.ts';
import { STATUS_NAMES, TABLE as FIELDS } from '../src/run.ts';
import { KINDS } from '../src/run/kinds.ts';
import { documents, none, read, ROOT } from './support/documents.ts';

const api = read('docs/api.md');
const configuration = read('docs/configuration.md');
const logs = read('docs/logs.md');

/** What stands below a heading, up to the next one. */
function sectionOf(text: string, heading: string): string {
  const parts = text.split(/^#+ /m);
  return parts.find((part) => part.startsWith(`${heading}\n`)) ?? assert.fail(`There is no heading ${heading}`);
}

/** The cells of the table row that begins with `name`, without it; undefined where there is none. */
function rowOf(text: string, name: string): string[] | undefined {
  const row = text.split('\n').find((line) => line.startsWith(`| \`${name}\` `));
  return row
    ?.split('|')
    .slice(2, -1)
    .map((cell) => cell.trim());
}

test('every setting is in docs/configuration.md with its default and what it takes', () => {
  for (const setting of SETTINGS as readonly Setting[]) {
    const { name, default: fallback, min, max, choices, alias, secret } = setting;
    const [shown, takes = ''] =
      rowOf(configuration, name) ?? assert.fail(`${name} has no row in docs/configuration.md`);
    if (fallback) assert.equal(shown, `\`${fallback}\``, `the default of ${name}`);
    const wanted = [min, max, ...(choices ?? []), alias, secret && `${name}_FILE`].filter((word) => word !== undefined);
    for (const word of wanted) assert.ok(takes.includes(String(word)), `the row of ${name} does not say ${word}`);
  }
});

test('every setting of the client is in docs/configuration.md with its default, its other name and what it takes', () => {
  const section = sectionOf(configuration, 'The client');
  for (const setting of CLIENT_SETTINGS as readonly ClientSetting[]) {
    const [shown, takes = ''] = rowOf(section, setting.name) ?? assert.fail(`${setting.name} has no row`);
    if (setting.default) assert.equal(shown, `\`${setting.default}\``, `the default of ${setting.name}`);
    for (const word of [...(setting.takes ?? []), setting.alias ?? ''])
      assert.ok(takes.includes(word), `the row of ${setting.name} does not say ${word}`);
  }
});

interface ClientSetting {
  name: string;
  alias?: string;
  default?: string;
  takes?: readonly string[];
  secret?: true;
}

test('every setting without effect is in docs/configuration.md', () => {
  none(
    WITHOUT_EFFECT.filter((name) => !configuration.includes(`\`${name}\``)),
    'Not documented:',
  );
});

test('every option of serve is in docs/configuration.md', () => {
  const flags = Object.keys(serve.definition.args).map((flag) => `--${flag}`);
  none(
    flags.filter((flag) => !rowOf(configuration, flag)),
    'Not documented:',
  );
});

test('docs/commands.md is the help of the commands', async () => {
  assert.equal(read('docs/commands.md'), await referenceOf(), 'npm run commands writes it anew');
});

test('every route has a section in docs/api.md, and every such section a route', () => {
  const routes = ROUTES.map(({ method, path }) => `${method} ${documented(path)}`);
  const sections = [...api.matchAll(/^## `([A-Z]+ .+)`$/gm)].map(([, route]) => String(route));
  assert.deepEqual(sections.sort(), routes.sort());
});

test('every parameter of the list is in docs/api.md', () => {
  const section = sectionOf(api, '`GET /api/v1/runs`');
  none(
    LIST_PARAMETERS.filter((name) => !rowOf(section, name)),
    'Not documented:',
  );
});

test('every field of a run is in docs/api.md with its kind, its default, whether PATCH takes it, and its meaning', () => {
  const section = sectionOf(api, 'Fields');
  const meanings = sectionOf(api, 'Meanings');
  for (const { name, kind, required, default: fallback, patch } of FIELDS) {
    const value = kind === 'boolean' ? 'false' : fallback;
    const shown = value === undefined || fallback === undefined ? '' : value === 'now' ? 'its arrival' : `\`${value}\``;
    const cells = [kind, required ? 'yes' : '', shown, patch ? 'yes' : ''];
    assert.deepEqual(rowOf(section, name), cells, `the row of ${name} in docs/api.md`);
    assert.deepEqual(rowOf(meanings, name), [MEANINGS[name as keyof typeof MEANINGS]], `the meaning of ${name}`);
  }
});

test('every kind of value and every name of a status is in docs/api.md', () => {
  const kinds = sectionOf(api, 'Fields').split('| Kind ').at(-1) ?? '';
  none(
    Object.keys(KINDS).filter((kind) => !rowOf(kinds, kind)),
    'Kinds not documented:',
  );
  const section = sectionOf(api, 'Status');
  none(
    STATUS_NAMES.filter((name) => !section.includes(`\`${name}\``)),
    'Statuses not documented:',
  );
});

/** The longest text that is the same in every message of a call such as log.info(`…${x}…`). */
function messagesIn(path: string): string[] {
  const messages: string[] = [];
  const visit = (node: ts.Node): void => {
    if (
      ts.isCallExpression(node) &&
      /\b((log|notes)\.(debug|info|warning|error)|warnings\.push)$/.test(node.expression.getText())
    ) {
      const words = node.arguments[0] ? [...textsOf(node.arguments[0])] : [];
      const longest = words.sort((a, b) => b.length - a.length)[0];
      if (longest !== undefined) messages.push(longest.trim());
    }
    node.forEachChild(visit);
  };
  visit(ts.createSourceFile(path, read(path), ts.ScriptTarget.Latest, true));
  return messages;
}

function* textsOf(node: ts.Expression): Generator<string> {
  if (ts.isStringLiteralLike(node)) yield node.text;
  if (ts.isTemplateExpression(node)) yield* [node.head.text, ...node.templateSpans.map(({ literal }) => literal.text)];
  if (ts.isBinaryExpression(node)) yield* textsOf(node.left);
}

test('every message of the log is in docs/logs.md', () => {
  const messages = globSync('src/**/*.ts', { cwd: ROOT }).flatMap(messagesIn);
  assert.ok(messages.includes('Query executed'), `only these were found: ${messages.join(', ')}`);
  const text = logs.replaceAll(/\s+/g, ' ');
  none(
    messages.filter((message) => !text.includes(beginning(message))),
    'Not documented:',
  );
});

// Warnings are sentences with advice; their first clause is enough.
const beginning = (message: string): string => message.split(/[;:(]|, | and /)[0]?.trim() ?? message;

test('every TELEMETRY_ name in the documentation is one that the code knows', () => {
  const names = [...SETTINGS, ...CLIENT_SETTINGS].map(({ name }) => name);
  const known = new Set<string>([...names, ...WITHOUT_EFFECT, ...OTHERS]);
  for (const { name, secret } of [
    ...(SETTINGS as readonly Setting[]),
    ...(CLIENT_SETTINGS as readonly ClientSetting[]),
  ])
    if (secret) known.add(`${name}_FILE`);
  const unknown = documents.flatMap((path) =>
    [...new Set(read(path).match(/\bTELEMETRY_[A-Z_]+\b/g))]
      .filter((name) => !known.has(name) && !(name.endsWith('_') && [...known].some((one) => one.startsWith(name))))
      .map((name) => `${path}: ${name}`),
  );
  none(unknown, 'The code knows nothing of:');
});

test('every npm command in the documentation exists', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const missing = documents.flatMap((path) =>
    [...read(path).matchAll(/\bnpm run ([\w:-]+)/g)]
      .filter(([, name]) => !scripts[String(name)])
      .map(([command]) => `${path}: ${command}`),
  );
  none(missing, 'Not in package.json:');
});

/** A heading's address, the way the common forges make it. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(' ', '-');

test('every relative link leads to a file, and to a heading where it names one', () => {
  const broken: string[] = [];
  for (const path of documents) {
    for (const [, link = ''] of read(path).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(link)) continue;
      const [file, anchor] = link.split('#');
      const target = file ? join(dirname(path), file) : path;
      const headings = existsSync(join(ROOT, target)) && anchor ? [...read(target).matchAll(/^#+ (.+)$/gm)] : [];
      const there =
        existsSync(join(ROOT, target)) && (!anchor || headings.some(([, text]) => anchorOf(String(text)) === anchor));
      if (!there) broken.push(`${path}: ${link}`);
    }
  }
  none(broken, 'Links that lead nowhere:');
});

test('the architecture fits on 150 lines', () => {
  const lines = read('ARCHITECTURE.md').trimEnd().split('\n').length;
  assert.ok(lines <= 150, `ARCHITECTURE.md has ${lines} lines`);
});
