/** `local-telemetry/client`: records what agents do, without ever getting into their way. */
export { TelemetryClient, type ClientStats } from './client.ts';
export type { ClientOptions, FsyncPolicy } from './config.ts';
export type { CommitDetails, CommitResult, CommitSource } from './commit.ts';
export type { Delivery } from './recorder.ts';
export type { RunHandle } from './track.ts';
export type { RunIdMetrics } from './run-ids.ts';
export type { StaleRunsOptions, StaleRunsResult } from './stale.ts';
export type { Answer, Transport } from './transport.ts';
export type { RunFields, RunMetrics, RunStatus, StartFields } from './types.ts';
