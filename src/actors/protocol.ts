/** Every command and query that crosses a thread: name -> arguments, result. Types only. */
import type { Outcome } from '../errors.ts';
import type { OnInvalid } from '../run/check.ts';
import type { MendCounts } from '../run/mended.ts';

/** A command changes the database; its JSON body goes to the writer as bytes, unparsed. */
export interface Commands {
  create: { args: Record<string, never>; result: Created };
  batch: { args: { merge: boolean; onInvalid?: OnInvalid; maxRuns: number; maxRunBytes: number }; result: BatchResult };
  update: { args: { eventId: string }; result: { event_id: string; fields_updated: string[] } };
  associate: { args: { eventId: string }; result: { event_id: string; run_id: string; commit_hash: string } };
  /** Lines of a spool file and how far it has been read, in one; the body has a record a line. All of it or nothing. */
  merge: { args: MergeArgs; result: Merged };
  /** Drops the positions of spool files that are gone. */
  forget: { args: { files: SpoolFile[] }; result: { forgotten: number } };
  /** Deletes runs created before a canonical time, the oldest first, at most `limit`. */
  delete: { args: { before: string; limit: number }; result: { deleted: number } };
  /** Gives free pages back to the file system, at most `pages`. */
  shrink: { args: { pages: number }; result: Shrunk };
  /** Brings SQLite's statistics up to date: all of them anew, or those that it finds outdated. */
  optimize: { args: { analyze: boolean }; result: { optimized: true } };
  /** Builds one index of the schema anew. */
  reindex: { args: { index: string }; result: { index: string } };
  /** Counts all runs anew; what `/metrics` says is right again a while later. */
  recount: { args: Record<string, never>; result: { recounting: true } };
}
export type CommandName = keyof Commands;
export type CommandResult<N extends CommandName = CommandName> = Commands[N]['result'];

export interface Created {
  created: boolean;
  event_id: string;
  run_id: string;
}

/** What became of several records. */
export interface Tally {
  inserted: number;
  duplicates: number;
  /** Known runs into which a record brought something; only where merging was asked for. */
  merged: number;
}

export interface BatchResult extends Tally {
  errors: string[];
  total: number;
  /** The body was `{"runs": […]}` instead of an array. */
  wrapped: boolean;
}

/** Pages that were given back, and those that are still free; `able` is false where the file keeps its pages for ever. */
export interface Shrunk {
  freed: number;
  free: number;
  able: boolean;
}

/** A copy of the database that is complete; not checked yet. */
export interface Copied {
  path: string;
  pages: number;
}

/** A spool file by its name without `.jsonl` and state, for it is renamed while it is read, and its inode as text. */
export interface SpoolFile {
  name: string;
  inode: string;
}

export interface MergeArgs extends SpoolFile {
  /** The position that must be stored now, 0 for none; where another is, nothing is done. */
  expected: number;
  /** The position behind these lines, and the digest of all before it. */
  to: number;
  digest: string;
  maxRunBytes: number;
}

export interface Merged extends Tally {
  /** False where these lines do not follow on the position that is stored. */
  applied: boolean;
  /** The position that is stored now. */
  position: number;
}

/** Commands on their way to the writer. All bodies lie in `bytes`, that one buffer may be transferred. */
export interface Parcel {
  commands: PackedCommand[];
  bytes: Uint8Array<ArrayBuffer>;
}
export type PackedCommand = {
  [N in CommandName]: { name: N; args: Commands[N]['args']; start: number; end: number };
}[CommandName];

/** What became of a group: the commands of one parcel or of several, in one transaction. */
export interface Committed {
  /** One a command, in the order in which they were sent. */
  outcomes: Outcome<CommandResult>[];
  /** Milliseconds from its first parcel to its last outcome. */
  took: number;
  /** How long its commit took; null where nothing was to be committed, or nothing could. */
  timing: Timing | null;
  /** Why nothing of it was stored, where the group failed as a whole. */
  failure: string | null;
  /** Values that its commands have mended, by reason. */
  mended: MendCounts;
}

/** A slice of the work on older rows is committed, and what there is to say of it. */
export interface Worked {
  note: Note | undefined;
}

/** In milliseconds. */
export interface Timing {
  /** COMMIT, and the sync of the folder. */
  commit: number;
  /** Of it, waiting for readers to leave the gate. */
  gate: number;
}

/** What the main thread learns of the writer when it has opened the database. */
export interface WriterInfo {
  path: string;
  /** Without symbolic links; what belongs to the database lies beside it. */
  realPath: string;
  journalMode: string;
  synchronous: string;
  sqliteVersion: string;
  warnings: string[];
}

/**
 * The writer thread's face, called through comlink. Errors are values: see Outcome. Parcels come, and what became of them
 * goes, through a port of their own.
 */
