-- How long runs are kept, and what became of those that are not: named policies, and an account of every deletion.

CREATE TABLE retention_policies (
    name TEXT PRIMARY KEY COLLATE NOCASE,
    added INTEGER NOT NULL,            -- nanoseconds since the epoch, UTC
    terms TEXT NOT NULL,               -- JSON object
    progress TEXT                      -- JSON object: how far an automatic application came, by part; NULL where it is done
) WITHOUT ROWID;

-- Samples that were folded into buckets of this span; without a row they are as they were measured.
CREATE TABLE coarse_curves (
    run INTEGER NOT NULL REFERENCES runs (seq),
    attempt INTEGER NOT NULL,
    seconds REAL NOT NULL,
    PRIMARY KEY (run, attempt)
) WITHOUT ROWID;

-- A row is written in the transaction that deletes, so it is there exactly if the deletion is.
CREATE TABLE retention_audit (
    id INTEGER PRIMARY KEY,
    action TEXT NOT NULL,              -- one application of a policy, one cleanup; it may take many transactions
    at INTEGER NOT NULL,
    what TEXT NOT NULL,                -- "apply", "cleanup", "auto", "add", "remove"
    policy TEXT,
    by TEXT,                           -- JSON object, user, host, pid and line; on the first row of an action
    part TEXT,                         -- "runs", "samples", "output", "metrics", "coarser", "archive", "space"
    before INTEGER,                    -- of runs started before this moment
    runs INTEGER,
    first INTEGER,                     -- starts of the oldest and the newest of them
    last INTEGER,
    samples INTEGER,                   -- attempts whose samples went with it
    outputs INTEGER,                   -- streams whose output went with it
    bytes INTEGER,                     -- of samples and output; of an archive; given back to the disk
    scripts TEXT,                      -- JSON object: name to runs
    archive TEXT,
    sha256 TEXT,
    complete INTEGER NOT NULL DEFAULT 0 -- whether nothing was left to do
);

CREATE TRIGGER retention_audit_stays BEFORE DELETE ON retention_audit
BEGIN SELECT RAISE(ABORT, 'the account of deletions can only grow'); END;

CREATE TRIGGER retention_audit_is_final BEFORE UPDATE ON retention_audit
BEGIN SELECT RAISE(ABORT, 'the account of deletions can only grow'); END;
