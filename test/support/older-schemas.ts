/** The tables of the earlier versions, in the shapes in which they are found in the field. */

/** Columns of runs as SQL, by version; each adds to the one before. */
const FIRST = `run_id TEXT PRIMARY KEY,
  schema_version INTEGER DEFAULT 1,
  agent_name TEXT NOT NULL,
  agent_owner TEXT,
  job_type TEXT,
  trigger_type TEXT CHECK (trigger_type IN ('cli', 'web', 'scheduler', 'mcp', 'manual')),
  start_time TEXT NOT NULL,
  end_time TEXT,
  status TEXT CHECK (status IN ('running', 'success', 'failed', 'partial', 'timeout', 'cancelled')),
  items_discovered INTEGER DEFAULT 0,
  items_succeeded INTEGER DEFAULT 0,
  items_failed INTEGER DEFAULT 0,
  duration_ms INTEGER,
  input_summary TEXT,
  output_summary TEXT,
  error_summary TEXT,
  metrics_json TEXT,
  product TEXT,
  platform TEXT,
  git_repo TEXT,
  git_branch TEXT,
  git_run_tag TEXT,
  host TEXT,
  api_posted INTEGER DEFAULT 0,
  api_posted_at TEXT,
  api_retry_count INTEGER DEFAULT 0,
  created_at TEXT DEFAULT (datetime('now')),
  updated_at TEXT DEFAULT (datetime('now'))`;
const SECOND = `${FIRST}, insight_id TEXT`;
const THIRD = `${SECOND}, product_family TEXT, subdomain TEXT`;
const FOURTH = `${THIRD}, git_commit_hash TEXT, git_commit_source TEXT CHECK (git_commit_source IN ('manual', 'llm', 'ci', NULL)),
  git_commit_author TEXT, git_commit_timestamp TEXT`;
const FIFTH = `${FOURTH}, website TEXT, website_section TEXT, item_name TEXT`;
/** 39 columns, run_id as the key, neither id nor items_skipped. */
const SIXTH_BY_RUN_ID = FIFTH.replace(
  'run_id TEXT PRIMARY KEY,',
  'run_id TEXT PRIMARY KEY, event_id TEXT NOT NULL UNIQUE,',
).replace("'failed'", "'failure'");

const full = (event: string, constraints: string): string => `id INTEGER PRIMARY KEY AUTOINCREMENT,
  event_id ${event},
  run_id TEXT NOT NULL,
  schema_version INTEGER DEFAULT 6,
  created_at TEXT NOT NULL DEFAULT (datetime('now')),
  updated_at TEXT DEFAULT (datetime('now')),
  start_time TEXT NOT NULL,
  end_time TEXT,
  agent_name TEXT NOT NULL,
  agent_owner TEXT,
  job_type TEXT NOT NULL,
  status TEXT NOT NULL DEFAULT 'running',
  product TEXT, product_family TEXT, platform TEXT, subdomain TEXT,
  website TEXT, website_section TEXT, item_name TEXT,
  items_discovered INTEGER DEFAULT 0, items_succeeded INTEGER DEFAULT 0,
  items_failed INTEGER DEFAULT 0, items_skipped INTEGER DEFAULT 0,
  duration_ms INTEGER DEFAULT 0,
  input_summary TEXT, output_summary TEXT, source_ref TEXT, target_ref TEXT,
  error_summary TEXT, error_details TEXT,
  git_repo TEXT, git_branch TEXT, git_commit_hash TEXT, git_run_tag TEXT,
  git_commit_source TEXT, git_commit_author TEXT, git_commit_timestamp TEXT,
  host TEXT, environment TEXT, trigger_type TEXT,
  metrics_json TEXT, context_json TEXT,
  api_posted INTEGER DEFAULT 0, api_posted_at TEXT, api_retry_count INTEGER DEFAULT 0,
  insight_id TEXT, parent_run_id TEXT${constraints}`;

const CHECKS = `, CHECK (items_discovered >= 0), CHECK (items_succeeded >= 0), CHECK (items_failed >= 0), CHECK (items_skipped >= 0),
  CHECK (duration_ms >= 0), CHECK (api_retry_count >= 0),
  CHECK (status IN ('running', 'success', 'failure', 'partial', 'timeout', 'cancelled'))`;

