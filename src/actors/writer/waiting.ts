/** Commands that wait for the writer, and the parcel they become. Pure. */
import type { TelemetryError } from '../../errors.ts';
import type { CommandName, CommandResult, Commands, Parcel } from '../protocol.ts';

export interface Waiting {
  name: CommandName;
  args: Commands[CommandName]['args'];
  body: Uint8Array;
  bytes: number;
  /** When it came, on the clock of performance.now(). */
  since: number;
  resolve: (result: CommandResult) => void;
  reject: (error: TelemetryError) => void;
}

const GONE = new Uint8Array();

/** Bodies in one buffer: one transfer a parcel, however many commands. What waits lets go of its own. */
export function pack(taken: readonly Waiting[]): Parcel {
  const bytes = new Uint8Array(taken.reduce((sum, waiting) => sum + waiting.bytes, 0));
  let start = 0;
  const commands = taken.map((waiting) => {
    const { name, args, body } = waiting;
    bytes.set(body, start);
    waiting.body = GONE;
    const command = { name, args, start, end: start + body.byteLength };
    start = command.end;
    return command as Parcel['commands'][number];
  });
  return { commands, bytes };
}
