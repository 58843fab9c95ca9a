/** What the documentation names is there: commands, options, routes, metrics; and its JSON is JSON. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { COMMANDS } from '../../src/cli/commands.ts';
import { METRICS } from '../../src/http/prometheus/metrics.ts';
import { CONTROL_ROUTES, ROUTES } from '../../src/http/routes.ts';
import { documents, none, read } from '../support/documents.ts';
import { blocksOf } from './markdown.ts';

test('every document is linked from the README', () => {
  const readme = read('README.md');
  none(
    documents.filter((path) => path !== 'README.md' && !readme.includes(`](${path}`)),
    'Without a link:',
  );
});

/** Everything in a document that is code: its blocks, then what is between backticks. */
function codeOf(path: string): string[] {
  const text = read(path);
  const blocks = blocksOf(text);
  const prose = text.replaceAll(/^ *```[^]*?^ *```$/gm, '');
  return [...blocks.map((block) => block.text), ...[...prose.matchAll(/`([^`]+)`/g)].map(([, code]) => String(code))];
}

/** Options that every command has. */
const ALWAYS = ['help', 'version'];

test('every command line of local-telemetry in the documentation has a command and options that exist', async () => {
  const loaded = await Promise.all(
    Object.entries(COMMANDS).map(async ([name, load]) => {
      const { args } = (await load()).default.definition;
      const options = Object.keys(args).flatMap((option) => [option, `no-${option}`]);
      return [name, [...ALWAYS, ...options]] as const;
    }),
  );
  const known = new Map<string, readonly string[]>(loaded);
  const wrong: string[] = [];
  let seen = 0;
  for (const path of documents) {
    for (const code of codeOf(path)) {
      // What follows a pipe, a semicolon or -- is another command's.
      for (const [line, name = '', rest = ''] of code.matchAll(
        /(?<!-[ug] )\blocal-telemetry ([a-z]+)\b(?![.-])([^\n|;&>)`]*)/g,
      )) {
        seen++;
        const options = [...(rest.split(' -- ')[0] ?? '').matchAll(/ --([a-z-]+)/g)].map(([, option]) =>
          String(option),
        );
        const unknown = options.filter((option) => !known.get(name)?.includes(option));
        if (!known.has(name) || unknown.length > 0) wrong.push(`${path}: ${line.trim()}`);
      }
    }
  }
  assert.ok(seen > 100, `only ${seen} command lines were found`);
  none(wrong, 'The program has no such command or option:');
});

/** Whether a route of this method takes a path; a name in braces or a variable of the shell stands for anything. */
function isRoute(method: string, path: string): boolean {
  const said = path.replace(/[.,:]$/, '').split('/');
  return [...ROUTES, ...CONTROL_ROUTES].some((route) => {
    const parts = route.path.split('/');
    const fits = (part: string, at: number): boolean => part.startsWith(':') || part === said[at];
    return route.method === method && parts.length === said.length && parts.every(fits);
  });
}

test('every route that the documentation names, or asks by curl, exists', () => {
  const wrong: string[] = [];
  let seen = 0;
  const look = (path: string, method: string, route: string): void => {
    if (route.includes('…')) return;
    seen++;
    if (!isRoute(method, route)) wrong.push(`${path}: ${method} ${route}`);
  };
  for (const path of documents) {
    for (const code of codeOf(path)) {
      for (const [, method = '', route = ''] of code.matchAll(/\b(GET|POST|PATCH) (\/[^\s?"'`)]*)/g))
        look(path, method, route);
      for (const [line, before = '', route = '', after = ''] of code.matchAll(
        /\bcurl\b([^\n|]*?)https?:\/\/[^/\s'"]+(\/[^\s'"?`)]*)([^\n|]*)/g,
      )) {
        if (!/localhost|127\.0\.0\.1/.test(line)) continue;
        const method = /-X (\w+)/.exec(line)?.[1] ?? ((before + after).includes(' -d ') ? 'POST' : 'GET');
        look(path, method, route);
      }
    }
  }
  assert.ok(seen > 30, `only ${seen} were found`);
  none(wrong, 'There is no such route:');
});

test('every metric that the documentation names exists', () => {
  const names = METRICS.flatMap(({ name }) => [name, `${name}_bucket`, `${name}_sum`, `${name}_count`]);
  // OpenMetrics leaves the end of a counter away, and a pattern for several ends with an underscore.
  const exists = (said: string): boolean =>
    names.some((name) => name === said || name === `${said}_total` || (said.endsWith('_') && name.startsWith(said)));
  const said = documents.flatMap((path) =>
    [...new Set(read(path).match(/\blocal_telemetry_[a-z0-9_]+/g))].map((name) => ({ path, name })),
  );
  assert.ok(said.length > 20, `only ${said.length} were found`);
  none(
    said.filter(({ name }) => !exists(name)).map(({ path, name }) => `${path}: ${name}`),
    'There is no such metric:',
  );
});

test('every block of JSON in the documentation is JSON', () => {
  const wrong = documents.flatMap((path) =>
    blocksOf(read(path))
      .filter(({ language, text }) => language === 'json' && !parses(text))
      .map(({ line }) => `${path}:${line}`),
  );
  none(wrong, 'No JSON:');
});

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
