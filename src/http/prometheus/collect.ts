/** The value of every metric now. What cannot be known just now is left out: the rest is needed most then. */
import { stat, statfs } from 'node:fs/promises';
import type { RunSeries } from '../../actors/protocol.ts';
import { SCHEMA_VERSION } from '../../run.ts';
import { MENDS } from '../../run/mended.ts';
import type { Services } from '../call.ts';
import type { Value } from './exposition.ts';
import type { MetricName } from './metrics.ts';
import { foldedOf, seriesOf } from './runs.ts';
import { within } from './within.ts';

/** Who asks gives up after 10 s, mostly. */
const PATIENCE_MS = 5_000;

export async function collect(services: Services): Promise<Record<MetricName, Value>> {
  const { readers, writer, http } = services;
  const [runs, disk] = await Promise.all([
    within(PATIENCE_MS, readers.ask('series', { limit: http.maxSeries })).catch(() => undefined),
    within(PATIENCE_MS, diskOf(writer.info.realPath)).catch(() => undefined),
  ]);
  return {
    ...runsOf(runs),
    ...frontOf(services),
    ...writerOf(services),
    ...readersOf(services),
    ...spoolOf(services),
    local_telemetry_database_bytes: disk?.bytes,
    local_telemetry_disk_free_bytes: disk?.free,
    local_telemetry_disk_size_bytes: disk?.size,
    ...processOf(),
  };
}

const runsOf = (runs: RunSeries | undefined) => ({
  local_telemetry_runs_total: runs && seriesOf(runs.ever),
  local_telemetry_stored_runs: runs && seriesOf(runs.stored),
  local_telemetry_folded_series: runs && foldedOf(runs.ever),
  local_telemetry_database_readable: runs ? 1 : 0,
});

function frontOf({ traffic, loopDelay, writer, version }: Services) {
  const { sqliteVersion, journalMode, synchronous } = writer.info;
  const build = [version, process.version, sqliteVersion, String(SCHEMA_VERSION), journalMode, synchronous];
  const delays = loopDelay?.delays;
  return {
    local_telemetry_build_info: [[build, 1]] as const,
    local_telemetry_http_requests_total: [...traffic.answers].map(
      ([status, count]) => [[String(status)], count] as const,
    ),
    local_telemetry_http_request_duration_seconds: traffic.seconds,
    local_telemetry_event_loop_delay_p50_seconds: delays?.p50,
    local_telemetry_event_loop_delay_p99_seconds: delays?.p99,
    local_telemetry_event_loop_delay_max_seconds: delays?.max,
  };
}

function writerOf({ writer: { mailbox, figures, downForMs } }: Services) {
  return {
    local_telemetry_mailbox_commands: mailbox.depth,
    local_telemetry_mailbox_bytes: mailbox.bytes,
    local_telemetry_mailbox_limit_commands: mailbox.limits.maxCommands,
    local_telemetry_mailbox_limit_bytes: mailbox.limits.maxBytes,
    local_telemetry_mailbox_refused_total: figures.refused,
    local_telemetry_mailbox_wait_seconds: figures.wait,
    local_telemetry_group_commands: figures.groups,
    local_telemetry_commit_duration_seconds: figures.commit,
    local_telemetry_gate_wait_seconds: figures.gate,
    local_telemetry_group_failures_total: figures.failures,
    local_telemetry_mended_values_total: MENDS.map((reason) => [[reason], figures.mended.counts[reason] ?? 0] as const),
    local_telemetry_writer_up: downForMs === 0 ? 1 : 0,
    local_telemetry_writer_deaths_total: figures.deaths,
  };
}

const readersOf = ({ readers }: Services) => ({
  local_telemetry_reader_threads: readers.threads.length,
  local_telemetry_reader_queue_queries: readers.queueSize,
  local_telemetry_reader_queue_limit_queries: readers.maxQueue,
  local_telemetry_queries_refused_total: readers.refused,
  local_telemetry_query_duration_seconds: readers.seconds,
});

function spoolOf({ spool }: Services) {
  const { files, pending_bytes, lag_seconds, stored, rejected } = spool.counts;
  return {
    local_telemetry_spool_files: files,
    local_telemetry_spool_pending_bytes: pending_bytes,
    local_telemetry_spool_lag_seconds: lag_seconds,
    local_telemetry_spool_lines_stored_total: stored,
    local_telemetry_spool_lines_rejected_total: rejected,
  };
}

/** Never opened: only `stat` is safe on a live database. */
async function diskOf(path: string): Promise<{ bytes: number; free: number; size: number }> {
  const [{ size: bytes }, { bavail, blocks, bsize }] = await Promise.all([stat(path), statfs(path)]);
  return { bytes, free: bavail * bsize, size: blocks * bsize };
}

function processOf() {
  const { user, system } = process.cpuUsage();
  return {
    process_start_time_seconds: performance.timeOrigin / 1_000,
    process_resident_memory_bytes: process.memoryUsage.rss(),
    process_cpu_seconds_total: (user + system) / 1e6,
  };
}
