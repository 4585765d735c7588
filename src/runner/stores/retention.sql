-- What deleting asks. {where} says which runs are meant, {doomed} are the keys of the runs of a batch.

-- list_policies --
SELECT name, added, terms FROM retention_policies WHERE name != '' ORDER BY added, name

-- put_policy --
INSERT INTO retention_policies (name, added, terms) VALUES (?, ?, ?)
ON CONFLICT (name) DO UPDATE SET name = excluded.name, added = excluded.added, terms = excluded.terms, progress = NULL

-- drop_policy --
DELETE FROM retention_policies WHERE name = ?

-- get_progress --
SELECT progress FROM retention_policies WHERE name = ?

-- put_nameless --
INSERT OR IGNORE INTO retention_policies (name, added, terms) VALUES ('', ?, '{}')

-- put_progress --
UPDATE retention_policies SET progress = ? WHERE name = ?

-- add_audit --
INSERT INTO retention_audit (action, at, what, policy, by, part, before, runs, first, last, samples, outputs, bytes,
    scripts, archive, sha256, complete)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- list_audit --
SELECT action, at, what, policy, by, part, before, runs, first, last, samples, outputs, bytes, scripts, archive, sha256,
    complete
FROM retention_audit WHERE action IN (SELECT action FROM retention_audit GROUP BY action ORDER BY max(id) DESC LIMIT ?)
ORDER BY id

-- page_by_start --
SELECT r.seq, r.id, r.started, {where} FROM runs r INDEXED BY runs_by_start
WHERE r.started < ? AND (r.started, r.seq) > (?, ?) ORDER BY r.started, r.seq LIMIT ?

-- page_by_script --
SELECT r.seq, r.id, r.started, {where} FROM runs r INDEXED BY runs_by_script
WHERE r.script = ? AND r.started < ? AND (r.started, r.seq) > (?, ?) ORDER BY r.started, r.seq LIMIT ?

-- page_of_samples --
SELECT r.seq, r.id, {where} FROM (SELECT DISTINCT run FROM curves WHERE run > ? ORDER BY run LIMIT ?) p
CROSS JOIN runs r ON r.seq = p.run

-- page_of_output --
SELECT r.seq, r.id, {where} FROM (SELECT DISTINCT run FROM outputs WHERE run > ? ORDER BY run LIMIT ?) p
CROSS JOIN runs r ON r.seq = p.run

-- weigh_runs --
SELECT r.script, count(*), min(r.started), max(r.started) FROM runs r WHERE {where} GROUP BY r.script

-- count_runs --
SELECT count(*) FROM runs r WHERE {where}

-- weigh_samples --
SELECT r.script, count(*), total(length(c.data)), count(DISTINCT r.seq), min(r.started), max(r.started)
FROM curves c CROSS JOIN runs r ON r.seq = c.run WHERE {where} GROUP BY r.script

-- weigh_output --
SELECT r.script, count(*), total(length(o.head) + ifnull(length(o.tail), 0)), count(DISTINCT r.seq), min(r.started),
    max(r.started)
FROM outputs o CROSS JOIN runs r ON r.seq = o.run WHERE {where} GROUP BY r.script

-- count_trees --
SELECT count(*) FROM sqlite_master WHERE rootpage > 0

-- some_curves --
SELECT c.data FROM curves c CROSS JOIN runs r ON r.seq = c.run WHERE {where} LIMIT 20

-- is_coarse --
EXISTS (SELECT 1 FROM curves c WHERE c.run = r.seq AND NOT EXISTS
    (SELECT 1 FROM coarse_curves d WHERE d.run = c.run AND d.attempt = c.attempt AND d.seconds >= ?))

-- has_figure --
EXISTS (SELECT 1 FROM json_each(r.extra) WHERE key = ?)

-- doomed --
SELECT value FROM json_each(?1)

-- owners --
SELECT seq, id, script, started FROM runs WHERE seq IN ({doomed})

-- delete_runs --
DELETE FROM runs WHERE seq IN ({doomed})

-- delete_attempts --
DELETE FROM attempts WHERE run IN ({doomed})

-- delete_coarse --
DELETE FROM coarse_curves WHERE run IN ({doomed})

-- delete_samples --
DELETE FROM curves WHERE run IN ({doomed}) RETURNING run, length(data)

-- delete_output --
DELETE FROM outputs WHERE run IN ({doomed}) RETURNING run, length(head) + ifnull(length(tail), 0)

-- forget_figures --
UPDATE {table} SET {figures} WHERE {key} IN ({doomed})

-- list_fine_curves --
SELECT c.run, c.attempt, c.data FROM curves c LEFT JOIN coarse_curves d ON d.run = c.run AND d.attempt = c.attempt
WHERE c.run IN ({doomed}) AND ifnull(d.seconds, 0) < ?2

-- replace_curve --
UPDATE curves SET data = ? WHERE run = ? AND attempt = ? AND data = ?

-- mark_coarse --
INSERT INTO coarse_curves (run, attempt, seconds) VALUES (?, ?, ?)
ON CONFLICT (run, attempt) DO UPDATE SET seconds = excluded.seconds

-- newest_key --
SELECT seq, id FROM runs WHERE seq = (SELECT max(seq) FROM runs)

-- newest_key_of --
SELECT 1 FROM runs WHERE seq = ? AND id = ?

-- unused --
SELECT id FROM {table} WHERE id NOT IN (SELECT {column} FROM runs WHERE {column} IS NOT NULL)

-- drop_unused --
DELETE FROM {table} WHERE id IN (SELECT value FROM json_each(?))
    AND NOT EXISTS (SELECT 1 FROM runs WHERE seq > ? AND {column} = {table}.id)

-- drop_unused_scripts --
DELETE FROM scripts WHERE NOT EXISTS (SELECT 1 FROM runs WHERE script = scripts.id)

-- drop_unused_packages --
DELETE FROM packages WHERE id NOT IN (SELECT packages FROM environments WHERE packages IS NOT NULL)

-- drop_unused_variables --
DELETE FROM variables WHERE id NOT IN (SELECT variables FROM environments WHERE variables IS NOT NULL)
