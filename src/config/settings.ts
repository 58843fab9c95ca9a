/**
 * The environment variables of the service: one table, from which come the checks, the defaults and
 * the messages, and against which a test holds the documentation.
 */
export interface Setting {
  readonly name: string;
  readonly kind: 'text' | 'integer' | 'boolean' | 'choice';
  readonly default?: string;
  readonly min?: number;
  readonly max?: number;
  readonly choices?: readonly string[];
  /** An older name that is read where the first is not set. */
  readonly alias?: string;
  /** May be given as the path of a file that holds it, in `<name>_FILE`. */
  readonly secret?: true;
}

const MIB = 1024 * 1024;

export const SETTINGS = [
  { name: 'TELEMETRY_BASE_DIR', kind: 'text', alias: 'AGENT_METRICS_DIR' },
  { name: 'TELEMETRY_DB_PATH', kind: 'text' },
  { name: 'TELEMETRY_LOCK_FILE', kind: 'text' },
  { name: 'TELEMETRY_NDJSON_DIR', kind: 'text' },
  { name: 'TELEMETRY_BUFFER_DIR', kind: 'text' },
  { name: 'TELEMETRY_BUFFER_MAX_AGE_HOURS', kind: 'integer', min: 1, max: 8_760, default: '24' },
  { name: 'TELEMETRY_SYNC_INTERVAL_SECONDS', kind: 'integer', min: 1, max: 86_400, default: '60' },
  { name: 'TELEMETRY_SYNC_BATCH_SIZE', kind: 'integer', min: 1, max: 10_000, default: '100' },
  { name: 'TELEMETRY_DB_JOURNAL_MODE', kind: 'choice', choices: ['DELETE', 'WAL'], default: 'DELETE' },
  { name: 'TELEMETRY_DB_SYNCHRONOUS', kind: 'choice', choices: ['FULL', 'EXTRA'], default: 'FULL' },
  { name: 'TELEMETRY_DB_BUSY_TIMEOUT_MS', kind: 'integer', min: 1, max: 600_000, default: '30000' },
  { name: 'TELEMETRY_AUTO_MIGRATE_MAX_ROWS', kind: 'integer', min: 0, max: 1_000_000_000, default: '500000' },
  { name: 'TELEMETRY_RETENTION_DAYS', kind: 'integer', min: 1, max: 36_500, default: '30' },
  { name: 'TELEMETRY_DRY_RUN_CLEANUP', kind: 'boolean', default: 'true' },
  { name: 'TELEMETRY_API_HOST', kind: 'text', default: '0.0.0.0' },
  { name: 'TELEMETRY_API_PORT', kind: 'integer', min: 0, max: 65_535, default: '8765' },
  { name: 'TELEMETRY_API_WORKERS', kind: 'integer', min: 1, max: 1, default: '1' },
  { name: 'TELEMETRY_READERS', kind: 'integer', min: 1, max: 8 },
  { name: 'TELEMETRY_API_AUTH_ENABLED', kind: 'boolean', default: 'false' },
  { name: 'TELEMETRY_API_AUTH_TOKEN', kind: 'text', secret: true },
  { name: 'TELEMETRY_RATE_LIMIT_ENABLED', kind: 'boolean', default: 'false' },
  { name: 'TELEMETRY_RATE_LIMIT_RPM', kind: 'integer', min: 1, max: 1_000_000, default: '60' },
  { name: 'TELEMETRY_TRUSTED_PROXIES', kind: 'text', default: '' },
  {
    name: 'TELEMETRY_LOG_LEVEL',
    kind: 'choice',
    choices: ['DEBUG', 'INFO', 'WARNING', 'ERROR'],
    default: 'INFO',
    alias: 'LOG_LEVEL',
  },
  { name: 'TELEMETRY_MAX_BODY_BYTES', kind: 'integer', min: 1024, max: 256 * MIB, default: String(MIB) },
  { name: 'TELEMETRY_MAX_BATCH_BYTES', kind: 'integer', min: 1024, max: 256 * MIB, default: String(32 * MIB) },
  { name: 'TELEMETRY_MAX_BATCH_RUNS', kind: 'integer', min: 1, max: 1_000_000, default: '10000' },
  { name: 'TELEMETRY_MAILBOX_MAX_COMMANDS', kind: 'integer', min: 1, max: 1_000_000, default: '20000' },
  { name: 'TELEMETRY_MAILBOX_MAX_BYTES', kind: 'integer', min: MIB, max: 1024 * MIB, default: String(64 * MIB) },
  { name: 'TELEMETRY_MAX_CONNECTIONS', kind: 'integer', min: 8, max: 1_000_000 },
  { name: 'TELEMETRY_READER_MAX_QUEUE', kind: 'integer', min: 1, max: 1_000_000, default: '1000' },
  { name: 'TELEMETRY_READER_TIMEOUT_MS', kind: 'integer', min: 1_000, max: 600_000, default: '10000' },
  { name: 'TELEMETRY_METRICS_MAX_SERIES', kind: 'integer', min: 1, max: 10_000, default: '1000' },
  { name: 'TELEMETRY_SHUTDOWN_TIMEOUT_MS', kind: 'integer', min: 100, max: 600_000, default: '10000' },
] as const satisfies readonly Setting[];

export type SettingName = (typeof SETTINGS)[number]['name'];

/** Settings of the predecessor that have no effect here; a set one is warned of. */
export const WITHOUT_EFFECT = [
  'TELEMETRY_DB_CONNECT_TIMEOUT_SECONDS',
  'TELEMETRY_DB_MAX_RETRIES',
  'TELEMETRY_DB_RETRY_BASE_DELAY_SECONDS',
  'TELEMETRY_LEVEL',
  'TELEMETRY_SAMPLING_RATE',
  'TELEMETRY_MAX_PAYLOAD_BYTES',
  'TELEMETRY_SKIP_VALIDATION',
] as const;

export const TRUE = ['true', '1', 'yes', 'on'];
export const FALSE = ['false', '0', 'no', 'off'];

/** What a setting takes, in words for its error message. */
export function expectation(setting: Setting): string {
  switch (setting.kind) {
    case 'integer':
      return setting.min === setting.max
        ? `must be ${setting.min}: exactly one writer may exist`
        : `must be a whole number from ${setting.min} to ${setting.max}`;
    case 'boolean':
      return `must be one of ${[...TRUE, ...FALSE].join(', ')}`;
    case 'choice':
      return `must be one of ${setting.choices?.join(', ')}`;
    case 'text':
      return 'must be text';
  }
}
