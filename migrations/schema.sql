-- The newest schema, written by `npm run schema` from the numbered files. Not to be edited.

CREATE TABLE schema_migrations (
  version     INTEGER PRIMARY KEY,
  applied_at  TEXT NOT NULL,
  description TEXT NOT NULL
);

CREATE TABLE agent_runs (
  id                   INTEGER PRIMARY KEY,
  event_id             TEXT NOT NULL UNIQUE,
  run_id               TEXT NOT NULL,
  schema_version       INTEGER NOT NULL DEFAULT 8,
  created_at           TEXT NOT NULL,
  updated_at           TEXT NOT NULL,
  start_time           TEXT NOT NULL,
  end_time             TEXT,
  agent_name           TEXT NOT NULL,
  agent_owner          TEXT,
  job_type             TEXT NOT NULL,
  status               TEXT NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'success', 'failure', 'partial', 'timeout', 'cancelled')),
  product              TEXT,
  product_family       TEXT,
  platform             TEXT,
  subdomain            TEXT,
  website              TEXT,
  website_section      TEXT,
  item_name            TEXT,
  items_discovered     INTEGER NOT NULL DEFAULT 0 CHECK (items_discovered >= 0),
  items_succeeded      INTEGER NOT NULL DEFAULT 0 CHECK (items_succeeded >= 0),
  items_failed         INTEGER NOT NULL DEFAULT 0 CHECK (items_failed >= 0),
  items_skipped        INTEGER NOT NULL DEFAULT 0 CHECK (items_skipped >= 0),
  duration_ms          INTEGER NOT NULL DEFAULT 0 CHECK (duration_ms >= 0),
  input_summary        TEXT,
  output_summary       TEXT,
  source_ref           TEXT,
  target_ref           TEXT,
  error_summary        TEXT,
  error_details        TEXT,
  git_repo             TEXT,
  git_branch           TEXT,
  git_commit_hash      TEXT,
  git_run_tag          TEXT,
  git_commit_source    TEXT,
  git_commit_author    TEXT,
  git_commit_timestamp TEXT,
  host                 TEXT,
  environment          TEXT,
  trigger_type         TEXT,
  metrics_json         TEXT,
  context_json         TEXT,
  api_posted           INTEGER NOT NULL DEFAULT 0,
  api_posted_at        TEXT,
  api_retry_count      INTEGER NOT NULL DEFAULT 0 CHECK (api_retry_count >= 0),
  insight_id           TEXT,
  parent_run_id        TEXT,
  -- Bit by bit the fields that no one gave and that hold their default (src/run.ts); merge takes them for unset.
  defaulted            INTEGER NOT NULL DEFAULT 0
, repo_url TEXT, commits_url TEXT);

CREATE INDEX idx_runs_created_desc ON agent_runs (created_at DESC);

CREATE INDEX idx_runs_agent_status_created ON agent_runs (agent_name, status, created_at DESC);

CREATE INDEX idx_runs_agent_created ON agent_runs (agent_name, created_at DESC);

CREATE INDEX idx_runs_status ON agent_runs (status, created_at DESC);

CREATE INDEX idx_runs_job_type ON agent_runs (job_type, created_at DESC);

CREATE INDEX idx_runs_run_id ON agent_runs (run_id, created_at DESC);

CREATE INDEX idx_runs_start ON agent_runs (start_time);

CREATE INDEX idx_runs_insight ON agent_runs (insight_id, created_at DESC) WHERE insight_id IS NOT NULL;

CREATE INDEX idx_runs_parent ON agent_runs (parent_run_id, created_at DESC) WHERE parent_run_id IS NOT NULL;

CREATE INDEX idx_runs_commit ON agent_runs (git_commit_hash) WHERE git_commit_hash IS NOT NULL;

CREATE INDEX idx_runs_website ON agent_runs (website, created_at DESC) WHERE website IS NOT NULL;

CREATE TABLE run_clocks (
  id     INTEGER PRIMARY KEY REFERENCES agent_runs (id) ON DELETE CASCADE,
  clocks TEXT NOT NULL
);

CREATE TABLE "run_originals" (
  id       INTEGER PRIMARY KEY REFERENCES agent_runs (id) ON DELETE CASCADE,
  reasons  TEXT NOT NULL,
  original TEXT NOT NULL
);

CREATE TABLE rollup_runs (
  agent_name TEXT NOT NULL,
  job_type   TEXT NOT NULL,
  status     TEXT NOT NULL,
  runs       INTEGER NOT NULL,
  PRIMARY KEY (agent_name, job_type, status)
) WITHOUT ROWID;

CREATE TABLE rollup_ever (
  id         INTEGER PRIMARY KEY,
  agent_name TEXT NOT NULL,
  job_type   TEXT NOT NULL,
  status     TEXT NOT NULL,
  runs       INTEGER NOT NULL,
  UNIQUE (agent_name, job_type, status)
);

CREATE TABLE rollup_hours (
  hour TEXT PRIMARY KEY,
  runs INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE rollup_state (
  id             INTEGER PRIMARY KEY CHECK (id = 1),
  change_counter INTEGER,
  trusted        INTEGER NOT NULL
);

CREATE TABLE retention (
  id             INTEGER PRIMARY KEY CHECK (id = 1),
  deleted_before TEXT NOT NULL
);

CREATE TABLE spool_files (
  name       TEXT,
  inode      TEXT,
  position   INTEGER NOT NULL,
  updated_at TEXT NOT NULL, digest TEXT,
  PRIMARY KEY (name, inode)
) WITHOUT ROWID;

CREATE TABLE run_events (
  id           INTEGER PRIMARY KEY,
  run_id       TEXT NOT NULL,
  event_type   TEXT NOT NULL,
  timestamp    TEXT NOT NULL,
  payload_json TEXT
);

CREATE INDEX idx_events_run ON run_events (run_id);

CREATE TABLE commits (
  commit_hash   TEXT PRIMARY KEY,
  run_id        TEXT,
  agent_name    TEXT,
  repo          TEXT,
  branch        TEXT,
  commit_date   TEXT,
  author        TEXT,
  message       TEXT,
  files_changed INTEGER,
  insertions    INTEGER,
  deletions     INTEGER,
  created_at    TEXT
);

CREATE INDEX idx_commits_run ON commits (run_id);

CREATE INDEX idx_rollup_runs_job ON rollup_runs (job_type);

CREATE TABLE upkeep (
  name     TEXT PRIMARY KEY,
  position INTEGER NOT NULL
) WITHOUT ROWID;
