/**
 * The server's open connections: bounded, so that there are descriptors for the database, and known, so that going down
 * waits for requests and not for sockets: Node's own close() leaves alone a connection on which nothing was ever sent.
 */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { TelemetryError } from '../../errors.ts';
import { replyOf } from '../errors.ts';
import { answerRaw, refuseError } from './raw.ts';

/** Whoever is refused may read why for so long. */
const FAREWELL_MS = 1_000;
/** At once; beyond it a connection is closed without a word. */
const MAX_FAREWELLS = 8;
/** A half-closed client cannot be told from one that is gone; where its answer takes longer it is taken to be gone. */
const HALF_CLOSED_MS = 2_000;

interface Connection {
  socket: Socket;
  /** Requests being answered. */
  active: number;
  /** Called where the client has gone. */
  gone: Set<() => void>;
}

interface Options {
  /** A client that has sent everything may close its side and wait for the answer (`nc -N`); else it is taken to be gone. */
  halfOpen?: boolean;
  /** Makes way for a new connection where none is idle, by ending one that does not move. @returns whether it did */
  makeWay?: () => boolean;
  /** Called for each connection that finds no room. */
  onRefused?: () => void;
}

export class Connections {
  readonly #open = new Map<Socket, Connection>();
  /** Those on which nothing is being answered, longest idle first. */
  readonly #idle = new Set<Connection>();
  readonly #options: Options;
  #farewells = 0;
  #closing = false;
  /** How many are taken; to be set before the server listens. */
  max = Infinity;

  constructor(server: Server, options: Options = {}) {
    this.#options = options;
    (server as Server & { httpAllowHalfOpen: boolean }).httpAllowHalfOpen = options.halfOpen ?? false;
    server.on('connection', (socket: Socket) => this.#take(socket));
    server.on('request', ({ socket }, response) => {
      this.#count(socket, 1);
      response.once('close', () => this.#count(socket, -1));
    });
    server.on('clientError', (error, socket) => {
      // While a request is being answered, an answer to what follows it would be taken for its own.
      if ((this.#open.get(socket as Socket)?.active ?? 0) > 0) socket.destroy();
      else refuseError(error, socket);
    });
  }

  /** Whether requests of this connection are answered: not where it was refused. */
  has(socket: Socket): boolean {
    return this.#open.has(socket);
  }

  /** Calls `onGone` once should the client go; forget it by what is returned. */
  whenGone(socket: Socket, onGone: () => void): () => void {
    const gone = this.#open.get(socket)?.gone;
    if (!gone) onGone();
    gone?.add(onGone);
    return () => gone?.delete(onGone);
  }

  /** Ends each connection as soon as nothing is being answered on it. */
  close(): void {
    this.#closing = true;
    for (const { socket } of this.#idle) socket.destroy();
  }

  #take(socket: Socket): void {
    if (this.#open.size >= this.max && !this.#makeRoom()) return this.#refuse(socket);
    const connection: Connection = { socket, active: 0, gone: new Set() };
    this.#open.set(socket, connection);
    this.#idle.add(connection);
    let patience: NodeJS.Timeout | undefined;
    socket.once('end', () => {
      patience = setTimeout(() => this.#tell(connection), HALF_CLOSED_MS).unref();
    });
    socket.once('close', () => {
      clearTimeout(patience);
      this.#forget(connection);
      this.#tell(connection);
    });
  }

  /** By closing the connection that has been idle for longest, or else one that does not move. */
  #makeRoom(): boolean {
    const [longest] = this.#idle;
    if (!longest) return this.#options.makeWay?.() ?? false;
    this.#forget(longest);
    longest.socket.destroy();
    return true;
  }

  #refuse(socket: Socket): void {
    this.#options.onRefused?.();
    socket.on('error', () => undefined);
    if (this.#farewells >= MAX_FAREWELLS) return void socket.destroy();
    this.#farewells++;
    // Closed at once, with a request unread, the answer would be lost to a reset.
    const end = setTimeout(() => socket.destroy(), FAREWELL_MS).unref();
    socket.once('close', () => {
      clearTimeout(end);
      this.#farewells--;
    });
    answerRaw(socket, replyOf(new TelemetryError('busy', 'All connections are at work. Send this again.')));
  }

  #forget(connection: Connection): void {
    this.#open.delete(connection.socket);
    this.#idle.delete(connection);
  }

  #tell({ gone }: Connection): void {
    for (const onGone of gone) onGone();
    gone.clear();
  }

  #count(socket: Socket, by: 1 | -1): void {
    const connection = this.#open.get(socket);
    if (!connection) return;
    connection.active += by;
    if (connection.active > 0) this.#idle.delete(connection);
    else this.#idle.add(connection);
    if (this.#closing && connection.active === 0) socket.end();
  }
}
