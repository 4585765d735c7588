-- Runs and what surrounds them. Times are nanoseconds since the epoch, UTC; durations nanoseconds.
-- What repeats from run to run (script, host, interpreter, code, arguments) has a table of its own.

CREATE TABLE scripts (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL,                 -- what history groups by: an absolute path, "-m module", a command
    path TEXT NOT NULL,                -- as it was typed
    name TEXT NOT NULL,                -- what people call it
    UNIQUE (key, path, name)
);

CREATE TABLE hosts (
    id INTEGER PRIMARY KEY,
    facts TEXT NOT NULL UNIQUE         -- JSON object
);

CREATE TABLE environments (
    id INTEGER PRIMARY KEY,
    python TEXT,
    python_version TEXT,
    runner_version TEXT NOT NULL,
    user TEXT NOT NULL,
    cwd TEXT NOT NULL
);
CREATE INDEX environments_by_cwd ON environments (cwd);

CREATE TABLE versions (
    id INTEGER PRIMARY KEY,
    script_hash TEXT,                  -- SHA-256 of the script's file
    git_commit TEXT,
    git_dirty INTEGER
);
CREATE INDEX versions_by_hash ON versions (script_hash);

CREATE TABLE arguments (
    id INTEGER PRIMARY KEY,
    crc INTEGER NOT NULL,              -- CRC-32 of the text, since an index over long texts would double them
    args TEXT NOT NULL                 -- JSON list, compressed if it is long
);
CREATE INDEX arguments_by_crc ON arguments (crc);

-- A run and its last attempt, which speaks for it.
CREATE TABLE runs (
    seq INTEGER PRIMARY KEY,           -- in the order in which they were stored
    id INTEGER NOT NULL,               -- the 12 hexadecimal digits of the run's id, as a number
    script INTEGER NOT NULL REFERENCES scripts,
    started INTEGER NOT NULL,
    host INTEGER NOT NULL REFERENCES hosts,
    environment INTEGER NOT NULL REFERENCES environments,
    version INTEGER REFERENCES versions,
    arguments INTEGER REFERENCES arguments,
    tags TEXT,                         -- JSON object, NULL for none
    extra TEXT,                        -- JSON object: metrics of other names, NULL for none
    attempts INTEGER NOT NULL,
    number INTEGER NOT NULL,           -- from here on, the columns of an attempt
    delay REAL NOT NULL,
    offset INTEGER NOT NULL,           -- from the run's start to the attempt's
    duration INTEGER,                  -- NULL if nobody saw the end
    reason TEXT NOT NULL,
    exit_code INTEGER,
    signal INTEGER,
    error_type TEXT,
    error_message TEXT,
    merged INTEGER NOT NULL,
    kinds TEXT,                        -- JSON object: metrics that are known less well than usual
    execution_time_seconds REAL,
    cpu_max REAL,
    cpu_avg REAL,
    cpu_min REAL,
    cpu_time_seconds REAL,
    user_time_seconds REAL,
    system_time_seconds REAL,
    memory_max_mb REAL,
    memory_avg_mb REAL,
    memory_min_mb REAL,
    memory_max_process_mb REAL,
    page_faults_minor INTEGER,
    page_faults_major INTEGER,
    num_threads INTEGER,
    num_fds INTEGER,
    num_processes INTEGER,
    voluntary_context_switches INTEGER,
    involuntary_context_switches INTEGER,
    block_io_read_bytes INTEGER,
    block_io_write_bytes INTEGER,
    io_read_bytes INTEGER,
    io_write_bytes INTEGER,
    stdout_lines INTEGER,
    stderr_lines INTEGER,
    stdout_size_bytes INTEGER,
    stderr_size_bytes INTEGER,
    survivors INTEGER
);
CREATE UNIQUE INDEX runs_by_id ON runs (id);
CREATE INDEX runs_by_start ON runs (started);
CREATE INDEX runs_by_script ON runs (script, started);

-- The attempts before the last.
CREATE TABLE attempts (
    run INTEGER NOT NULL REFERENCES runs (seq),
    number INTEGER NOT NULL,
    delay REAL NOT NULL,
    offset INTEGER NOT NULL,
    duration INTEGER,
    reason TEXT NOT NULL,
    exit_code INTEGER,
    signal INTEGER,
    error_type TEXT,
    error_message TEXT,
    merged INTEGER NOT NULL,
    kinds TEXT,
    execution_time_seconds REAL,
    cpu_max REAL,
    cpu_avg REAL,
    cpu_min REAL,
    cpu_time_seconds REAL,
    user_time_seconds REAL,
    system_time_seconds REAL,
    memory_max_mb REAL,
    memory_avg_mb REAL,
    memory_min_mb REAL,
    memory_max_process_mb REAL,
    page_faults_minor INTEGER,
    page_faults_major INTEGER,
    num_threads INTEGER,
    num_fds INTEGER,
    num_processes INTEGER,
    voluntary_context_switches INTEGER,
    involuntary_context_switches INTEGER,
    block_io_read_bytes INTEGER,
    block_io_write_bytes INTEGER,
    io_read_bytes INTEGER,
    io_write_bytes INTEGER,
    stdout_lines INTEGER,
    stderr_lines INTEGER,
    stdout_size_bytes INTEGER,
    stderr_size_bytes INTEGER,
    survivors INTEGER,
    PRIMARY KEY (run, number)
) WITHOUT ROWID;

-- What was sampled: one blob an attempt.
CREATE TABLE curves (
    run INTEGER NOT NULL REFERENCES runs (seq),
    attempt INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (run, attempt)
);

-- The beginning and the end of each output stream, compressed.
CREATE TABLE outputs (
    run INTEGER NOT NULL REFERENCES runs (seq),
    attempt INTEGER NOT NULL,
    stream TEXT NOT NULL,
    size INTEGER NOT NULL,
    lines INTEGER NOT NULL,
    head BLOB NOT NULL,
    tail BLOB,
    PRIMARY KEY (run, attempt, stream)
);
