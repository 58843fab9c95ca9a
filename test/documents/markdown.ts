/** What of a document can be run: its fenced blocks, and the commands in those of the shell. */

export interface Block {
  /** Of the fence, from 1. */
  line: number;
  language: string;
  /** Without the indentation of the fence. */
  text: string;
  /** Nothing but empty lines stand between it and the block before. */
  adjoins: boolean;
}

const FENCE = /^( *)```(\w*)[^`]*$/;

/** The fenced blocks of a document, in order. */
export function blocksOf(document: string): Block[] {
  const blocks: Block[] = [];
  let open: { block: Block; indent: string } | undefined;
  let adjoins = false;
  for (const [index, line] of document.split('\n').entries()) {
    const fence = FENCE.exec(line);
    if (open && line.trim() === '```') {
      blocks.push(open.block);
      open = undefined;
      adjoins = true;
    } else if (open) {
      open.block.text += `${line.startsWith(open.indent) ? line.slice(open.indent.length) : line}\n`;
    } else if (fence) {
      const [, indent = '', language = ''] = fence;
      open = { block: { line: index + 1, language, text: '', adjoins }, indent };
    } else if (line.trim() !== '') {
      adjoins = false;
    }
  }
  return blocks;
}

/** The file that a snippet says it is, in a comment on its first line: `// agent.ts`, `# report.py`. */
export const fileOf = ({ text }: Block): string | undefined => /^(?:\/\/|#) (\w+\.(?:ts|py))\n/.exec(text)?.[1];

/** The commands of a block of the shell, each whole: over several lines where a quote or a backslash goes on. */
export function commandsOf({ text }: Block): string[] {
  const commands: string[] = [];
  let command = '';
  for (const line of text.split('\n')) {
    command = command === '' ? line : `${command}\n${line}`;
    if (goesOn(command)) continue;
    if (withoutComment(command) !== '') commands.push(withoutComment(command));
    command = '';
  }
  if (command !== '') throw new Error(`A command does not end: ${command}. Close its quotes.`);
  return commands;
}

type Quote = '"' | "'" | undefined;

/** The quote that is open at the end of a command, and where its comment begins. */
function scan(command: string): { quote: Quote; comment: number | undefined } {
  let quote: Quote;
  for (let at = 0; at < command.length; at++) {
    const character = command[at];
    if (character === '\\' && quote !== "'") at++;
    else if (quote !== undefined) quote = character === quote ? undefined : quote;
    else if (character === '"' || character === "'") quote = character;
    else if (character === '#' && /^$|\s/.test(command[at - 1] ?? '')) return { quote, comment: at };
  }
  return { quote, comment: undefined };
}

function goesOn(command: string): boolean {
  const { quote, comment } = scan(command);
  return quote !== undefined || (comment === undefined && command.endsWith('\\'));
}

const withoutComment = (command: string): string => command.slice(0, scan(command).comment).trim();

/** Whether an output is the shown one; `…` in it stands for anything. JSON is compared as values. */
export function isShown(output: string, { language, text }: Block): boolean {
  if (language === 'json' && !text.includes('…')) {
    const inOrder = (value: string): string => JSON.stringify(JSON.parse(value));
    return inOrder(output) === inOrder(text);
  }
  const pattern = text
    .trim()
    .split('…')
    .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('.*');
  return new RegExp(`^${pattern}$`, 's').test(output.trim());
}
