/** `restore`: a backup takes the place of the database, which is kept beside it. */
import { resolve } from 'node:path';
import { bytesOf, count } from '../offline/figures.ts';
import { SCHEMA_VERSION } from '../run.ts';
import { command } from './command.ts';
import { configOf, DATABASE, JSON_OUTPUT } from './options.ts';
import type { Terminal } from './terminal.ts';

export default command({
  name: 'restore',
  summary: 'Put a backup in the place of the database, which is kept',
  details:
    'The service must be stopped. The backup is copied and checked before anything changes; it stays where it is. The old\n' +
    'database is kept as <database>.replaced-<time>, and nothing is ever deleted. Killed midway, run it again.',
  args: {
    file: {
      type: 'positional',
      required: true,
      valueHint: 'FILE',
      description: 'The backup, as local-telemetry backup makes it',
    },
    ...DATABASE,
    ...JSON_OUTPUT,
  },
  examples: [
    ['restore ~/.telemetry/db/backups/telemetry-20260110T120000Z.sqlite', 'this backup is the database from now on'],
    ['restore before-upgrade.sqlite --db /var/lib/telemetry/telemetry.sqlite', 'as the database at this path'],
  ],
  run: restoreFile,
});

interface Arguments {
  file: string;
  db?: string | undefined;
  json?: boolean | undefined;
}

async function restoreFile(args: Arguments, terminal: Terminal): Promise<number> {
  const { database } = configOf({ ...args }, terminal);
  const { restore } = await import('../offline/restore.ts');
  const { path, runs, bytes, schemaVersion, replaced } = restore(resolve(args.file), database);
  if (args.json) {
    terminal.json({ path, runs, bytes, schema_version: schemaVersion, replaced: replaced ?? null });
    return 0;
  }
  terminal.print(`${path} is now the backup ${args.file}: ${count(runs, 'run')}, ${bytesOf(bytes)}, checked`);
  if (replaced !== undefined)
    terminal.print(`The old database is ${replaced}; remove it when you do not need it any more.`);
  if (schemaVersion < SCHEMA_VERSION) {
    const version = schemaVersion === 0 ? 'an unrecorded schema version' : `schema version ${schemaVersion}`;
    terminal.print(`It has ${version}; the next start of the service migrates it to version ${SCHEMA_VERSION}.`);
  }
  terminal.print('Next:');
  terminal.print('1. Start the service. It brings in what waits in the spool.');
  terminal.print(
    '2. local-telemetry verify: where runs are missing that agents recorded, it names the files to import.',
  );
  terminal.print(
    '3. Import these; then run local-telemetry retention again, if you use it: import brings deleted runs back.',
  );
  return 0;
}
