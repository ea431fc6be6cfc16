-- ledger 1
SELECT model, table_key, surface, identifiers, checksum FROM "SHOP"."REVERSE_ETL"."MODELS" WHERE account_id = ? AND project = ? ORDER BY model;
-- with ('acc', 'shop')

-- ledger 2
SELECT DISTINCT project FROM "SHOP"."REVERSE_ETL"."MODELS" WHERE project <> ? AND (account_id = ? OR ? = '') ORDER BY project;
-- with ('shop', 'acc', 'acc')

-- ledger 3
DELETE FROM "SHOP"."REVERSE_ETL"."MODELS" WHERE account_id = ? AND project = ? AND model = ?;
-- with ('acc', 'shop', 'vip')

-- ledger 4
INSERT INTO "SHOP"."REVERSE_ETL"."MODELS" VALUES (?, ?, ?, ?, ?, ?, ?);
-- with ('acc', 'shop', 'vip', 'vip_0a1b2c3d', 'profiles', '[]', 'c0ffee')

-- ledger 5
SELECT account_id FROM "SHOP"."REVERSE_ETL"."TARGETS" WHERE project = ? AND destination_id = ?;
-- with ('shop', 'prod')

-- ledger 6
DELETE FROM "SHOP"."REVERSE_ETL"."TARGETS" WHERE project = ? AND destination_id = ?;
-- with ('shop', 'prod')

-- ledger 7
INSERT INTO "SHOP"."REVERSE_ETL"."TARGETS" VALUES (?, ?, ?);
-- with ('shop', 'prod', 'acc')

-- ledger 8
INSERT INTO "SHOP"."REVERSE_ETL"."RUNS" VALUES (?, ?, ?, 'submitting', ?, ?, NULL, NULL);
-- with ('r1', 'acc', 'shop', 't', 't')

-- ledger 9
UPDATE "SHOP"."REVERSE_ETL"."RUNS" SET state = ?, ended_at = ? WHERE run_id = ?;
-- with ('ended', 't', 'r1')

-- ledger 10
INSERT INTO "SHOP"."REVERSE_ETL"."RUNS" VALUES (?, ?, ?, 'refused', ?, '', ?, ?);
-- with ('r1', 'acc', 'shop', 't', 't', 3)

-- ledger 11
SELECT l.reason FROM "SHOP"."REVERSE_ETL"."RUN_LISTS" AS l JOIN "SHOP"."REVERSE_ETL"."RUNS" AS r ON l.run_id = r.run_id
WHERE l.run_id = ? AND r.state = 'refused' ORDER BY l.reason;
-- with ('r1',)

-- ledger 12
SELECT run_id, klaviyo_time FROM "SHOP"."REVERSE_ETL"."RUNS" WHERE account_id = ? AND project = ? AND state IN ('submitting', 'unsettled') ORDER BY started_at, run_id;
-- with ('acc', 'shop')

-- ledger 13
SELECT r.klaviyo_time, r.started_at, r.ended_at FROM "SHOP"."REVERSE_ETL"."RUNS" AS r
WHERE r.account_id = ? AND r.project = ? AND r.state = 'ended' AND EXISTS (SELECT 1 FROM "SHOP"."REVERSE_ETL"."RECEIPTS" AS c
  WHERE c.run_id = r.run_id AND c.list_id = ? AND c.op = 'add' AND c.state IN ('applied', 'unknown'))
ORDER BY r.klaviyo_time, r.run_id;
-- with ('acc', 'shop', 'L1')

-- ledger 14
SELECT run_id, state, started_at, ended_at, exit_code FROM "SHOP"."REVERSE_ETL"."RUNS" WHERE account_id = ? AND project = ? ORDER BY started_at DESC, run_id DESC;
-- with ('acc', 'shop')

-- ledger 15
SELECT l.run_id, r.started_at, l.model, l.list_id, l.list_name, l.counts, l.reason FROM "SHOP"."REVERSE_ETL"."RUN_LISTS" AS l JOIN "SHOP"."REVERSE_ETL"."RUNS" AS r ON l.run_id = r.run_id
WHERE r.account_id = ? AND r.project = ? AND r.state <> 'refused' ORDER BY r.started_at DESC, r.run_id DESC, l.model, l.list_name;
-- with ('acc', 'shop')

-- ledger 16
SELECT c.run_id, c.model, c.list_id, c.op, c.first_seq, c.last_seq, c.row_count, c.job_id, c.detail, c.may_have_duplicate, r.klaviyo_time FROM "SHOP"."REVERSE_ETL"."RECEIPTS" AS c JOIN "SHOP"."REVERSE_ETL"."RUNS" AS r ON c.run_id = r.run_id
WHERE r.account_id = ? AND r.project = ? AND c.state = 'accepted' ORDER BY c.run_id, c.model, c.first_seq;
-- with ('acc', 'shop')

