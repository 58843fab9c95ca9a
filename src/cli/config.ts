/** `config`: every setting with its value in force, and where it comes from. */
import { examineConfig } from '../config.ts';
import { cut } from '../run/text.ts';
import { command } from './command.ts';
import { clientRows } from './config/client.ts';
import type { Row } from './config/row.ts';
import { serviceRows } from './config/service.ts';
import { warningsTogether } from './config/together.ts';
import { unknownSettings } from './config/unknown.ts';
import { EXIT } from './exit.ts';
import { JSON_OUTPUT } from './options.ts';
import type { Terminal } from './terminal.ts';

export default command({
  name: 'config',
  summary: 'Show the settings in force, and what is wrong with them',
  details:
    'Shows what the service would have if it started here, and what a client would; a service that runs already keeps\n' +
    'what it was started with. Secrets are masked. Warns where settings of the two do not go together, such as port and\n' +
    'address. Nothing is changed, and no database is opened. Exit 1 where the service would not start, or a client would\n' +
    'use a default instead of what is set.',
  args: {
    explain: { type: 'boolean', description: 'Say where each value comes from' },
    ...JSON_OUTPUT,
  },
  examples: [
    ['config', 'what holds here'],
    ['config --explain', 'and which variable, file or default it comes from'],
    ['config --json', 'for scripts'],
  ],
  run: show,
});

function show(args: Readonly<Record<string, unknown>>, terminal: Terminal): number {
  const { environment } = terminal;
  const { config, settings } = examineConfig(environment);
  const client = clientRows(environment, settings.dotenv);
  const service = serviceRows(config, settings);
  const unknown = unknownSettings([environment, settings.dotenv]);
  const shown = { environment, settings, config, service, client: client.rows };
  const warnings = [...config.warnings, ...warningsTogether(shown)];
  const problems = [...new Set([...settings.problems, ...client.problems])];
  if (args.json === true) {
    const told = ({ name, value, source }: Row): object => ({ name, value, ...(args.explain === true && { source }) });
    const { ignored: without_effect } = settings;
    const rows = { service: service.map(told), client: client.rows.map(told) };
    terminal.json({ ...rows, without_effect, unknown, warnings, problems });
  } else {
    print(terminal, 'Service', service, args.explain === true);
    print(terminal, 'Client', client.rows, args.explain === true);
    for (const warning of [...warnings, ...unknown])
      terminal.note(`${terminal.style('yellow', 'Warning:', 'stderr')} ${warning}`);
    for (const problem of problems) terminal.note(`${terminal.style('red', 'Problem:', 'stderr')} ${problem}`);
  }
  return problems.length > 0 ? EXIT.failed : EXIT.done;
}

function print(terminal: Terminal, title: string, rows: readonly Row[], explain: boolean): void {
  const shown = rows.map(
    ({ name, value, source }) => [name, value === null ? '(unset)' : String(value), source] as const,
  );
  const names = Math.max(...shown.map(([name]) => name.length));
  const values = Math.max(...shown.map(([, value]) => value.length));
  terminal.print(terminal.style('bold', title));
  for (const [name, value, source] of shown) {
    const line = `  ${name.padEnd(names)}  ${explain ? `${value.padEnd(values)}  ${source}` : value}`;
    terminal.print(cut(line, terminal.columns));
  }
  terminal.print();
}
