-- lists 1
DELETE FROM state.lists WHERE account_id = ? AND project = ? AND (list_id = ? OR (list_id IS NULL AND name = ?));
-- with ('acc', 'shop', None, 'VIP')
INSERT INTO state.lists VALUES (?, ?, ?, ?, ?, ?, ?);
-- with ('acc', 'shop', None, 'VIP', 'vip', 'intended', '2026-11-22T12:00:00.000Z')
SELECT list_id, name, model, recorded_at FROM state.lists WHERE account_id = ? AND project = ? ORDER BY name, list_id;
-- with ('acc', 'shop')
DELETE FROM state.lists WHERE account_id = ? AND project = ? AND (list_id = ? OR (list_id IS NULL AND name = ?));
-- with ('acc', 'shop', 'L1', 'VIP')
INSERT INTO state.lists VALUES (?, ?, ?, ?, ?, ?, ?);
-- with ('acc', 'shop', 'L1', 'VIP', 'vip', 'owned', '2026-11-22T12:00:00.000Z')
