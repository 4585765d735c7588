-- Alerts: what is remembered of each between runs, what became of it in each run, and the messages to be sent. The id of
-- a run stands for it, not its key: an alert may fire before the run is stored. (A migration is split where a semicolon
-- ends a line: inside a trigger none does.)

CREATE TABLE alert_states (
    rule TEXT NOT NULL,                -- name of the alert
    script NOT NULL,                   -- key and name of the script
    name NOT NULL,
    severity TEXT NOT NULL,
    held INTEGER NOT NULL,             -- runs in a row in which its condition held
    since INTEGER,                     -- when the first of them was judged (this and all times: nanoseconds, UTC)
    told INTEGER,                      -- when its last message was made
    boot TEXT NOT NULL,                -- the boot of the machine that made it, and that boot's clock
    up INTEGER NOT NULL,
    untold INTEGER NOT NULL,           -- firings since then that were not told
    open INTEGER NOT NULL,             -- whether it was told that it holds, and not yet that it is over
    acked INTEGER,                     -- when it was acknowledged, and by whom
    acked_by NOT NULL,
    PRIMARY KEY (rule, script, name)
) WITHOUT ROWID;

CREATE TABLE alerts (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL,              -- id of the run
    script NOT NULL,
    name NOT NULL,
    at INTEGER NOT NULL,
    rule TEXT NOT NULL,
    severity TEXT NOT NULL,
    condition TEXT NOT NULL,
    outcome TEXT NOT NULL,             -- "told", "over", "waiting", "throttled", "acknowledged", "muted"
    during INTEGER NOT NULL,           -- whether the run still lasted
    text NOT NULL                      -- what was found
);

CREATE INDEX alerts_by_run ON alerts (run);
CREATE INDEX alerts_by_time ON alerts (at);

-- One message to one channel. What was sent stays without its body, to tell what became of an alert.
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY,
    message TEXT NOT NULL UNIQUE,      -- idempotency key
    run INTEGER NOT NULL,
    channel TEXT NOT NULL,
    target TEXT NOT NULL,              -- fingerprint of where the channel leads to; secrets are never stored
    added INTEGER NOT NULL,
    state TEXT NOT NULL,               -- "waiting", "sent", "refused"
    due INTEGER NOT NULL,              -- not to be sent before
    tries INTEGER NOT NULL DEFAULT 0,
    lease TEXT,                        -- who is sending it, and until when nobody else may
    leased_until INTEGER,
    done INTEGER,                      -- when it was sent or refused
    problem TEXT,                      -- why the last try failed
    body BLOB                          -- the message, packed JSON
);

CREATE INDEX outbox_by_run ON outbox (run);
CREATE INDEX outbox_waiting ON outbox (channel, target, due) WHERE state = 'waiting';

CREATE TABLE alert_messages (
    alert INTEGER NOT NULL REFERENCES alerts (id),
    message INTEGER NOT NULL REFERENCES outbox (id),
    PRIMARY KEY (alert, message)
) WITHOUT ROWID;

CREATE INDEX alert_messages_by_message ON alert_messages (message);

-- A channel that does not take messages is left in peace for a while, by every runner.
CREATE TABLE outbox_pauses (
    channel TEXT NOT NULL,
    target TEXT NOT NULL,
    until INTEGER NOT NULL,
    failures INTEGER NOT NULL,         -- in a row
    problem TEXT NOT NULL,
    PRIMARY KEY (channel, target)
) WITHOUT ROWID;

CREATE TABLE alert_mutes (
    id INTEGER PRIMARY KEY,
    rule TEXT NOT NULL,                -- "" for every alert
    script NOT NULL,                   -- as people name it, "" for every script
    since INTEGER NOT NULL,
    until INTEGER,                     -- NULL: until it is unmuted
    by NOT NULL,
    note NOT NULL
);

CREATE TRIGGER runs_removed_alerts AFTER DELETE ON runs
WHEN EXISTS (SELECT 1 FROM alerts WHERE run = old.id) OR EXISTS (SELECT 1 FROM outbox WHERE run = old.id) BEGIN
    DELETE FROM alert_messages WHERE alert IN (SELECT id FROM alerts WHERE run = old.id) OR message IN
        (SELECT id FROM outbox WHERE run = old.id); DELETE FROM alerts WHERE run = old.id; DELETE FROM outbox
    WHERE run = old.id; END;

CREATE TRIGGER scripts_removed_alerts AFTER DELETE ON scripts BEGIN
    DELETE FROM alert_states WHERE script = old.key AND name = old.name AND NOT EXISTS
        (SELECT 1 FROM scripts WHERE key = old.key AND name = old.name); END;
