/** `run`: records any command as a run. It goes before every job, so it loads the client and nothing else. */
import { basename } from 'node:path';
import { within } from '../client/exit.ts';
import { type StartFields, TelemetryClient } from '../client/index.ts';
import { command } from './command.ts';
import { UsageError } from './exit.ts';
import { wholeNumber } from './numbers.ts';
import { type CommandEnd, runToItsEnd } from './run/command.ts';
import { catchSignals } from './run/signals.ts';
import type { Terminal } from './terminal.ts';

/** What the last delivery is given once the command has ended; what is left then waits on disk. */
const DELIVERY_MS = 800;
/** The client keeps 100,000 characters of a text. */
const MAX_TAIL = 65_536;
/** Tells the command which run it is. */
const RUN_ID = 'TELEMETRY_RUN_ID';

const text = (valueHint: string, description: string) => ({ type: 'string', valueHint, description }) as const;

/** Options that are fields of the run, under their names. */
const FIELDS = {
  'run-id': text('id', 'A name for this run; one is made without it'),
  'parent-run-id': text('id', `The run it belongs to, instead of ${RUN_ID}`),
  'agent-owner': text('name', 'Who answers for the agent, instead of AGENT_OWNER'),
  'trigger-type': text('type', 'What started it, such as cron; cli without it'),
  environment: text('name', 'Where it runs, such as production'),
  product: text('name', 'The product it works on'),
  'product-family': text('name', 'The family of that product'),
  platform: text('name', 'The platform it works for'),
  website: text('name', 'The website it works on'),
  'website-section': text('name', 'The section of that website'),
  subdomain: text('name', 'The subdomain of that website'),
  'item-name': text('name', 'The thing it works on'),
  'source-ref': text('reference', 'What it reads'),
  'target-ref': text('reference', 'What it writes'),
  'insight-id': text('id', 'The insight it follows up'),
} as const;

export default command({
  name: 'run',
  summary: 'Run a command and record it as a run',
  details:
    'The command has our stdin and stdout; its stderr goes through a pipe, unchanged. Its exit code comes back: 128 and the\n' +
    'number of a signal that ended it, 127 where it is not found, 126 where it cannot be started. Nothing of telemetry\n' +
    'changes its fate: with no service the run waits on disk, and with one that hangs the end comes within a second.\n' +
    'A run that succeeds is a success, any other a failure, with the end of its stderr. Arguments may hold secrets: only\n' +
    `their number is recorded. The command finds its run's id in ${RUN_ID}; a run within it becomes its child.\n` +
    'It ends with the command: what the command leaves in the background is not waited for, keeps its stderr, and is not\n' +
    'recorded; a process of its own, cat, copies what it says there from then on. Where there is no sh or no cat, its\n' +
    'stderr is closed.\n' +
    'SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGUSR1 and SIGUSR2 are handed on, SIGINT and SIGQUIT not where a terminal has sent\n' +
    'them to both. To let a command outlive its terminal, write nohup behind the --. If run itself is killed, its run\n' +
    'stays running. A real-time signal (34 to 64) that ends the command cannot be told from exit code 0, for Node does not\n' +
    'say; a command that may end so is better run by a shell: run -- sh -c \'"$@"; exit $?\' sh command arguments….\n' +
    'Settings are those of clients: from the environment, not from .env.',
  args: {
    'agent-name': text('name', "The agent; the program's name without it"),
    'job-type': text('type', 'The job; command without it'),
    ...FIELDS,
    'record-arguments': { type: 'boolean', description: 'Record the whole command line, secrets in it too' },
    'stderr-tail': text(
      'bytes',
      `How much of the end of stderr to keep, 0 to ${MAX_TAIL}; 8192 without it. 0 leaves stderr alone`,
    ),
    quiet: { type: 'boolean', description: 'Keep warnings about telemetry to ourselves' },
  },
  rest: 'command arguments…',
  examples: [
    ['run -- ./nightly.sh', 'before a job of cron: its agent is nightly.sh, its job type command'],
    ['run --agent-name backup --job-type nightly --trigger-type cron -- rsync -a /srv /mnt/backup', 'with names'],
    ["run --quiet --stderr-tail 0 -- sh -c 'make && make install'", 'several commands, their stderr left alone'],
  ],
  exits: {
    0: 'the command succeeded',
    1: 'or any other number: what the command ended with',
    2: "this command line is wrong, or the command's own",
    126: 'the command cannot be started',
    127: 'the command is not found',
    128: 'and more: a signal ended the command; 128 and its number',
  },
  run,
});

