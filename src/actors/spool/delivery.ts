/** A batch's way to the writer: patient with what passes, and quick to say what does not. */
import { setTimeout as pause } from 'node:timers/promises';
import { describe, type ErrorCode, TelemetryError } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import type { CommandName, CommandResult, Commands, Merged } from '../protocol.ts';
import type { SpoolBatch } from './protocol.ts';

/** The writer's face, as far as it is needed here. */
export interface Sender {
  send<N extends CommandName>(name: N, args: Commands[N]['args'], body: Uint8Array): Promise<CommandResult<N>>;
}

export interface DeliveryOptions {
  writer: Sender;
  log: Logger;
  maxRunBytes: number;
  /** Ends the waiting. */
  signal: AbortSignal;
  firstPauseMs?: number;
}

export type Delivered = { ok: true; result: Merged } | { ok: false; reason: string };

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

const PASSES: ReadonlySet<ErrorCode> = new Set(['busy', 'unavailable', 'full']);

export class Delivery {
  readonly #options: DeliveryOptions;

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  /**
   * Stores a batch. While the writer is busy or gone, or the disk is full, it waits, as long as it takes.
   * The position in the batch keeps what was stored without an answer from being stored again.
   *
   * @throws AbortError where the waiting was ended
   */
  async store({ name, inode, expected, to, digest, body }: SpoolBatch): Promise<Delivered> {
    const { writer, log, maxRunBytes, signal, firstPauseMs = FIRST_PAUSE_MS } = this.#options;
    const started = performance.now();
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      try {
        const result = await writer.send('merge', { name, inode, expected, to, digest, maxRunBytes }, body);
        if (pauseMs > firstPauseMs) {
          log.info('The spool goes on', { waited_ms: Math.round(performance.now() - started) });
        }
        return { ok: true, result };
      } catch (error) {
        if (!(error instanceof TelemetryError) || !PASSES.has(error.code))
          return { ok: false, reason: describe(error) };
        if (pauseMs === firstPauseMs) {
          log.warning('The spool waits for the writer', { error_code: error.code, error_message: error.message });
        }
        await pause(pauseMs, undefined, { signal, ref: false });
      }
    }
  }
}