-- ledger 17
DELETE FROM "SHOP"."REVERSE_ETL"."RECEIPTS" WHERE run_id = ? AND model = ? AND first_seq IN (?, ?);
-- with ('r1', 'vip', 1, 2)

-- ledger 18
DELETE FROM "SHOP"."REVERSE_ETL"."ROW_EXCEPTIONS" WHERE run_id = ? AND model = ?
AND seq NOT IN (SELECT retl_seq FROM "SHOP"."REVERSE_ETL"."DELTAS_VIP_0A1B2C3D" WHERE retl_run_id = ?);
-- with ('r1', 'vip', 'r1')

-- ledger 19
SELECT list_id, name, model, state, recorded_at FROM "SHOP"."REVERSE_ETL"."LISTS" WHERE account_id = ? AND project = ? ORDER BY name, list_id;
-- with ('acc', 'shop')

-- ledger 20
DELETE FROM "SHOP"."REVERSE_ETL"."LISTS" WHERE account_id = ? AND project = ? AND (list_id = ? OR (list_id IS NULL AND name = ?));
-- with ('acc', 'shop', 'L1', 'VIP')

-- ledger 21
INSERT INTO "SHOP"."REVERSE_ETL"."LISTS" VALUES (?, ?, ?, ?, ?, ?, ?);
-- with ('acc', 'shop', 'L1', 'VIP', 'vip', 'owned', 't')

-- ledger 22
SELECT owner, expires_at FROM "SHOP"."REVERSE_ETL"."LEASE" WHERE account_id = ? AND project = ?;
-- with ('acc', 'shop')

-- ledger 23
DELETE FROM "SHOP"."REVERSE_ETL"."LEASE" WHERE account_id = ? AND project = ?;
-- with ('acc', 'shop')

-- ledger 24
INSERT INTO "SHOP"."REVERSE_ETL"."LEASE" VALUES (?, ?, ?, ?);
-- with ('acc', 'shop', 'me', 't')

-- ledger 25
UPDATE "SHOP"."REVERSE_ETL"."LEASE" SET expires_at = ? WHERE account_id = ? AND project = ? AND owner = ?;
-- with ('t', 'acc', 'shop', 'me')

-- ledger 26
MERGE INTO "SHOP"."REVERSE_ETL"."LEASE" AS l
USING (SELECT ? AS account_id, ? AS project, ? AS owner, ? AS expires_at, ? AS claimed_at) AS n
ON l.account_id = n.account_id AND l.project = n.project
WHEN MATCHED AND l.expires_at <= n.claimed_at THEN UPDATE SET owner = n.owner, expires_at = n.expires_at
WHEN NOT MATCHED THEN INSERT (account_id, project, owner, expires_at) VALUES (n.account_id, n.project, n.owner, n.expires_at);
-- with ('acc', 'shop', 'me', 't2', 't1')

-- ledger 27
DELETE FROM "SHOP"."REVERSE_ETL"."LEASE" WHERE account_id = ? AND project = ? AND owner = ?;
-- with ('acc', 'shop', 'me')

-- ledger 28
INSERT INTO "SHOP"."REVERSE_ETL"."RECEIPTS" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?), (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
-- with ('0.0', '0.1', '0.2', '0.3', '0.4', '0.5', '0.6', '0.7', '0.8', '0.9', '0.10', False, '1.0', '1.1', '1.2', '1.3', '1.4', '1.5', '1.6', '1.7', '1.8', '1.9', '1.10', True)

-- ledger 29
INSERT INTO "SHOP"."REVERSE_ETL"."ROW_EXCEPTIONS" VALUES (?, ?, ?, ?, ?, ?, ?), (?, ?, ?, ?, ?, ?, ?);
-- with ('0.0', '0.1', '0.2', '0.3', '0.4', '0.5', '0.6', '1.0', '1.1', '1.2', '1.3', '1.4', '1.5', '1.6')

-- ledger 30
INSERT INTO "SHOP"."REVERSE_ETL"."UNMATCHED_REMOVALS" VALUES (?, ?, ?, ?, ?, ?, ?), (?, ?, ?, ?, ?, ?, ?);
-- with ('0.0', '0.1', '0.2', '0.3', '0.4', '0.5', '0.6', '1.0', '1.1', '1.2', '1.3', '1.4', '1.5', '1.6')

-- ledger 31
INSERT INTO "SHOP"."REVERSE_ETL"."RUN_LISTS" VALUES (?, ?, ?, ?, ?, ?), (?, ?, ?, ?, ?, ?);
-- with ('0.0', '0.1', '0.2', '0.3', '0.4', '0.5', '1.0', '1.1', '1.2', '1.3', '1.4', '1.5')
