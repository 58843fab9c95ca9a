/** Reads a Dockerfile as far as ours goes; whatever it does not know is an error, so that the walk cannot pass by a line. */

export interface Instruction {
  /** Where it begins, from 1. */
  line: number;
  name: string;
  flags: Record<string, string>;
  /** What follows the flags. */
  text: string;
}

export interface Stage {
  name: string | undefined;
  base: string;
  instructions: Instruction[];
}

export interface Healthcheck {
  intervalMs: number;
  timeoutMs: number;
  startPeriodMs: number;
  retries: number;
  command: string[];
}

/** What of a stage is the image's configuration, not its files. */
export interface ImageConfig {
  env: Record<string, string>;
  user: string;
  directory: string;
  volumes: string[];
  ports: number[];
  stopSignal: string;
  entrypoint: string[];
  command: string[];
  healthcheck: Healthcheck | undefined;
  labels: Record<string, string>;
}

/** Instructions that change files; the walk carries them out. */
export const CHANGING = new Set(['RUN', 'COPY', 'WORKDIR']);

/** @throws Error naming the line that is not understood */
export function parseDockerfile(text: string): Stage[] {
  const stages: Stage[] = [];
  for (const instruction of instructionsOf(text)) {
    if (instruction.name === 'FROM') {
      const [, base = '', name] = /^(\S+)(?: AS (\S+))?$/.exec(instruction.text) ?? unknown(instruction);
      stages.push({ base, name, instructions: [] });
    } else (stages.at(-1) ?? unknown(instruction)).instructions.push(instruction);
  }
  return stages;
}

function instructionsOf(text: string): Instruction[] {
  const found: Instruction[] = [];
  let whole = '';
  let start = 0;
  for (const [index, line] of text.split('\n').entries()) {
    if (/^\s*(#|$)/.test(line)) continue;
    if (whole === '') start = index + 1;
    whole += line.replace(/\\$/, ' ').trimStart();
    if (line.endsWith('\\')) continue;
    found.push(instructionOf(whole, start));
    whole = '';
  }
  if (whole !== '') throw new Error(`Dockerfile:${start}: the last line continues`);
  return found;
}

function instructionOf(whole: string, line: number): Instruction {
  const [, name = '', rest = ''] = /^([A-Z]+)\s+(.*)$/.exec(whole) ?? [];
  const flags: Record<string, string> = {};
  let text = rest.trim();
  for (let flag = /^--([a-z-]+)=(\S+)\s+/.exec(text); flag; flag = /^--([a-z-]+)=(\S+)\s+/.exec(text)) {
    flags[flag[1] as string] = flag[2] as string;
    text = text.slice(flag[0].length);
  }
  return { line, name, flags, text };
}

/** @throws Error naming the line that is not understood */
export function configOf({ instructions }: Stage): ImageConfig {
  const config: ImageConfig = {
    ...{ env: {}, user: '0:0', directory: '/', volumes: [], ports: [], stopSignal: 'SIGTERM' },
    ...{ entrypoint: [], command: [], healthcheck: undefined, labels: {} },
  };
  const args: Record<string, string> = {};
  for (const instruction of instructions) {
    if (instruction.name === 'ARG') Object.assign(args, pairsOf(instruction, args));
    else configure(config, instruction, args);
  }
  return config;
}

function configure(config: ImageConfig, instruction: Instruction, args: Readonly<Record<string, string>>): void {
  const { name, text, flags } = instruction;
  const mayHave = { COPY: /^from$/, HEALTHCHECK: /^(interval|timeout|start-period|retries)$/ }[name];
  if (Object.keys(flags).some((flag) => !mayHave?.test(flag))) unknown(instruction);
  switch (name) {
    case 'RUN':
    case 'COPY':
      return;
    case 'WORKDIR':
      config.directory = text;
      return;
    case 'USER':
      config.user = text;
      return;
    case 'VOLUME':
      config.volumes.push(text);
      return;
    case 'EXPOSE':
      config.ports.push(Number(text));
      return;
    case 'STOPSIGNAL':
      config.stopSignal = text;
      return;
    case 'ENV':
      Object.assign(config.env, pairsOf(instruction, args));
      return;
    case 'LABEL':
      Object.assign(config.labels, pairsOf(instruction, args));
      return;
    case 'ENTRYPOINT':
      config.entrypoint = wordsOf(instruction, text);
      return;
    case 'CMD':
      config.command = wordsOf(instruction, text);
      return;
    case 'HEALTHCHECK':
      config.healthcheck = healthcheckOf(instruction);
      return;
    default:
      unknown(instruction);
  }
}

function healthcheckOf(instruction: Instruction): Healthcheck {
  const { flags, text } = instruction;
  const milliseconds = (flag: string): number =>
    Number((/^(\d+)s$/.exec(flags[flag] ?? '') ?? unknown(instruction))[1]) * 1_000;
  const [, command = ''] = /^CMD (.*)$/.exec(text) ?? unknown(instruction);
  return {
    intervalMs: milliseconds('interval'),
    timeoutMs: milliseconds('timeout'),
    startPeriodMs: milliseconds('start-period'),
    retries: Number(flags.retries),
    command: wordsOf(instruction, command),
  };
}

/** `NAME=value NAME="value"`; a value may name an ARG. */
function pairsOf(instruction: Instruction, args: Readonly<Record<string, string>>): Record<string, string> {
  const found: Record<string, string> = {};
  const rest = instruction.text.replaceAll(/([\w.]+)=(?:"([^"]*)"|(\S+))/g, (_, name: string, quoted, bare) => {
    found[name] = String(quoted ?? bare).replaceAll(
      /\$\{(\w+)\}/g,
      (_all, arg: string) => args[arg] ?? unknown(instruction),
    );
    return '';
  });
  return rest.trim() === '' ? found : unknown(instruction);
}

/** The exec form only: a shell in between would keep signals from the service. */
function wordsOf(instruction: Instruction, text: string): string[] {
  if (!/^\["[^\]]*"\]$/.test(text)) unknown(instruction);
  return JSON.parse(text) as string[];
}

function unknown({ line, name, text }: Instruction): never {
  throw new Error(`Dockerfile:${line}: not understood: ${name} ${text}`);
}
