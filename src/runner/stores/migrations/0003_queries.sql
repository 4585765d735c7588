-- How many runs have each metric, day by day, so that the list of metrics need not read them all. Triggers keep it true
-- whoever changes runs. (A migration is split where a semicolon ends a line: inside a trigger none does.)

-- Which metrics a run has: a bit for each, in the order of the columns; the first has the value 1. It takes no space.
ALTER TABLE runs ADD COLUMN measured INTEGER GENERATED ALWAYS AS (
    (execution_time_seconds IS NOT NULL) | ((cpu_max IS NOT NULL) << 1) | ((cpu_avg IS NOT NULL) << 2)
    | ((cpu_min IS NOT NULL) << 3) | ((cpu_time_seconds IS NOT NULL) << 4)
    | ((user_time_seconds IS NOT NULL) << 5) | ((system_time_seconds IS NOT NULL) << 6)
    | ((memory_max_mb IS NOT NULL) << 7) | ((memory_avg_mb IS NOT NULL) << 8)
    | ((memory_min_mb IS NOT NULL) << 9) | ((memory_max_process_mb IS NOT NULL) << 10)
    | ((page_faults_minor IS NOT NULL) << 11) | ((page_faults_major IS NOT NULL) << 12)
    | ((num_threads IS NOT NULL) << 13) | ((num_fds IS NOT NULL) << 14)
    | ((num_processes IS NOT NULL) << 15) | ((voluntary_context_switches IS NOT NULL) << 16)
    | ((involuntary_context_switches IS NOT NULL) << 17) | ((block_io_read_bytes IS NOT NULL) << 18)
    | ((block_io_write_bytes IS NOT NULL) << 19) | ((io_read_bytes IS NOT NULL) << 20)
    | ((io_write_bytes IS NOT NULL) << 21) | ((stdout_lines IS NOT NULL) << 22)
    | ((stderr_lines IS NOT NULL) << 23) | ((stdout_size_bytes IS NOT NULL) << 24)
    | ((stderr_size_bytes IS NOT NULL) << 25) | ((survivors IS NOT NULL) << 26)
) VIRTUAL;

-- Most runs have the same metrics, so a day is a row or two.
CREATE TABLE presence (
    day INTEGER NOT NULL,              -- of the start: days since the epoch, UTC
    what NOT NULL,                     -- as a number: which metrics; as a text: the name of a metric that is no column
    runs INTEGER NOT NULL,
    PRIMARY KEY (day, what)
) WITHOUT ROWID;

INSERT INTO presence SELECT started / 86400000000000, measured, count(*) FROM runs GROUP BY 1, 2;

INSERT INTO presence SELECT started / 86400000000000, e.key, count(*) FROM runs, json_each(runs.extra) e
WHERE e.value IS NOT NULL GROUP BY 1, 2;

CREATE TRIGGER runs_added AFTER INSERT ON runs BEGIN
    INSERT INTO presence VALUES (new.started / 86400000000000, new.measured, 1)
    ON CONFLICT (day, what) DO UPDATE SET runs = runs + 1; INSERT INTO presence
    SELECT new.started / 86400000000000, key, 1 FROM json_each(new.extra) WHERE value IS NOT NULL
    ON CONFLICT (day, what) DO UPDATE SET runs = runs + 1; END;

CREATE TRIGGER runs_removed AFTER DELETE ON runs BEGIN
    UPDATE presence SET runs = runs - 1 WHERE day = old.started / 86400000000000 AND (what = old.measured
        OR what IN (SELECT key FROM json_each(old.extra) WHERE value IS NOT NULL)); DELETE FROM presence
    WHERE day = old.started / 86400000000000 AND runs = 0; END;

CREATE TRIGGER runs_changed_from AFTER UPDATE ON runs
WHEN old.started <> new.started OR old.measured <> new.measured OR old.extra IS NOT new.extra BEGIN
    UPDATE presence SET runs = runs - 1 WHERE day = old.started / 86400000000000 AND (what = old.measured
        OR what IN (SELECT key FROM json_each(old.extra) WHERE value IS NOT NULL)); DELETE FROM presence
    WHERE day = old.started / 86400000000000 AND runs = 0; END;

CREATE TRIGGER runs_changed_to AFTER UPDATE ON runs
WHEN old.started <> new.started OR old.measured <> new.measured OR old.extra IS NOT new.extra BEGIN
    INSERT INTO presence VALUES (new.started / 86400000000000, new.measured, 1)
    ON CONFLICT (day, what) DO UPDATE SET runs = runs + 1; INSERT INTO presence
    SELECT new.started / 86400000000000, key, 1 FROM json_each(new.extra) WHERE value IS NOT NULL
    ON CONFLICT (day, what) DO UPDATE SET runs = runs + 1; END;
