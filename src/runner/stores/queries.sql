-- What the SQLite store asks. {metrics} are the columns of the catalog; a question mark stands for each.

-- find_script --
SELECT id FROM scripts WHERE key = ? AND path = ? AND name = ?

-- add_script --
INSERT INTO scripts (key, path, name) VALUES (?, ?, ?)

-- find_host --
SELECT id FROM hosts WHERE facts = ?

-- add_host --
INSERT INTO hosts (facts, class) VALUES (?, ?)

-- find_environment --
SELECT id FROM environments WHERE cwd = ? AND python IS ? AND python_version IS ? AND runner_version = ? AND user = ?
    AND packages IS ? AND variables IS ?

-- add_environment --
INSERT INTO environments (cwd, python, python_version, runner_version, user, packages, variables)
VALUES (?, ?, ?, ?, ?, ?, ?)

-- find_packages --
SELECT id FROM packages WHERE hash = ?

-- add_packages --
INSERT INTO packages (hash, list) VALUES (?, ?)

-- find_variables --
SELECT id FROM variables WHERE facts = ?

-- add_variables --
INSERT INTO variables (facts) VALUES (?)

-- find_line --
SELECT id FROM lines WHERE crc = ? AND words = ? AND directory IS ?

-- add_line --
INSERT INTO lines (crc, words, directory) VALUES (?, ?, ?)

-- find_version --
SELECT id FROM versions WHERE script_hash IS ? AND git_commit IS ? AND git_dirty IS ?

-- add_version --
INSERT INTO versions (script_hash, git_commit, git_dirty) VALUES (?, ?, ?)

-- find_arguments --
SELECT id FROM arguments WHERE crc = ? AND args = ?

-- add_arguments --
INSERT INTO arguments (crc, args, shape) VALUES (?, ?, ?)

-- has_run --
SELECT 1 FROM runs WHERE id = ?

-- add_run --
INSERT INTO runs (id, script, started, host, environment, version, arguments, line, load, input_bytes, tags, extra,
    attempts, number, delay, offset, duration, reason, exit_code, signal, error_type, error_message, merged, kinds, {metrics})
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, {marks})

-- add_attempt --
INSERT INTO attempts (run,
    number, delay, offset, duration, reason, exit_code, signal, error_type, error_message, merged, kinds, {metrics})
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, {marks})

-- add_curve --
INSERT INTO curves (run, attempt, data) VALUES (?, ?, ?)

-- add_output --
INSERT INTO outputs (run, attempt, stream, size, lines, head, tail, times) VALUES (?, ?, ?, ?, ?, ?, ?, ?)

-- has_run_alerts --
SELECT 1 FROM alerts WHERE run = ? LIMIT 1

-- add_run_alert --
INSERT INTO alerts (run, script, name, at, rule, severity, condition, outcome, during, text)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- list_run_alerts --
SELECT a.run, a.at, a.rule, a.severity, a.condition, a.outcome, a.during, a.text
FROM json_each(?) w CROSS JOIN alerts a ON a.run = w.value ORDER BY a.id

-- list_runs --
SELECT r.seq, r.id, r.started, r.attempts, r.tags, r.extra, s.key, s.path, s.name, h.facts,
    e.cwd, e.python, e.python_version, e.runner_version, e.user, v.script_hash, v.git_commit, v.git_dirty, a.args,
    l.words, p.hash, r.load, r.input_bytes,
    r.number, r.delay, r.offset, r.duration, r.reason, r.exit_code, r.signal, r.error_type, r.error_message, r.merged,
    r.kinds, {metrics}
FROM runs r JOIN scripts s ON s.id = r.script JOIN hosts h ON h.id = r.host
    JOIN environments e ON e.id = r.environment LEFT JOIN versions v ON v.id = r.version
    LEFT JOIN arguments a ON a.id = r.arguments LEFT JOIN lines l ON l.id = r.line
    LEFT JOIN packages p ON p.id = e.packages
WHERE {where}

-- list_figures --
SELECT {columns} FROM runs r WHERE {where}

-- nth_newest --
SELECT max((SELECT started FROM runs WHERE script = r.script AND started < ? ORDER BY started DESC LIMIT 1 OFFSET ?))
FROM (SELECT id AS script FROM scripts) r WHERE {where}

-- scan_runs --
SELECT r.seq, r.id, r.started, r.attempts, r.tags, r.extra, r.script, r.host, r.environment,
    v.script_hash, v.git_commit, v.git_dirty, a.args, l.words, r.load, r.input_bytes,
    r.number, r.delay, r.offset, r.duration, r.reason, r.exit_code, r.signal, r.error_type, r.error_message, r.merged,
    r.kinds, {metrics}
FROM runs r LEFT JOIN versions v ON v.id = r.version
    LEFT JOIN arguments a ON a.id = r.arguments LEFT JOIN lines l ON l.id = r.line
WHERE {where}

-- scan_scripts --
SELECT id, key, path, name FROM scripts

-- scan_hosts --
SELECT id, facts FROM hosts

-- scan_environments --
SELECT e.id, e.cwd, e.python, e.python_version, e.runner_version, e.user, p.hash
FROM environments e LEFT JOIN packages p ON p.id = e.packages

-- known_runs --
SELECT r.id FROM runs r JOIN json_each(?) w ON w.value = r.id

-- mentions --
(instr(folded(r.error_message), ?)
    OR EXISTS (SELECT 1 FROM attempts a WHERE a.run = r.seq AND instr(folded(a.error_message), ?))
    OR EXISTS (SELECT 1 FROM outputs o WHERE o.run = r.seq AND holds_text(?, o.size, o.head, o.tail)))

-- count_runs --
SELECT count(*) FROM runs r WHERE {where}

-- count_days --
SELECT (SELECT total(runs) FROM presence WHERE day >= ? AND day < ? AND typeof(what) = 'integer')
    + (SELECT count(*) FROM runs WHERE started >= ? AND started < ?)
    + (SELECT count(*) FROM runs WHERE started >= ? AND started < ?)

-- list_attempts --
SELECT number, delay, offset, duration, reason, exit_code, signal, error_type, error_message, merged, kinds, {metrics}
FROM attempts WHERE run = ? ORDER BY number

-- list_outputs --
SELECT attempt, stream, size, lines, head, tail, times FROM outputs WHERE run = ?

-- get_circumstances --
SELECT p.list, v.facts, l.directory FROM runs r JOIN environments e ON e.id = r.environment
    LEFT JOIN packages p ON p.id = e.packages LEFT JOIN variables v ON v.id = e.variables
    LEFT JOIN lines l ON l.id = r.line
WHERE r.seq = ?

-- list_curves --
SELECT attempt, data FROM curves WHERE run = ?

-- get_curve --
SELECT data FROM curves JOIN runs ON runs.seq = curves.run WHERE runs.id = ? AND attempt = ?

-- list_errors --
SELECT r.error_message, count(*), min(r.started), max(r.started) FROM runs r
WHERE {where} AND r.error_type = ? GROUP BY r.error_message

-- list_scripts --
SELECT id, key, path, name FROM scripts

-- count_all --
SELECT count(*), total(attempts), count(DISTINCT script), min(started), max(started) FROM runs

-- weigh --
SELECT (SELECT total(length(data)) FROM curves), (SELECT total(length(head) + ifnull(length(tail), 0)) FROM outputs)
