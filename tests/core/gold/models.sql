-- models 1
SELECT model, table_key, surface, identifiers, checksum FROM "reverse_etl_state".main."models" WHERE account_id = ? AND project = ? ORDER BY model;
-- with ('acc', 'shop')

-- models 2
SELECT DISTINCT project FROM "reverse_etl_state".main."models" WHERE account_id = ? ORDER BY project;
-- with ('acc',)

-- models 3
SELECT account_id FROM "reverse_etl_state".main."targets" WHERE project = ? AND destination_id = ?;
-- with ('shop', 'prod')

-- models 4
DELETE FROM "reverse_etl_state".main."models" WHERE account_id = ? AND project = ? AND model = ?;
-- with ('acc', 'shop', 'vip')

-- models 5
INSERT INTO "reverse_etl_state".main."models" VALUES (?, ?, ?, ?, ?, ?, ?);
-- with ('acc', 'shop', 'vip', 'vip_0a1b2c3d', 'profiles', '[]', 'c0ffee')
