/** What another program may write into the database: every type of SQLite in every column. */
import type { Random } from '../../crash/random.ts';
import { COLUMNS } from '../../../src/run.ts';
import { BASES, type Input } from '../input.ts';

const REPEATED = (text: string, times: number): string =>
  `replace(hex(zeroblob(${Math.ceil(times / 2)})), '0', '${text}')`;

/** Expressions of SQL. */
const ODD = [
  ...[
    'NULL',
    "''",
    "'text'",
    '0',
    '-1',
    '5.5',
    '1e308',
    '9e999',
    '-9e999',
    '9223372036854775807',
    '-9223372036854775808',
  ],
  ...["x''", "x'00'", "x'ff'", "x'7b7d'", "CAST(x'ff' AS TEXT)", "CAST(x'eda0bd' AS TEXT)", "CAST(x'c0af' AS TEXT)"],
  ...[
    'zeroblob(100000)',
    'CAST(zeroblob(1000) AS TEXT)',
    'char(0)',
    "'a' || char(0) || 'b'",
    'char(55357)',
    'char(8238, 155, 27, 127)',
  ],
  ...[
    "'2026-01-10'",
    "'yesterday'",
    "'2026-01-10T12:00:00Z'",
    "'9999-99-99T99:99:99.999999+00:00'",
    '1767225600',
    "'￿'",
  ],
  ...[
    "'{'",
    "'[]'",
    '\'{"a":NaN}\'',
    '\'{"o":"cut \\ud83d"}\'',
    'jsonb(\'{"a":1}\')',
    "'{a:1,}'",
    '\'{"a":1e999}\'',
    '\'"x"\'',
    "'null'",
  ],
  ...[
    "'git@build.7:team/site.git'",
    "'ssh://1.2.3.4.5/x'",
    "'https://[::1'",
    "'https://u:p@h/x'",
    "'success'",
    "'failed'",
    "'odd'",
  ],
  ...[
    REPEATED('/', 60_000),
    `'https://github.com/a' || ${REPEATED('/', 60_000)} || 'x'`,
    REPEATED('[', 5_000),
    REPEATED('x', 3_000_000),
  ],
  ...[
    `CAST(${REPEATED('é', 100_000)} AS BLOB)`,
    `'{"d":' || ${REPEATED('[', 3_000)} || ${REPEATED(']', 3_000)} || '}'`,
  ],
];
const ORDINARY: Readonly<Record<string, string>> = {
  run_id: "'run'",
  created_at: "'2026-01-10T12:00:00.000000+00:00'",
  updated_at: "'2026-01-10T12:00:00.000000+00:00'",
  start_time: "'2026-01-10T12:00:00.000000+00:00'",
  agent_name: "'foreign'",
  job_type: "'foreign'",
};

function aRow(random: Random, id: string): string {
  const values = new Map<string, string>([['event_id', `'${id}'`], ...Object.entries(ORDINARY)]);
  const everywhere = random.chance(0.1) ? random.pick(ODD) : undefined;
  if (everywhere !== undefined) for (const name of COLUMNS) values.set(name, everywhere);
  for (let times = random.between(1, 4); times > 0; times--) values.set(random.pick(COLUMNS), random.pick(ODD));
  if (random.chance(0.1)) values.set('defaulted', random.pick(ODD));
  if (random.chance(0.1)) values.set('repo_url', random.pick(ODD));
  if (random.chance(0.1)) values.set('commits_url', random.pick(ODD));
  if (random.chance(0.05))
    values.set('id', random.pick(['9223372036854775807', '-9223372036854775808', '-1', '0', '9007199254740993']));
  return `INSERT OR IGNORE INTO agent_runs (${[...values.keys()].join()}) VALUES (${[...values.values()].join()})`;
}

const base = (random: Random): string =>
  `(SELECT id FROM agent_runs WHERE event_id = 'base-${random.between(0, BASES - 1)}')`;

function beside(random: Random): string {
  const odd = (): string => random.pick(ODD);
  return random.pick([
    `INSERT OR REPLACE INTO run_clocks (id, clocks) VALUES (${base(random)}, ${odd()})`,
    `INSERT OR REPLACE INTO run_originals (id, reasons, original) VALUES (${base(random)}, ${odd()}, ${odd()})`,
    `INSERT OR IGNORE INTO rollup_runs (agent_name, job_type, status, runs) VALUES (${odd()}, ${odd()}, ${odd()}, ${odd()})`,
    `INSERT OR IGNORE INTO rollup_ever (agent_name, job_type, status, runs) VALUES (${odd()}, ${odd()}, ${odd()}, ${odd()})`,
    `INSERT OR IGNORE INTO rollup_hours (hour, runs) VALUES (${odd()}, ${odd()})`,
    `INSERT OR IGNORE INTO spool_files (name, inode, position, updated_at) VALUES (${odd()}, ${odd()}, ${odd()}, ${odd()})`,
    `UPDATE OR IGNORE agent_runs SET ${random.pick(COLUMNS.slice(1))} = ${odd()} WHERE event_id = 'base-${random.between(0, BASES - 1)}'`,
  ]);
}

export function rows(random: Random, id: string): Omit<Input, 'number' | 'kind'> {
  const statements = Array.from({ length: random.between(1, 5) }, (_, index) =>
    random.chance(0.75) ? aRow(random, `foreign-${id}-${index}`) : beside(random),
  );
  return {
    what: `rows by another program: ${statements.join('; ').slice(0, 2_000)}`,
    act: (world) => {
      for (const statement of statements) world.writeAsAnother(statement);
    },
  };
}
