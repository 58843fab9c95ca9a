/** The writer's thread as its handle sees it: started with its database open, or not at all. */
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import type { Remote } from 'comlink';
import type { Config } from '../../config.ts';
import { describe, type Outcome, TelemetryError, unwrap } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import type { Gate } from '../gate.ts';
import type { Note, WriterInfo, WriterThread } from '../protocol.ts';
import { actorBeside, face, THREAD_FLAGS } from '../thread.ts';
import type { WriterData } from './actor.ts';

export interface StartedThread {
  worker: Worker;
  remote: Remote<WriterThread>;
  /** Parcels out, what became of them in. */
  parcels: MessagePort;
  info: WriterInfo;
}

/**
 * Starts the thread and opens the database, which may take a migration.
 *
 * @param first nothing in this process has had the database open yet
 * @throws TelemetryError "refused" where the database cannot be opened, "unavailable" where the thread dies
 */
export async function startThread(config: Config, gate: Gate, log: Logger, first: boolean): Promise<StartedThread> {
  const { port1: parcels, port2 } = new MessageChannel();
  const { database, techniques } = config;
  const workerData: WriterData = { database, techniques, first, gate: gate.memory, parcels: port2 };
  const worker = new Worker(actorBeside(import.meta.url), {
    workerData,
    transferList: [port2],
    name: 'writer',
    execArgv: THREAD_FLAGS,
  });
  const died = new Promise<never>((_, reject) => {
    worker.once('error', (error) => reject(failed(`The writer thread failed: ${describe(error)}.`)));
    worker.once('exit', () => reject(failed('The writer thread ended.')));
  });
  const remote = face<WriterThread>(worker);
  died.catch(() => undefined);
  const opened = await openDatabase(remote, died, log);
  if (!opened.ok) await worker.terminate();
  return { worker, remote, parcels, info: unwrap(opened) };
}

async function openDatabase(
  remote: Remote<WriterThread>,
  died: Promise<never>,
  log: Logger,
): Promise<Outcome<WriterInfo>> {
  for (;;) {
    const prepared = (await Promise.race([remote.prepare(), died])) as Outcome<Note | null>;
    if (!prepared.ok) return prepared;
    if (!prepared.value) return (await Promise.race([remote.open(), died])) as Outcome<WriterInfo>;
    const { level, message, fields } = prepared.value;
    log[level](message, fields);
  }
}

/** A thread that does not come up: nobody has sent anything yet. */
function failed(why: string): TelemetryError {
  return new TelemetryError('unavailable', `${why} Look at the memory and the disk, then start again.`);
}
