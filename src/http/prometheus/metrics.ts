/** Every metric that is given to Prometheus: one table, from which come the output, its documentation's test and the dashboards'. */
export interface Metric {
  /** As its samples are called, so a counter's with `_total`. A name's last word is its unit: seconds or bytes. */
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram' | 'info';
  readonly help: string;
  readonly labels?: readonly string[];
}

const RUN = ['agent_name', 'job_type', 'status'] as const;
const BUILD = ['version', 'node_version', 'sqlite_version', 'schema_version', 'journal_mode', 'synchronous'] as const;

const counter = <N extends string>(name: N, help: string) => ({ name, type: 'counter', help }) as const;
const gauge = <N extends string>(name: N, help: string) => ({ name, type: 'gauge', help }) as const;
const histogram = <N extends string>(name: N, help: string) => ({ name, type: 'histogram', help }) as const;

export const METRICS = [
  {
    ...counter('local_telemetry_runs_total', 'Runs that have come into this status, ever; nothing takes any away.'),
    labels: RUN,
  },
  { ...gauge('local_telemetry_stored_runs', 'Runs in the database now.'), labels: RUN },
  gauge(
    'local_telemetry_folded_series',
    'Combinations of agent, job type and status that are summed as (other), because there are too many.',
  ),
  gauge('local_telemetry_database_readable', '1 where the runs could be read for this answer, else 0.'),
  {
    name: 'local_telemetry_build_info',
    type: 'info',
    help: 'What runs here, always 1.',
    labels: BUILD,
  },
  {
    ...counter('local_telemetry_http_requests_total', 'Requests over the port that were answered, by status code.'),
    labels: ['status'],
  },
  histogram('local_telemetry_http_request_duration_seconds', 'From the head of a request to its answer.'),
  gauge('local_telemetry_mailbox_commands', 'Commands that wait for the writer.'),
  gauge('local_telemetry_mailbox_bytes', 'Bytes of the bodies that wait for the writer.'),
  gauge('local_telemetry_mailbox_limit_commands', 'Commands that may wait for the writer.'),
  gauge('local_telemetry_mailbox_limit_bytes', 'Bytes that may wait for the writer.'),
  counter('local_telemetry_mailbox_refused_total', 'Commands refused because the mailbox was full.'),
  histogram('local_telemetry_mailbox_wait_seconds', 'From the arrival of a command until its group began.'),
  histogram('local_telemetry_group_commands', 'Commands that were committed together.'),
  histogram('local_telemetry_commit_duration_seconds', 'COMMIT and the sync of the folder behind it.'),
  histogram('local_telemetry_gate_wait_seconds', 'Time that readers took to let the writer commit.'),
  counter(
    'local_telemetry_group_failures_total',
    'Groups that failed as a whole: disk full, I/O error, lock, the death of the writer.',
  ),
  {
    ...counter('local_telemetry_mended_values_total', 'Values that were mended before they were stored, by reason.'),
    labels: ['reason'],
  },
  gauge('local_telemetry_writer_up', '1 while the writer is there, else 0.'),
  counter('local_telemetry_writer_deaths_total', 'Times that the thread of the writer died.'),
  gauge('local_telemetry_reader_threads', 'Threads that answer queries.'),
  gauge('local_telemetry_reader_queue_queries', 'Queries that wait for a thread.'),
  gauge('local_telemetry_reader_queue_limit_queries', 'Queries that may wait for a thread.'),
  counter('local_telemetry_queries_refused_total', 'Queries refused because too many waited.'),
  histogram('local_telemetry_query_duration_seconds', 'Queries, their wait for a thread included.'),
  gauge('local_telemetry_spool_files', 'Files of clients that are not done with.'),
  gauge('local_telemetry_spool_pending_bytes', 'Bytes in them that are still to be stored.'),
  gauge('local_telemetry_spool_lag_seconds', 'How long the oldest of that has been waiting; 0 where nothing waits.'),
  counter('local_telemetry_spool_lines_stored_total', 'Lines of the spool that were stored.'),
  counter('local_telemetry_spool_lines_rejected_total', 'Lines of the spool that can never be stored.'),
  gauge('local_telemetry_event_loop_delay_p50_seconds', 'Median delay of the main thread, over 30 s.'),
  gauge('local_telemetry_event_loop_delay_p99_seconds', '99th percentile of it.'),
  gauge('local_telemetry_event_loop_delay_max_seconds', 'Longest of it.'),
  gauge('local_telemetry_database_bytes', 'Size of the database file.'),
  gauge('local_telemetry_disk_free_bytes', 'Room that is left to the service on the file system of the database.'),
  gauge('local_telemetry_disk_size_bytes', 'Size of the file system of the database.'),
  gauge('process_start_time_seconds', 'When the process was started, since 1970.'),
  gauge('process_resident_memory_bytes', 'Memory of the process.'),
  counter('process_cpu_seconds_total', 'Processor time of the process, user and system.'),
] as const satisfies readonly Metric[];

export type MetricName = (typeof METRICS)[number]['name'];
