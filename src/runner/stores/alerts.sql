-- What the life of alerts asks of the SQLite store.

-- get_state --
SELECT held, since, told, boot, up, untold, open, acked, acked_by, severity FROM alert_states
WHERE rule = ? AND script = ? AND name = ?

-- put_state --
INSERT INTO alert_states (rule, script, name, held, since, told, boot, up, untold, open, acked, acked_by, severity)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (rule, script, name) DO UPDATE SET held = excluded.held, since = excluded.since, told = excluded.told,
    boot = excluded.boot, up = excluded.up, untold = excluded.untold, open = excluded.open, acked = excluded.acked,
    acked_by = excluded.acked_by, severity = excluded.severity

-- list_states --
SELECT rule, script, name, held, since, told, boot, up, untold, open, acked, acked_by, severity FROM alert_states
WHERE held > 0 ORDER BY since DESC

-- list_mutes --
SELECT id, rule, script, since, until, by, note FROM alert_mutes WHERE until IS NULL OR until > ? ORDER BY id

-- add_mute --
INSERT INTO alert_mutes (rule, script, since, until, by, note) VALUES (?, ?, ?, ?, ?, ?)

-- end_mutes --
DELETE FROM alert_mutes WHERE until <= ?

-- drop_mute --
DELETE FROM alert_mutes WHERE id = ?

-- add_alert --
INSERT INTO alerts (run, script, name, at, rule, severity, condition, outcome, during, text)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- add_message --
INSERT INTO outbox (message, run, channel, target, added, state, due, tries, lease, leased_until, body)
VALUES (?, ?, ?, ?, ?, 'waiting', 0, 1, ?, ?, ?)

-- add_link --
INSERT INTO alert_messages (alert, message) VALUES (?, ?)

-- list_alerts --
SELECT a.id, a.run, a.script, a.name, a.at, a.rule, a.severity, a.condition, a.outcome, a.during, a.text,
    (SELECT json_group_array(json_array(o.channel, o.state, o.problem)) FROM alert_messages l JOIN outbox o
        ON o.id = l.message WHERE l.alert = a.id)
FROM alerts a WHERE {where} ORDER BY a.at DESC, a.id DESC LIMIT ?

-- list_alert_scripts --
SELECT DISTINCT script, name FROM alerts

-- get_pause --
SELECT until, failures, problem FROM outbox_pauses WHERE channel = ? AND target = ?

-- put_pause --
INSERT INTO outbox_pauses (channel, target, until, failures, problem) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (channel, target) DO UPDATE SET until = excluded.until, failures = excluded.failures,
    problem = excluded.problem

-- drop_pause --
DELETE FROM outbox_pauses WHERE channel = ? AND target = ?

-- claim --
UPDATE outbox SET lease = ?1, leased_until = ?2, tries = tries + 1
WHERE id IN (SELECT id FROM outbox WHERE state = 'waiting' AND channel = ?3 AND target = ?4
    AND (due <= ?5 OR due > ?6 OR ?8)
    AND (leased_until IS NULL OR leased_until <= ?5 OR leased_until > ?7)
    ORDER BY tries, id LIMIT ?9)
RETURNING tries, id, body

-- has_due --
SELECT 1 FROM outbox WHERE state = 'waiting' AND channel = ? AND target = ? AND (due <= ?3 OR due > ?4)
    AND (leased_until IS NULL OR leased_until <= ?3 OR leased_until > ?5) LIMIT 1

-- mark_sent --
UPDATE outbox SET state = 'sent', done = ?, body = NULL, problem = NULL, lease = NULL, leased_until = NULL WHERE id = ?

-- mark_refused --
UPDATE outbox SET state = 'refused', done = ?, problem = ?, lease = NULL, leased_until = NULL
WHERE id = ? AND state = 'waiting'

-- mark_failed --
UPDATE outbox SET due = ?, problem = ?, lease = NULL, leased_until = NULL
WHERE id = ? AND state = 'waiting' AND lease = ?

-- release --
UPDATE outbox SET lease = NULL, leased_until = NULL, tries = max(tries - 1, 0)
WHERE id = ? AND state = 'waiting' AND lease = ?

-- put_body --
UPDATE outbox SET body = ? WHERE id = ? AND state = 'waiting' AND lease = ?

-- list_outbox --
SELECT o.id, o.message, o.run, o.channel, o.target, o.added, o.state, max(o.due, o.added), o.tries, o.leased_until, o.problem, o.body
FROM outbox o WHERE o.state <> 'sent' ORDER BY o.id LIMIT ?

-- count_outbox --
SELECT channel, target, state, count(*) FROM outbox WHERE state <> 'sent' GROUP BY channel, target, state

-- retarget --
UPDATE outbox SET target = ?, due = ?, state = 'waiting' WHERE channel = ? AND state <> 'sent' AND lease IS NULL
