-- models 1
SELECT model, table_key, surface, identifiers, checksum, live_since, pruned_before FROM state.models WHERE account_id = ? AND project = ? ORDER BY model;
-- with ('acc', 'shop')
SELECT DISTINCT project FROM state.models WHERE account_id = ? ORDER BY project;
-- with ('acc',)
SELECT account_id FROM state.targets WHERE project = ? AND destination_id = ?;
-- with ('shop', 'prod')
DELETE FROM state.models WHERE account_id = ? AND project = ? AND model IN (?);
-- with ('acc', 'shop', 'vip')
INSERT INTO state.models VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);
-- with ('acc', 'shop', 'vip', 'vip_0a1b2c3d', 'profiles', '[]', 'c0ffee', None, None)
