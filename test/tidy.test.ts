/** The rules of this code base, held as tests. Each says what is wrong where; CONTRIBUTING.md says why. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import ts from 'typescript';
import { none, ROOT } from './support/documents.ts';

const MAX_FILE = 300;
const MAX_MEDIAN = 100;
const MAX_FUNCTION = 70;

interface Import {
  /** Path from the root, or a package's name. */
  to: string;
  /** Only types are taken: gone at run time. */
  typesOnly: boolean;
  names: string[];
}

interface Source {
  path: string;
  text: string;
  tree: ts.SourceFile;
  imports: Import[];
}

interface Rule {
  why: string;
  from: RegExp;
  except?: RegExp;
  /** What may be imported out of src; all of src where it is missing. */
  only?: RegExp;
  /** What may be imported as types beside it. */
  types?: RegExp;
  /** What may not be imported, packages included. */
  never?: RegExp;
}

const RULES: readonly Rule[] = [
  {
    why: 'The front end sees handles, the record and the errors; how things are stored is not its business.',
    from: /^src\/http\//,
    only: /^src\/(http\/|run\.ts|run\/|errors\.ts|histogram\.ts|actors\/\w+\/handle\.ts)/,
    types: /^src\/(actors\/protocol|config|log)\.ts/,
  },
  {
    why: 'The record is pure: clients and tools use it without the server.',
    from: /^src\/run(\.ts|\/)/,
    only: /^src\/run(\.ts|\/)/,
    types: /^src\/errors\.ts/,
    never: /^node:|sqlite|polka|piscina|comlink/,
  },
  { why: 'Everything imports the errors, so they import nothing.', from: /^src\/errors\.ts/, only: /^$/ },
  {
    why: 'Configuration is read before anything else is there.',
    from: /^src\/config(\.ts|\/)/,
    only: /^src\/(config\.ts|config\/|errors\.ts)/,
  },
  {
    why: 'Actors work without the front end, and are given their configuration and log.',
    from: /^src\/actors\//,
    only: /^src\/(actors\/|run\.ts|run\/|errors\.ts|directory\.ts|histogram\.ts)/,
    types: /^src\/(config|log)\.ts/,
  },
  { why: 'Readers cannot write.', from: /^src\/actors\/readers\//, never: /^src\/actors\/writer\// },
  {
    why: 'Writer and readers meet in the protocol only.',
    from: /^src\/actors\/writer\//,
    never: /^src\/actors\/readers\//,
  },
  {
    why: 'Only actors, their handles and the adapter know threads; all else is tested without one.',
    from: /^src\//,
    except: /\/(actor|handle|thread)\.ts$/,
    never: /^(node:worker_threads|piscina|comlink)/,
  },
  {
    why: 'A second way to open a database file drops the locks of the first.',
    from: /^src\//,
    except: /^src\/(actors\/(database|writer\/lock|writer\/inspect|writer\/older\/open)|offline\/open)\.ts$/,
    never: /^(better-sqlite3|node:sqlite)/,
  },
  {
    why: 'What is done to a file that nobody has open needs neither front end nor command line.',
    from: /^src\/offline\//,
    only: /^src\/(offline\/|actors\/|run\.ts|run\/|errors\.ts|directory\.ts)/,
    types: /^src\/(config|log)\.ts/,
  },
  {
    why: 'The command line is the outermost room.',
    from: /^src\//,
    except: /^src\/(cli\/|main\.ts)/,
    never: /^src\/cli\//,
  },
  {
    why: 'One wiring point.',
    from: /^src\//,
    except: /^src\/(embedded|cli\/[\w-]+)\.ts$/,
    never: /^src\/platform\.ts/,
  },
  {
    why: 'The client goes into every agent: nothing of the server, nothing native, no thread.',
    from: /^src\/client\//,
    only: /^src\/(client\/|run\.ts|run\/|directory\.ts)/,
    never: /^(node:worker_threads|node:sqlite|better-sqlite3|piscina|comlink|polka|env-schema|sonic-boom|async-mutex)/,
  },
];

const sources = globSync('{src,test,bench,examples,scripts}/**/*.{ts,js,mjs}', { cwd: ROOT }).sort().map(read);
const server = sources.filter(({ path }) => path.startsWith('src/'));

function read(path: string): Source {
  const text = readFileSync(join(ROOT, path), 'utf8');
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  return { path, text, tree, imports: tree.statements.flatMap((statement) => importOf(path, statement)) };
}

function importOf(path: string, statement: ts.Statement): Import[] {
  if (!ts.isImportDeclaration(statement) && !ts.isExportDeclaration(statement)) return [];
  const specifier = statement.moduleSpecifier;
  if (!specifier || !ts.isStringLiteral(specifier)) return [];
  const to = specifier.text.startsWith('.') ? normalize(join(dirname(path), specifier.text)) : specifier.text;
  const clause = ts.isImportDeclaration(statement) ? statement.importClause : statement;
  const bindings = ts.isImportDeclaration(statement) ? statement.importClause?.namedBindings : statement.exportClause;
  const elements =
    bindings && (ts.isNamedImports(bindings) || ts.isNamedExports(bindings)) ? [...bindings.elements] : [];
  const hasDefault = ts.isImportDeclaration(statement) && statement.importClause?.name !== undefined;
  const allTypes = elements.length > 0 && !hasDefault && elements.every((element) => element.isTypeOnly);
  const names = elements.map((element) => (element.propertyName ?? element.name).text);
  return [{ to, typesOnly: (clause?.isTypeOnly ?? false) || allTypes, names }];
}

function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  node.forEachChild((child) => walk(child, visit));
}