const BESIDE = `CREATE TABLE run_events (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  run_id TEXT NOT NULL REFERENCES agent_runs (run_id),
  event_type TEXT NOT NULL,
  timestamp TEXT NOT NULL,
  payload_json TEXT
);
CREATE TABLE commits (
  commit_hash TEXT PRIMARY KEY,
  run_id TEXT REFERENCES agent_runs (run_id),
  agent_name TEXT, repo TEXT, branch TEXT, commit_date TEXT, author TEXT, message TEXT,
  files_changed INTEGER, insertions INTEGER, deletions INTEGER,
  created_at TEXT DEFAULT (datetime('now'))
);
CREATE INDEX idx_events_run ON run_events (run_id);
CREATE INDEX idx_commits_run ON commits (run_id);`;

const HISTORY = `CREATE TABLE schema_migrations (version INTEGER PRIMARY KEY, applied_at TEXT DEFAULT (datetime('now')), description TEXT);`;
const NUMBERED_HISTORY = `CREATE TABLE schema_migrations (id INTEGER PRIMARY KEY AUTOINCREMENT, version INTEGER NOT NULL,
  description TEXT, applied_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);`;

const recorded = (...versions: (number | string)[]): string =>
  versions
    .map(
      (version) =>
        `INSERT INTO schema_migrations (version, applied_at, description) VALUES ('${version}', '2025-12-01 00:00:00', 'to ${version}');`,
    )
    .join('\n');

const INDEXES = `CREATE INDEX idx_runs_agent ON agent_runs (agent_name);
CREATE INDEX idx_runs_status ON agent_runs (status);
CREATE INDEX idx_runs_start ON agent_runs (start_time);
CREATE INDEX idx_runs_created_desc ON agent_runs (created_at DESC);`;

export interface OlderSchema {
  version: number;
  /** What the survey calls it. */
  shape: string;
  sql: string;
}

const schema = (version: number, shape: string, runs: string, history: string): OlderSchema => ({
  version,
  shape,
  sql: `CREATE TABLE agent_runs (${runs});\n${BESIDE}\n${INDEXES}\n${history}`,
});

export const OLDER_SCHEMAS = {
  v1: schema(1, 'version 1 without id, 28 columns', FIRST, HISTORY + recorded(1)),
  v2: schema(2, 'version 2 without id, 29 columns', SECOND, HISTORY + recorded(1, 2)),
  v3: schema(3, 'version 3 without id, 31 columns', THIRD, HISTORY + recorded(1, 2, 3)),
  v4: schema(4, 'version 4 without id, 35 columns', FOURTH, HISTORY + recorded(3, 4)),
  v5: schema(5, 'version 5 without id, 38 columns', FIFTH, HISTORY + recorded(4, 5)),
  v6: schema(6, 'version 6, 47 columns', full('TEXT NOT NULL UNIQUE', CHECKS), HISTORY + recorded(6)),
  'v6 by run_id': schema(6, 'version 6 without id, 39 columns', SIXTH_BY_RUN_ID, HISTORY + recorded(6)),
  'v6 with a nullable event_id': schema(
    6,
    'version 6, 47 columns',
    full('TEXT', ''),
    NUMBERED_HISTORY + recorded('5', 'v6', '6.0.0'),
  ),
  v7: schema(7, 'version 7, 47 columns', full('TEXT NOT NULL UNIQUE', CHECKS), HISTORY + recorded(6, 7)),
  'half migrated by hand': schema(
    5,
    'version 5, 47 columns',
    `id INTEGER PRIMARY KEY, Event_ID TEXT, Run_Id TEXT, note TEXT,
     ${full('TEXT', '').split('\n').slice(3).join('\n').replace('items_skipped INTEGER DEFAULT 0,', '').replaceAll('NOT NULL', '')}`,
    HISTORY + recorded(5),
  ),
} satisfies Record<string, OlderSchema>;

export type OlderSchemaName = keyof typeof OLDER_SCHEMAS;
