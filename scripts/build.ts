/**
 * Makes dist/ of src/, file by file in the same folders: JavaScript, the types of what the package exports, and all that is
 * no TypeScript as it is. Node does not strip types below node_modules, so a package must be JavaScript.
 */
import { copyFileSync, globSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const OUT = join(ROOT, 'dist');

/** How the build compiles. @throws Error where tsconfig.build.json cannot be read */
export function buildConfig(): ts.ParsedCommandLine {
  const path = join(ROOT, 'tsconfig.build.json');
  const host: ts.ParseConfigFileHost = {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: (diagnostic) => {
      throw new Error(textOf([diagnostic]));
    },
  };
  return ts.getParsedCommandLineOfConfigFile(path, undefined, host) as ts.ParsedCommandLine;
}

/** Files of src that are copied, relative to it: pages, style sheets and the like. */
export function filesToCopy(): string[] {
  const files = globSync('**/*', { cwd: join(ROOT, 'src') }).sort();
  return files.filter((path) => !path.endsWith('.ts') && statSync(join(ROOT, 'src', path)).isFile());
}

/** The type files that package.json exports, as they are named there. */
export function exportedTypes(): string[] {
  const text = readFileSync(join(ROOT, 'package.json'), 'utf8');
  const { exports } = JSON.parse(text) as { exports: Record<string, string | { types: string }> };
  return Object.values(exports).flatMap((target) => (typeof target === 'string' ? [] : [target.types]));
}

/**
 * Of compiled files, JavaScript and those type files that somebody who imports the package gets to see. The others would name
 * types of packages that only we have installed.
 *
 * @param files texts by path
 * @param entries paths of type files
 */
export function withoutHiddenTypes(
  files: ReadonlyMap<string, string>,
  entries: readonly string[],
): Map<string, string> {
  const seen = new Set<string>();
  const visit = (path: string): void => {
    const text = files.get(path);
    if (text === undefined || seen.has(path)) return;
    seen.add(path);
    for (const { fileName } of ts.preProcessFile(text).importedFiles) {
      if (fileName.startsWith('.')) visit(join(dirname(path), fileName.replace(/\.js$/, '.d.ts')));
    }
  };
  for (const entry of entries) visit(entry);
  return new Map([...files].filter(([path]) => !path.endsWith('.d.ts') || seen.has(path)));
}

/** Type files keep the endings of their sources; the compiler rewrites JavaScript only. */
export function withEndingsOfJavaScript(declarations: string): string {
  return declarations.replaceAll(/(\bfrom |\bimport\(|\bimport )(['"])(\.{1,2}\/[^'"]+)\.ts\2/g, '$1$2$3.js$2');
}

/** @throws Error with what the compiler says, where types do not hold */
function compiled(): Map<string, string> {
  const { fileNames, options } = buildConfig();
  const program = ts.createProgram(fileNames, options);
  const files = new Map<string, string>();
  const keep: ts.WriteFileCallback = (path, text) =>
    files.set(path, path.endsWith('.d.ts') ? withEndingsOfJavaScript(text) : text);
  const problems = ts.getPreEmitDiagnostics(program);
  if (problems.length > 0) throw new Error(textOf(problems));
  program.emit(undefined, keep);
  return files;
}

function textOf(diagnostics: readonly ts.Diagnostic[]): string {
  return ts.formatDiagnostics(diagnostics, {
    getCanonicalFileName: (path) => path,
    getCurrentDirectory: () => ROOT,
    getNewLine: () => '\n',
  });
}

/** Replaces dist/. @returns how many files it has */
export function build(): number {
  const entries = exportedTypes().map((path) => join(ROOT, path));
  const files = withoutHiddenTypes(compiled(), entries);
  const copies = filesToCopy();
  rmSync(OUT, { recursive: true, force: true });
  for (const [path, text] of files) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  for (const path of copies) {
    mkdirSync(dirname(join(OUT, path)), { recursive: true });
    copyFileSync(join(ROOT, 'src', path), join(OUT, path));
  }
  return files.size + copies.length;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    process.stdout.write(`dist/: ${build()} files\n`);
  } catch (error) {
    process.stderr.write(`The build failed.\n${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}