const linesOf = ({ text }: Source): number => text.trimEnd().split('\n').length;

function placeOf({ path, tree }: Source, node: ts.Node): string {
  return `${path}:${tree.getLineAndCharacterOfPosition(node.getStart(tree)).line + 1}`;
}

function broken({ from, except, only, types, never }: Rule): string[] {
  const concerned = server.filter(({ path }) => from.test(path) && !except?.test(path));
  return concerned.flatMap(({ path, imports }) =>
    imports
      .filter(({ to, typesOnly }) => {
        if (never?.test(to) && !typesOnly) return true;
        if (only === undefined || !to.startsWith('src/') || only.test(to)) return false;
        return !(typesOnly && types?.test(to));
      })
      .map(({ to }) => `${path} imports ${to}`),
  );
}

/** The chains of imports that lead back to where they began, shown once each. */
function cycles(graph: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (node: string, trail: readonly string[]): void => {
    const at = trail.indexOf(node);
    if (at !== -1) found.push([...trail.slice(at), node].join(' -> '));
    if (at !== -1 || done.has(node)) return;
    for (const next of graph.get(node) ?? []) visit(next, [...trail, node]);
    done.add(node);
  };
  for (const node of graph.keys()) visit(node, []);
  return found;
}

function graphOf(nameOf: (path: string) => string, counts: (found: Import) => boolean): Map<string, Set<string>> {
  const graph = new Map<string, Set<string>>();
  for (const { path, imports } of server) {
    const edges = graph.get(nameOf(path)) ?? new Set();
    graph.set(nameOf(path), edges);
    for (const found of imports) {
      if (!found.to.startsWith('src/') || !counts(found)) continue;
      if (nameOf(found.to) !== nameOf(path)) edges.add(nameOf(found.to));
    }
  }
  return graph;
}

/** src/http, src/actors/writer; a file and the folder of its name are one room. */
const roomOf = (path: string): string => (/^src\/(actors\/\w+(?=\/)|\w+)/.exec(path) ?? [path])[0];

test('no file is longer than 300 lines', () => {
  const long = sources
    .filter((source) => linesOf(source) > MAX_FILE)
    .map((source) => `${source.path}: ${linesOf(source)}`);
  none(long, `Files over ${MAX_FILE} lines; give each room of the file a file of its own:`);
});

test('half the files of src have at most 100 lines', () => {
  assert.ok(server.length > 20, `only ${server.length} files were found`);
  const median = server.map(linesOf).sort((a, b) => a - b)[Math.floor(server.length / 2)] ?? 0;
  assert.ok(median <= MAX_MEDIAN, `The median is ${median} lines`);
});

test('no function is longer than 70 lines', () => {
  const long: string[] = [];
  for (const source of sources) {
    walk(source.tree, (node) => {
      if (!ts.isFunctionLike(node) || !('body' in node) || node.body === undefined) return;
      const lineAt = (position: number): number => source.tree.getLineAndCharacterOfPosition(position).line;
      const lines = lineAt(node.end) - lineAt(node.getStart(source.tree)) + 1;
      if (lines > MAX_FUNCTION) long.push(`${placeOf(source, node)}: ${lines}`);
    });
  }
  none(long, `Functions over ${MAX_FUNCTION} lines:`);
});

for (const rule of RULES) {
  test(`imports hold to the rule: ${rule.why}`, () => none(broken(rule), rule.why));
}

test('only a URL names an actor.ts, for to import one is to run it in the wrong thread', () => {
  const wrong = sources.flatMap(({ path, imports }) =>
    imports
      .filter(({ to, typesOnly }) => to.endsWith('/actor.ts') && !typesOnly)
      .map(({ to }) => `${path} imports ${to}`),
  );
  none(wrong, 'Import types only, or start it by actorBeside(import.meta.url) of actors/thread.ts:');
});

test('only the session of the writer opens a database for writing', () => {
  const wrong = server
    .filter(
      ({ path, imports }) =>
        !path.endsWith('writer/session.ts') && imports.some(({ names }) => names.includes('openWritable')),
    )
    .map(({ path }) => path);
  none(wrong, 'Files that import openWritable:');
});

test('only the configuration reads process.env, and who starts it hands it over', () => {
  const wrong = server.filter(
    ({ path, text }) =>
      !/^src\/(config|main|embedded|client\/config|client\/git)\.ts$/.test(path) &&
      /process\.env\b|\benv\b.*\} = process\b/.test(text),
  );
  none(
    wrong.map(({ path }) => path),
    'Take what you need from the Config object:',
  );
});

test('no two rooms of src import each other, not even in a circle', () => {
  none(cycles(graphOf(roomOf, () => true)), 'Circles between rooms:');
});

test('no files import each other in a circle', () => {
  none(
    cycles(
      graphOf(
        (path) => path,
        ({ typesOnly }) => !typesOnly,
      ),
    ),
    'Circles between files:',
  );
});

test('nothing is left for later in a comment', () => {
  // Written so that it does not find itself.
  const mark = /\b(TO{1}DO|FIX{1}ME)\b/;
  none(
    sources.filter(({ text }) => mark.test(text)).map(({ path }) => path),
    'Do it, or open an issue:',
  );
});

test('types can be stripped: there is no enum and no namespace', () => {
  const wrong: string[] = [];
  for (const source of sources) {
    walk(source.tree, (node) => {
      if (ts.isEnumDeclaration(node) || ts.isModuleDeclaration(node)) wrong.push(placeOf(source, node));
    });
  }
  none(wrong, 'Use a union of literals, or a module:');
});
