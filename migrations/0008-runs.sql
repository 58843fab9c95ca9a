-- Version 8: runs, their rollups, what merging and the spool need. Earlier numbers are the predecessor's.
-- IF NOT EXISTS: until its release this step grows, and completes the databases of earlier checkouts (writer/migrate.ts).

CREATE TABLE IF NOT EXISTS schema_migrations (
  version     INTEGER PRIMARY KEY,
  applied_at  TEXT NOT NULL,
  description TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS agent_runs (
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
);

-- Lists are newest first: each index ends in created_at DESC, and the rowid behind it breaks ties.
CREATE INDEX IF NOT EXISTS idx_runs_created_desc ON agent_runs (created_at DESC);
CREATE INDEX IF NOT EXISTS idx_runs_agent_status_created ON agent_runs (agent_name, status, created_at DESC);
CREATE INDEX IF NOT EXISTS idx_runs_agent_created ON agent_runs (agent_name, created_at DESC);
CREATE INDEX IF NOT EXISTS idx_runs_status ON agent_runs (status, created_at DESC);
CREATE INDEX IF NOT EXISTS idx_runs_job_type ON agent_runs (job_type, created_at DESC);
CREATE INDEX IF NOT EXISTS idx_runs_run_id ON agent_runs (run_id, created_at DESC);
CREATE INDEX IF NOT EXISTS idx_runs_start ON agent_runs (start_time);
CREATE INDEX IF NOT EXISTS idx_runs_insight ON agent_runs (insight_id, created_at DESC) WHERE insight_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS idx_runs_parent ON agent_runs (parent_run_id, created_at DESC) WHERE parent_run_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS idx_runs_commit ON agent_runs (git_commit_hash) WHERE git_commit_hash IS NOT NULL;
CREATE INDEX IF NOT EXISTS idx_runs_website ON agent_runs (website, created_at DESC) WHERE website IS NOT NULL;

-- The clocks of a run's fields; a row only for runs that were changed after their creation.
CREATE TABLE IF NOT EXISTS run_clocks (
  id     INTEGER PRIMARY KEY REFERENCES agent_runs (id) ON DELETE CASCADE,
  clocks TEXT NOT NULL
);

-- Runs of earlier versions that could not be taken over as they were: what was wrong (a JSON array), and the older row (JSON).
CREATE TABLE IF NOT EXISTS migrated_originals (
  id       INTEGER PRIMARY KEY REFERENCES agent_runs (id) ON DELETE CASCADE,
  reasons  TEXT NOT NULL,
  original TEXT NOT NULL
);

-- Counts kept by the writer in the transaction that changes the runs.
CREATE TABLE IF NOT EXISTS rollup_runs (
  agent_name TEXT NOT NULL,
  job_type   TEXT NOT NULL,
  status     TEXT NOT NULL,
  runs       INTEGER NOT NULL,
  PRIMARY KEY (agent_name, job_type, status)
) WITHOUT ROWID;

-- How many runs have ever come into each, in the order in which the combinations came. Only grows: neither retention nor a
-- change of status takes any away.
CREATE TABLE IF NOT EXISTS rollup_ever (
  id         INTEGER PRIMARY KEY,
  agent_name TEXT NOT NULL,
  job_type   TEXT NOT NULL,
  status     TEXT NOT NULL,
  runs       INTEGER NOT NULL,
  UNIQUE (agent_name, job_type, status)
);
-- For a database that was made before this table was.
INSERT INTO rollup_ever (agent_name, job_type, status, runs)
SELECT agent_name, job_type, status, runs FROM rollup_runs
WHERE runs > 0 AND NOT EXISTS (SELECT 1 FROM rollup_ever) ORDER BY runs DESC LIMIT 10000;

-- By hour of created_at, as its first 13 characters: 2026-01-10T12.
CREATE TABLE IF NOT EXISTS rollup_hours (
  hour TEXT PRIMARY KEY,
  runs INTEGER NOT NULL
) WITHOUT ROWID;

-- change_counter: the database header's as our last commit left it (NULL in WAL, where it stands still);
-- trusted: whether the rollups count every run, or are just being counted anew.
CREATE TABLE IF NOT EXISTS rollup_state (
  id             INTEGER PRIMARY KEY CHECK (id = 1),
  change_counter INTEGER,
  trusted        INTEGER NOT NULL
);

-- Until when runs were deleted on purpose, so that nobody misses them.
CREATE TABLE IF NOT EXISTS retention (
  id             INTEGER PRIMARY KEY CHECK (id = 1),
  deleted_before TEXT NOT NULL
);

-- How far each spool file has been read, kept in the transaction that stores its lines. `name` is the file's without
-- .jsonl and its state, for it is renamed while it is read; `inode` tells apart two files of one name.
CREATE TABLE IF NOT EXISTS spool_files (
  name       TEXT,
  inode      TEXT,
  position   INTEGER NOT NULL,
  updated_at TEXT NOT NULL,
  PRIMARY KEY (name, inode)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS run_events (
  id           INTEGER PRIMARY KEY,
  run_id       TEXT NOT NULL,
  event_type   TEXT NOT NULL,
  timestamp    TEXT NOT NULL,
  payload_json TEXT
);
CREATE INDEX IF NOT EXISTS idx_events_run ON run_events (run_id);

CREATE TABLE IF NOT EXISTS commits (
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
CREATE INDEX IF NOT EXISTS idx_commits_run ON commits (run_id);
