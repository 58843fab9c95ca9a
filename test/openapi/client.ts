/**
 * Generates a client from the document of a running service, lets the compiler check what uses it, and uses it.
 *
 *   npm run test:openapi
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createClient } from '@hey-api/openapi-ts';
import ts from 'typescript';
import { localEnvironment, type ServiceProcess, spawnService } from '../support/service.ts';
import { RIGHT, WRONG } from './snippets.ts';

const TIME_LIMIT_MS = 120_000;
const TOKEN = 'correct-horse-battery-staple';

const strict: ts.CompilerOptions = {
  strict: true,
  noUncheckedIndexedAccess: true,
  noEmit: true,
  skipLibCheck: false,
  target: ts.ScriptTarget.ES2024,
  lib: ['lib.es2024.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  allowImportingTsExtensions: true,
  types: [],
};

/** What the compiler says of some files, a line each, by the file's name. */
function complaintsAbout(folder: string, names: readonly string[]): Map<string, string[]> {
  const program = ts.createProgram(
    names.map((name) => join(folder, name)),
    strict,
  );
  const complaints = new Map<string, string[]>(names.map((name) => [name, []]));
  for (const { file, messageText } of ts.getPreEmitDiagnostics(program)) {
    const name = names.find((one) => file?.fileName.endsWith(`/${one}`)) ?? String(file?.fileName);
    complaints.set(name, [...(complaints.get(name) ?? []), ts.flattenDiagnosticMessageText(messageText, ' ')]);
  }
  return complaints;
}

async function generate(service: ServiceProcess, folder: string): Promise<void> {
  const { body } = await service.request('GET', '/openapi.json');
  await createClient({
    input: body as Record<string, unknown>,
    output: { path: join(folder, 'client'), module: { extension: '.ts' } },
    logs: { level: 'silent', file: false },
  });
}

/** The program of the right snippet, run against the service. */
async function use(service: ServiceProcess, folder: string): Promise<void> {
  const { main } = (await import(pathToFileURL(join(folder, 'right.ts')).href)) as {
    main: (url: string, token: string) => Promise<unknown>;
  };
  assert.deepEqual(await main(service.url, TOKEN), {
    created: 'created',
    status: 'success',
    changed: ['status'],
    listed: 1,
    refused: ['run_id', 'start_time', 'agent_name', 'job_type'],
    withoutToken: 401,
  });
}

async function check(name: string, work: () => void | Promise<void>): Promise<boolean> {
  try {
    await work();
    process.stdout.write(`ok      ${name}\n`);
    return true;
  } catch (error) {
    process.stdout.write(`FAILED  ${name}\n${error instanceof Error ? error.message : String(error)}\n`);
    return false;
  }
}

async function checks(service: ServiceProcess, folder: string): Promise<boolean> {
  const generated = await check('a client is generated from the document', () => generate(service, folder));
  if (!generated) return false;
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  writeFileSync(join(folder, 'right.ts'), RIGHT);
  const wrong = Object.entries(WRONG).map(([what, text], index) => ({ what, text, name: `wrong-${index}.ts` }));
  for (const { name, text } of wrong) writeFileSync(join(folder, name), text);
  const complaints = complaintsAbout(folder, ['right.ts', ...wrong.map(({ name }) => name)]);
  const results = [
    await check('it compiles, and so does what uses it rightly', () => {
      const others = [...complaints].filter(([name]) => !name.startsWith('wrong-'));
      assert.deepEqual(others, [['right.ts', []]]);
    }),
  ];
  for (const { what, name } of wrong) {
    results.push(
      await check(`the compiler refuses ${what}`, () => {
        assert.equal(complaints.get(name)?.length, 1, complaints.get(name)?.join('\n'));
      }),
    );
  }
  results.push(await check('it works against the service', () => use(service, folder)));
  return results.every(Boolean);
}

const folder = mkdtempSync(join(tmpdir(), 'telemetry-openapi-'));
const timer = setTimeout(() => {
  process.stdout.write(`FAILED  not done within ${TIME_LIMIT_MS / 1000} s\n`);
  process.exit(1);
}, TIME_LIMIT_MS);
const service = await spawnService({
  ...localEnvironment(folder),
  TELEMETRY_API_AUTH_ENABLED: 'true',
  TELEMETRY_API_AUTH_TOKEN: TOKEN,
});
try {
  process.exitCode = (await checks(service, folder)) ? 0 : 1;
} finally {
  clearTimeout(timer);
  service.child.kill();
  await service.exited;
  rmSync(folder, { recursive: true, force: true });
}
