-- models 1
SELECT model, table_key, surface, identifiers, checksum FROM "SHOP"."REVERSE_ETL"."MODELS" WHERE account_id = ? AND project = ? ORDER BY model;
-- with ('acc', 'shop')

-- models 2
SELECT DISTINCT project FROM "SHOP"."REVERSE_ETL"."MODELS" WHERE account_id = ? ORDER BY project;
-- with ('acc',)

-- models 3
SELECT account_id FROM "SHOP"."REVERSE_ETL"."TARGETS" WHERE project = ? AND destination_id = ?;
-- with ('shop', 'prod')

-- models 4
DELETE FROM "SHOP"."REVERSE_ETL"."MODELS" WHERE account_id = ? AND project = ? AND model = ?;
-- with ('acc', 'shop', 'vip')

-- models 5
INSERT INTO "SHOP"."REVERSE_ETL"."MODELS" VALUES (?, ?, ?, ?, ?, ?, ?);
-- with ('acc', 'shop', 'vip', 'vip_0a1b2c3d', 'profiles', '[]', 'c0ffee')
