-- runs 1
DELETE FROM "SHOP"."REVERSE_ETL"."TARGETS" WHERE project = ? AND destination_id = ?;
-- with ('shop', 'prod/klaviyo')

-- runs 2
INSERT INTO "SHOP"."REVERSE_ETL"."TARGETS" VALUES (?, ?, ?);
-- with ('shop', 'prod/klaviyo', 'acc')

-- runs 3
INSERT INTO "SHOP"."REVERSE_ETL"."RUNS" VALUES (?, ?, ?, ?, ?, ?, ?, ?);
-- with ('r1', 'acc', 'shop', 'submitting', '2026-11-22T12:00:00.000Z', 't', None, None)

-- runs 4
INSERT INTO "SHOP"."REVERSE_ETL"."RUN_LISTS" VALUES (?, ?, ?, ?, ?, ?);
-- with ('r1', 'vip', 'L1', 'VIP', '{}', '')

-- runs 5
UPDATE "SHOP"."REVERSE_ETL"."RUNS" SET state = ?, ended_at = ?, exit_code = ? WHERE run_id = ?;
-- with ('ended', '2026-11-22T12:00:00.000Z', 0, 'r1')

-- runs 6
UPDATE "SHOP"."REVERSE_ETL"."RUNS" SET state = ?, ended_at = ? WHERE run_id = ?;
-- with ('recovered', '2026-11-22T12:00:00.000Z', 'r1')

-- runs 7
INSERT INTO "SHOP"."REVERSE_ETL"."RUN_LISTS" VALUES (?, ?, ?, ?, ?, ?);
-- with ('r2', '', '', '', '{}', 'Too many.')

-- runs 8
DELETE FROM "SHOP"."REVERSE_ETL"."TARGETS" WHERE project = ? AND destination_id = ?;
-- with ('shop', 'prod/klaviyo')

-- runs 9
INSERT INTO "SHOP"."REVERSE_ETL"."TARGETS" VALUES (?, ?, ?);
-- with ('shop', 'prod/klaviyo', 'acc')

-- runs 10
INSERT INTO "SHOP"."REVERSE_ETL"."RUNS" VALUES (?, ?, ?, ?, ?, ?, ?, ?);
-- with ('r2', 'acc', 'shop', 'refused', '2026-11-22T12:00:00.000Z', '', '2026-11-22T12:00:00.000Z', 3)

-- runs 11
SELECT reason FROM "SHOP"."REVERSE_ETL"."RUN_LISTS" WHERE run_id = ? ORDER BY reason;
-- with ('r2',)

-- runs 12
SELECT run_id, klaviyo_time FROM "SHOP"."REVERSE_ETL"."RUNS" WHERE account_id = ? AND project = ? AND state IN (?, ?) ORDER BY started_at, run_id;
-- with ('acc', 'shop', 'submitting', 'unsettled')

-- runs 13
SELECT r.klaviyo_time, r.started_at, r.ended_at FROM "SHOP"."REVERSE_ETL"."RUNS" AS r
WHERE r.account_id = ? AND r.project = ? AND r.state = 'ended' AND EXISTS (SELECT 1 FROM "SHOP"."REVERSE_ETL"."RECEIPTS" AS c
  WHERE c.run_id = r.run_id AND c.list_id = ? AND c.op = 'add' AND c.state IN ('applied', 'unknown'))
ORDER BY r.klaviyo_time, r.run_id;
-- with ('acc', 'shop', 'L1')

-- runs 14
SELECT run_id, state, started_at, ended_at, exit_code FROM "SHOP"."REVERSE_ETL"."RUNS" WHERE account_id = ? AND project = ? ORDER BY started_at DESC, run_id DESC;
-- with ('acc', 'shop')

-- runs 15
SELECT l.run_id, r.started_at, l.model, l.list_id, l.list_name, l.counts, l.reason FROM "SHOP"."REVERSE_ETL"."RUN_LISTS" AS l JOIN "SHOP"."REVERSE_ETL"."RUNS" AS r ON l.run_id = r.run_id
WHERE r.account_id = ? AND r.project = ? AND r.state <> 'refused' ORDER BY r.started_at DESC, r.run_id DESC, l.model, l.list_name, l.list_id;
-- with ('acc', 'shop')
