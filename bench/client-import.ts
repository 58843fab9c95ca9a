/** What importing the client takes, in a fresh process: as TypeScript, as JavaScript, beside an empty module. */
import { execFile } from 'node:child_process';
import { globSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import ts from 'typescript';
import { median } from './support.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const MODULES = 'src/{client/**/*,run/**/*,run,errors,directory}.ts';
const TIMED =
  'const t = performance.now(); await import(process.argv[1]); process.stdout.write(String(performance.now() - t))';

export interface ImportTimes {
  name: string;
  /** Milliseconds of `import()`, and of the whole process. */
  importMs: number;
  processMs: number;
}

/** Medians of so many fresh processes each, which take turns. */
export async function importTimes(directory: string, rounds = 7): Promise<ImportTimes[]> {
  const variants = [
    { name: 'an empty module, JavaScript', path: written(join(directory, 'empty.mjs'), 'export {};\n') },
    { name: 'an empty module, TypeScript', path: written(join(directory, 'empty.mts'), 'export {};\n') },
    { name: 'the client, TypeScript', path: join(ROOT, 'src/client/index.ts') },
    { name: 'the client, JavaScript', path: join(transpiled(join(directory, 'javascript')), 'src/client/index.js') },
  ].map((variant) => ({ ...variant, importMs: [] as number[], processMs: [] as number[] }));
  for (let round = 0; round < rounds; round++) {
    for (const { path, importMs, processMs } of variants) {
      const started = performance.now();
      importMs.push(await importOnce(path));
      processMs.push(performance.now() - started);
    }
  }
  return variants.map(({ name, importMs, processMs }) => ({
    name,
    importMs: median(importMs),
    processMs: median(processMs),
  }));
}

async function importOnce(path: string): Promise<number> {
  const words = ['--input-type=module', '--eval', TIMED, pathToFileURL(path).href];
  const { stdout } = await promisify(execFile)(process.execPath, words);
  return Number(stdout);
}

function written(path: string, text: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

/** The client and the record as JavaScript, beside the same packages. @returns the folder */
function transpiled(directory: string): string {
  const compilerOptions: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2024,
    module: ts.ModuleKind.ESNext,
    rewriteRelativeImportExtensions: true,
    verbatimModuleSyntax: true,
  };
  for (const path of globSync(MODULES, { cwd: ROOT })) {
    const { outputText } = ts.transpileModule(readFileSync(join(ROOT, path), 'utf8'), { compilerOptions });
    written(join(directory, path.replace(/\.ts$/, '.js')), outputText);
  }
  written(join(directory, 'package.json'), '{"type":"module"}');
  symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
  return directory;
}