export interface WriterThread {
  /** A second of migrating a database of an earlier version, and what there is to say of it; null where it can be opened. */
  prepare(): Outcome<Note | null>;
  open(): Outcome<WriterInfo>;
  /** Copies the database as it is when the copy is complete; groups are committed meanwhile. */
  copy(path: string): Promise<Outcome<Copied>>;
  /** Ends a copy that is being made; nothing of it stays. */
  endCopy(path: string): void;
  close(): void;
}

/** A query of the reader pool; the answer is JSON text as bytes, built by SQL. */
export interface Queries {
  run: { args: { eventId: string }; result: Uint8Array | null };
  source: { args: { eventId: string }; result: { repo_url: string | null; commit_url: string | null } | null };
  list: { args: ListTask; result: ListPage | ListPause };
  metadata: { args: MetadataPage; result: Metadata };
  metrics: { args: { since: string }; result: Totals };
  positions: { args: Record<string, never>; result: SpoolPosition[] };
  /** Runs by agent, job type and status. */
  series: { args: { limit: number }; result: RunSeries };
  /** How many runs were created before a canonical time. */
  older: { args: { before: string }; result: number };
  /** Whether the kept counts count every run, and are not just being counted anew. */
  counted: { args: Record<string, never>; result: boolean };
  /** The names of all indexes. */
  indexes: { args: Record<string, never>; result: string[] };
}
export type QueryName = keyof Queries;
export type QueryTask = { [N in QueryName]: { name: N; args: Queries[N]['args'] } }[QueryName];

/** Checked filters of a list; timestamps canonical, statuses canonical and distinct. */
export interface ListFilter {
  agent_name?: string;
  statuses?: string[];
  job_type?: string;
  exclude_job_type?: string;
  run_id?: string;
  run_id_contains?: string;
  parent_run_id?: string;
  insight_id?: string;
  product?: string;
  website?: string;
  environment?: string;
  git_commit_hash?: string;
  created_before?: string;
  created_after?: string;
  start_time_from?: string;
  start_time_to?: string;
}

/** The id of a row; its digits where it is beyond 2^53, which only a foreign program gives. */
export type RowId = number | string;

/** A place in a list: behind the row with this created_at and id; '' is whatever that row has, where it is no plain text. */
export interface Position {
  created_at: string;
  id: RowId;
}

export interface ListTask {
  filter: ListFilter;
  limit: number;
  offset: number;
  after?: Position | undefined;
  /** Where an earlier slice of the same list stopped, one walk a plan. */
  resume?: Walk[] | undefined;
  /** Milliseconds after which the walk comes back unfinished; 50 unless a test wants it otherwise. */
  sliceMs?: number;
}

/** How far a list's walk has come: the place, the rows still to skip, the rows found. */
export interface Walk {
  /** Rows with this created_at and a greater id come next; without `tie`, rows below it; without both, all rows. */
  created_at?: string;
  /** Whose created_at it is. */
  row?: RowId;
  tie?: RowId | undefined;
  skip: number;
  found: Position[];
  /** The list has ended. */
  ended?: true;
}

export interface ListPage {
  body: Uint8Array;
  count: number;
  /** The last row's place where more rows follow. */
  next: Position | null;
}

/** The slice's time is up: send the task again with this walk, behind what waits. */
export interface ListPause {
  pause: Walk[];
}

/** Which names are wanted: those behind two names, as many of each as `limit` says. */
export interface MetadataPage {
  limit?: number;
  agentsAfter?: string;
  jobsAfter?: string;
}

export interface Metadata {
  agent_names: string[];
  job_types: string[];
  /** Of all. */
  counts: { agent_names: number; job_types: number };
  /** The page that follows; null where none does. */
  next: Required<Omit<MetadataPage, 'limit'>> | null;
}

export interface Totals {
  total_runs: number;
  /** Those with most runs, the most first. */
  agents: [name: string, runs: number][];
  /** Of the agents that are not among them. */
  others: { agents: number; runs: number };
  recent: number;
}

/** Counts of runs by agent, job type and status, a bounded number of each; what is beyond is summed by status. */
export interface RunSeries {
  /** Runs that have come into each, ever; the combinations that came first. */
  ever: Series;
  /** Runs that are in each; the combinations with most of them. */
  stored: Series;
}

export interface Series {
  counts: [agentName: string, jobType: string, status: string, runs: number][];
  /** Of the combinations left out. */
  others: [status: string, runs: number, combinations: number][];
}

/** How far a spool file has been stored, in bytes. */
export interface SpoolPosition extends SpoolFile {
  position: number;
  /** Of the bytes before it; null where an earlier release has stored it. */
  digest: string | null;
}

/** A line for the log. */
export interface Note {
  level: 'info' | 'warning' | 'error';
  message: string;
  fields: Readonly<Record<string, unknown>>;
}
