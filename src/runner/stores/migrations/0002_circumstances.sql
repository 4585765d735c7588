-- What explains that a run was not like the others, and what repeats it.

CREATE TABLE packages (
    id INTEGER PRIMARY KEY,
    hash TEXT NOT NULL UNIQUE,         -- of the list
    list BLOB NOT NULL                 -- JSON object, distribution to version, compressed
);

CREATE TABLE variables (
    id INTEGER PRIMARY KEY,
    facts TEXT NOT NULL UNIQUE         -- JSON object: variables of the environment that may change what a script does
);

CREATE TABLE lines (
    id INTEGER PRIMARY KEY,
    crc INTEGER NOT NULL,              -- as with arguments
    words TEXT NOT NULL,               -- JSON list: what the runner was given, compressed if it is long
    directory TEXT                     -- where the runner was called, NULL for the directory that the script ran in
);
CREATE INDEX lines_by_crc ON lines (crc);

ALTER TABLE environments ADD COLUMN packages INTEGER REFERENCES packages;
ALTER TABLE environments ADD COLUMN variables INTEGER REFERENCES variables;

ALTER TABLE hosts ADD COLUMN class TEXT NOT NULL DEFAULT '';
UPDATE hosts SET class = host_class(facts);

ALTER TABLE arguments ADD COLUMN shape TEXT NOT NULL DEFAULT '';
UPDATE arguments SET shape = arguments_shape(args);

-- The load is in hundredths of the host's load average of one minute at the start; the input is the size of the files
-- that arguments and standard input name.
ALTER TABLE runs ADD COLUMN line INTEGER REFERENCES lines;
ALTER TABLE runs ADD COLUMN load INTEGER;
ALTER TABLE runs ADD COLUMN input_bytes INTEGER;

-- How often the same error came before is one look into this.
CREATE INDEX runs_by_error ON runs (script, error_type, started) WHERE error_type IS NOT NULL;
