-- lists 1
DELETE FROM "SHOP"."REVERSE_ETL"."LISTS" WHERE account_id = ? AND project = ? AND (list_id = ? OR (list_id IS NULL AND name = ?));
-- with ('acc', 'shop', None, 'VIP')

-- lists 2
INSERT INTO "SHOP"."REVERSE_ETL"."LISTS" VALUES (?, ?, ?, ?, ?, ?, ?);
-- with ('acc', 'shop', None, 'VIP', 'vip', 'intended', '2026-11-22T12:00:00.000Z')

-- lists 3
SELECT list_id, name, model, recorded_at FROM "SHOP"."REVERSE_ETL"."LISTS" WHERE account_id = ? AND project = ? ORDER BY name, list_id;
-- with ('acc', 'shop')

-- lists 4
DELETE FROM "SHOP"."REVERSE_ETL"."LISTS" WHERE account_id = ? AND project = ? AND (list_id = ? OR (list_id IS NULL AND name = ?));
-- with ('acc', 'shop', 'L1', 'VIP')

-- lists 5
INSERT INTO "SHOP"."REVERSE_ETL"."LISTS" VALUES (?, ?, ?, ?, ?, ?, ?);
-- with ('acc', 'shop', 'L1', 'VIP', 'vip', 'owned', '2026-11-22T12:00:00.000Z')
