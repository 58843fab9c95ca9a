/** A connection that sends bytes as they are, and pairs what comes back with what was asked. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { type Answer, takeAnswer, unanswered } from './answers.ts';

/** Bytes, a pause in milliseconds, the end of what we send, or that we read no more. */
export type Step = Buffer | number | 'end' | 'deaf';

export interface Exchange {
  steps: readonly Step[];
  /** Of each request in the steps. */
  methods: readonly string[];
  /** Milliseconds to wait for the answers, pauses between steps not counted. */
  patience: number;
}

export class Connection {
  readonly #socket: Socket;
  #received: Buffer[] = [];
  /** Bytes in `received`. */
  #held = 0;
  #arrived: () => void = () => undefined;
  closed = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      this.#received.push(chunk);
      this.#held += chunk.length;
      this.#arrived();
    });
    // A reset tells nothing that its close does not.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.closed = true;
      this.#arrived();
    });
  }

  static async open(port: number): Promise<Connection> {
    // Half-open, so that sending `end` leaves our ears open.
    const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    const connection = new Connection(socket);
    await once(socket, 'connect');
    return connection;
  }

  /** Sends, and waits for as many answers as there are requests; the connection is of no use after a missing one. */
  async exchange({ steps, methods, patience }: Exchange): Promise<Answer[]> {
    const answers: Answer[] = [];
    let sentAt = Infinity;
    let late = false;
    const deadline = setTimeout(
      () => {
        late = true;
        this.#arrived();
      },
      patience + steps.reduce<number>((sum, step) => sum + (typeof step === 'number' ? step : 0), 0),
    );
    const sending = this.#send(steps).then(() => (sentAt = performance.now()));
    let needed = 1;
    // Of several requests at once each waits for those before it.
    let before = 0;
    while (answers.length < methods.length) {
      const taken = this.#take(needed, methods[answers.length] as string);
      if (typeof taken !== 'number') {
        const now = performance.now();
        answers.push({ ...taken, ms: Math.max(0, now - Math.max(sentAt, before)) });
        before = now;
        needed = 1;
        if (taken.headers.get('connection') === 'close') this.destroy();
      } else if (this.closed || late) {
        answers.push(unanswered(late ? -1 : 0, performance.now() - sentAt));
        this.destroy();
        break;
      } else {
        needed = taken;
        await new Promise<void>((resolve) => (this.#arrived = resolve));
      }
    }
    clearTimeout(deadline);
    await sending;
    return answers;
  }

  /** An answer that is whole, or how many bytes it needs. */
  #take(needed: number, method: string): Answer | number {
    if (this.#held < needed) return needed;
    const bytes = Buffer.concat(this.#received);
    const taken = takeAnswer(bytes, method);
    const rest = typeof taken === 'number' ? bytes : taken.rest;
    this.#received = [rest];
    this.#held = rest.length;
    return typeof taken === 'number' ? taken : taken.answer;
  }

  destroy(): void {
    this.closed = true;
    this.#socket.destroy();
  }

  /** Resolves when all is out, or nothing more can be sent. */
  async #send(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      if (this.closed) return;
      if (step === 'end') this.#socket.end();
      else if (step === 'deaf') this.#socket.pause();
      else if (typeof step === 'number') await pause(step);
      else await new Promise<void>((resolve) => this.#socket.write(step, () => resolve()));
    }
  }
}
