/**
 * Replies that clients have asked for and do not read. What waits is bounded for each socket and in all, and a socket that
 * makes no progress is cut.
 */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { TelemetryError } from '../../errors.ts';

const MIB = 1024 * 1024;

export interface UnsentBounds {
  /** Bytes that wait for one client; one reply alone is always taken. */
  socketBytes: number;
  /** Bytes that wait for all. */
  bytes: number;
  /** A reply up to this size counts for its socket only: small ones find their way whatever large ones wait. */
  smallBytes: number;
  /** A socket that takes nothing for so long is cut. */
  patienceMs: number;
  /** Likewise, where others find no room. */
  pressedMs: number;
}

const BOUNDS: UnsentBounds = {
  socketBytes: 32 * MIB,
  bytes: 128 * MIB,
  smallBytes: 256 * 1024,
  patienceMs: 60_000,
  pressedMs: 2_000,
};

interface Waiting {
  bytes: number;
  movedAt: number;
  /** Hears of the socket's end. */
  onClose: () => void;
}

export class Unsent {
  readonly #bounds: UnsentBounds;
  readonly #now: () => number;
  /** The one that has waited longest comes first. */
  readonly #sockets = new Map<Socket, Waiting>();
  #bytes = 0;

  constructor(bounds: Partial<UnsentBounds> = {}, now: () => number = () => performance.now()) {
    this.#bounds = { ...BOUNDS, ...bounds };
    this.#now = now;
  }

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether a reply of so many bytes may wait for this client; clients that do not read make way for it. */
  takes(socket: Socket, bytes: number): boolean {
    const before = this.#sockets.get(socket)?.bytes ?? 0;
    if (before > 0 && before + bytes > this.#bounds.socketBytes) return false;
    if (bytes <= this.#bounds.smallBytes) return true;
    while (this.#bytes > 0 && this.#bytes + bytes > this.#bounds.bytes) if (!this.makeWay()) return false;
    return true;
  }

  /** Counts a reply until it is out. */
  add(socket: Socket, response: ServerResponse, bytes: number): void {
    const waiting = this.#sockets.get(socket) ?? this.#begin(socket);
    waiting.bytes += bytes;
    this.#bytes += bytes;
    response.once('close', () => {
      if (this.#sockets.get(socket) !== waiting) return;
      waiting.bytes -= bytes;
      this.#bytes -= bytes;
      if (waiting.bytes === 0) this.#forget(socket, waiting);
      else this.moved(socket);
    });
  }

  /** Notes that the client has read something. */
  moved(socket: Socket): void {
    const waiting = this.#sockets.get(socket);
    if (!waiting) return;
    waiting.movedAt = this.#now();
    this.#sockets.delete(socket);
    this.#sockets.set(socket, waiting);
  }

  /** Cuts the sockets that have made no progress; to be called about once a second. */
  look(): void {
    while (this.#cut(this.#bounds.patienceMs));
  }

  /** Cuts the socket that has made no progress for longest. @returns false where all do */
  makeWay(): boolean {
    return this.#cut(this.#bounds.pressedMs);
  }

  #cut(stillMs: number): boolean {
    const [first] = this.#sockets;
    if (!first || this.#now() - first[1].movedAt < stillMs) return false;
    this.#forget(...first);
    first[0].destroy();
    return true;
  }

  #begin(socket: Socket): Waiting {
    // A reply behind others on its connection hears nothing of the end, so the socket is listened to.
    const waiting: Waiting = { bytes: 0, movedAt: this.#now(), onClose: () => this.#forget(socket, waiting) };
    socket.once('close', waiting.onClose);
    this.#sockets.set(socket, waiting);
    return waiting;
  }

  #forget(socket: Socket, waiting: Waiting): void {
    if (this.#sockets.get(socket) !== waiting) return;
    socket.off('close', waiting.onClose);
    this.#sockets.delete(socket);
    this.#bytes -= waiting.bytes;
  }
}

export function tooMuchUnread(): TelemetryError {
  return new TelemetryError(
    'busy',
    'Answers that clients have not read yet take all the room there is. Send this again.',
  );
}