async function run(args: Readonly<Record<string, unknown>>, terminal: Terminal, words: string[]): Promise<number> {
  const [program] = words;
  if (!program) throw new UsageError('There is no command to run; write it behind --, such as: run -- ./nightly.sh');
  const tailBytes = tailOf(args['stderr-tail']);
  const warnings = new Warnings(args.quiet === true ? () => undefined : (line) => terminal.note(line));
  const handTo = catchSignals();
  const client = new TelemetryClient({ onWarning: (message) => warnings.add(message) });
  const agentName = said(args['agent-name']) ?? basename(program);
  const context = contextOf(words, args['record-arguments'] === true);
  const fields = { ...fieldsOf(args, terminal), context_json: context };
  const runId = client.startRun(agentName, said(args['job-type']) ?? 'command', fields);
  warnings.hold();
  const environment = { ...terminal.environment, [RUN_ID]: runId };
  const end = await runToItsEnd(words, { environment, tailBytes, started: handTo });
  if (end.notStarted !== undefined) terminal.note(`local-telemetry: ${end.notStarted}`);
  record(client, runId, end, context);
  await within(DELIVERY_MS, client.close(), undefined);
  warnings.release();
  return end.code;
}

function record(client: TelemetryClient, runId: string, end: CommandEnd, context: object): void {
  const { code, signal, notStarted, stderr } = end;
  const context_json = { ...context, exit_code: code, ...(signal && { signal }) };
  if (code === 0) return client.endRun(runId, 'success', { context_json });
  const error_summary = notStarted ?? (signal ? `killed by ${signal}` : `exit code ${code}`);
  client.endRun(runId, 'failure', { context_json, error_summary, error_details: stderr.trimEnd() || undefined });
}

function contextOf(words: readonly string[], whole: boolean): object {
  const program = basename(words[0] ?? '');
  return { program, arguments: words.length - 1, ...(whole && { command: words }), cwd: workingDirectory() };
}

/** Undefined where it was removed: the command may do without. */
function workingDirectory(): string | undefined {
  try {
    return process.cwd();
  } catch {
    return undefined;
  }
}

function fieldsOf(args: Readonly<Record<string, unknown>>, { environment }: Terminal): StartFields {
  const given = Object.keys(FIELDS).map((option) => [option.replaceAll('-', '_'), args[option]]);
  const fields = Object.fromEntries(given.filter(([, value]) => value !== undefined)) as StartFields;
  return { parent_run_id: environment[RUN_ID] || undefined, ...fields };
}

const said = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

const tailOf = (given: unknown): number =>
  typeof given === 'string' ? wholeNumber('stderr-tail', given, 0, MAX_TAIL) : 8192;

/** Warnings of the client, which keep silent while the command speaks: they must not get into its lines. */
class Warnings {
  readonly #show: (line: string) => void;
  #held: string[] | undefined;

  constructor(show: (line: string) => void) {
    this.#show = show;
  }

  /** The client bounds their number. */
  add(message: string): void {
    if (this.#held) this.#held.push(message);
    else this.#show(message);
  }

  hold(): void {
    this.#held = [];
  }

  release(): void {
    for (const message of this.#held?.splice(0) ?? []) this.#show(message);
    this.#held = undefined;
  }
}
