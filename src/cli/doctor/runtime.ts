/** Whether this installation can run at all. */
import { readFileSync } from 'node:fs';
import { describe } from '../../errors.ts';
import { bad, type Check, ok } from '../../offline/check.ts';

const LEAST_NODE = 24;
const REINSTALL = 'Install the packages anew, on this very system: npm ci in a checkout, npm install elsewhere';

export function checkNode(version = process.versions.node): Check {
  if (Number.parseInt(version, 10) >= LEAST_NODE)
    return ok('node', `${version} on ${process.platform} ${process.arch}`);
  return bad('node', `${version} is too old`, `Install Node.js ${LEAST_NODE} or later`);
}

/** Loads every package the program needs; a native one may be for another system. */
export async function checkPackages(): Promise<Check> {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  const { dependencies } = JSON.parse(text) as { dependencies: Record<string, string> };
  const problems: string[] = [];
  for (const name of Object.keys(dependencies)) {
    try {
      await import(name);
    } catch (error) {
      problems.push(`${name}: ${describe(error).split('\n')[0]}`);
    }
  }
  const seen = `${Object.keys(dependencies).length} packages`;
  if (problems.length === 0) return ok('packages', `${seen}, all of them load`);
  return bad('packages', `${problems.length} of ${seen} do not load`, REINSTALL, problems);
}

const OF_INTEREST = /^(THREADSAFE|DEFAULT_SYNCHRONOUS|DEFAULT_WAL_SYNCHRONOUS|TEMP_STORE|ENABLE_STAT4|OMIT_WAL)/;

export async function checkSqlite(): Promise<Check> {
  try {
    const { openNowhere } = await import('../../offline/open.ts');
    const db = openNowhere();
    try {
      const version = db.prepare('SELECT sqlite_version()').pluck().get() as string;
      const options = db.prepare('SELECT compile_options FROM pragma_compile_options').pluck().all() as string[];
      const seen = `${version} (${options.filter((option) => OF_INTEREST.test(option)).join(', ')})`;
      if (!options.includes('THREADSAFE=0')) return ok('sqlite', seen);
      return bad('sqlite', `${seen} is not made for threads`, REINSTALL);
    } finally {
      db.close();
    }
  } catch (error) {
    return bad('sqlite', `cannot be loaded: ${describe(error).split('\n')[0]}`, REINSTALL);
  }
}
