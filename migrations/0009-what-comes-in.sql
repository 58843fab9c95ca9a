-- Version 9: what comes in may be mended, and is kept as it came; what readers derived at each list is derived once.

-- Derived from git_repo when it is stored; NULL: not yet, by a release before this or by another program; '': it has none.
ALTER TABLE agent_runs ADD COLUMN repo_url TEXT;
ALTER TABLE agent_runs ADD COLUMN commits_url TEXT;

-- Of the bytes before the position: a file that was rewritten since has others.
ALTER TABLE spool_files ADD COLUMN digest TEXT;

-- Runs of which something could not be stored as it came, at whatever door: why (a JSON array), and what came (JSON, by field).
ALTER TABLE migrated_originals RENAME TO run_originals;

-- Job types are listed a page at a time.
CREATE INDEX IF NOT EXISTS idx_rollup_runs_job ON rollup_runs (job_type);

-- Work on rows of before that goes on between groups: the greatest id it is done with; 2^53 - 1 once it has come to its end.
CREATE TABLE IF NOT EXISTS upkeep (
  name     TEXT PRIMARY KEY,
  position INTEGER NOT NULL
) WITHOUT ROWID;
-- Where there are none, there is nothing to do.
INSERT INTO upkeep (name, position)
SELECT column1, 9007199254740991 FROM (VALUES ('durations'), ('addresses')) WHERE NOT EXISTS (SELECT 1 FROM agent_runs);
