-- What the SQLite store asks about the values of one metric. {value} is the metric's; {where} says which runs.
-- Quantiles are exact (Hyndman and Fan's type 7): these find the two values on either side of each.

-- list_points --
SELECT started, v, id, name, path FROM (
    SELECT r.started, {value} AS v, r.id, r.seq, s.name, s.path FROM runs r JOIN scripts s ON s.id = r.script WHERE {where}
) WHERE v IS NOT NULL

-- summarize --
SELECT count(v), min(v), max(v), avg(v), total(v) FROM (SELECT {value} AS v FROM runs r WHERE {where})

-- make_values --
CREATE TEMP TABLE IF NOT EXISTS picked (v)

-- clear_values --
DELETE FROM temp.picked

-- take_values --
INSERT INTO temp.picked SELECT v FROM (SELECT {value} AS v FROM runs r WHERE {where}) WHERE v IS NOT NULL {order}

-- summarize_values --
SELECT count(*), min(v), max(v), avg(v), total(v) FROM temp.picked

-- spread_values --
SELECT total((v - m) * (v - m)) FROM (SELECT ? AS m), temp.picked

-- pick_values --
SELECT value, v FROM json_each(?) CROSS JOIN temp.picked ON picked.rowid = value + 1

-- summarize_buckets --
WITH points AS (
    SELECT b.key AS bucket, {value} AS v FROM json_each(?) b CROSS JOIN runs r
    WHERE r.started >= b.value ->> 0 AND r.started < b.value ->> 1 AND {where}
)
SELECT bucket, count(*), min(v), max(v), avg(v), total(v) FROM points WHERE v IS NOT NULL GROUP BY bucket

-- rank_buckets --
WITH points AS (
    SELECT b.key AS bucket, {value} AS v FROM json_each(?) b CROSS JOIN runs r
    WHERE r.started >= b.value ->> 0 AND r.started < b.value ->> 1 AND {where}
), ranked AS (
    SELECT bucket, v, row_number() OVER (PARTITION BY bucket ORDER BY v) - 1 AS i, count(*) OVER (PARTITION BY bucket) AS n,
        avg(v) OVER (PARTITION BY bucket) AS m
    FROM points WHERE v IS NOT NULL
)
SELECT bucket, count(*), min(v), max(v), avg(v), total(v), total((v - m) * (v - m)), {neighbours} FROM ranked
GROUP BY bucket

-- first_start --
SELECT r.started FROM runs r WHERE {where} ORDER BY r.started LIMIT 1

-- last_start --
SELECT r.started FROM runs r WHERE {where} ORDER BY r.started DESC LIMIT 1

-- list_presence --
SELECT what, sum(runs), min(day), max(day) FROM presence GROUP BY what

-- list_presence_of --
SELECT {columns} FROM runs r WHERE {where}

-- list_others_of --
SELECT e.key, count(*), min(r.started), max(r.started) FROM runs r CROSS JOIN json_each(r.extra) e
WHERE {where} AND e.value IS NOT NULL GROUP BY e.key ORDER BY e.key
