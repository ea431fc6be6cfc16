-- lists 1
DELETE FROM state.lists WHERE account_id = ? AND project = ? AND ((list_id = ? AND state = ?) OR (list_id IS NULL AND name = ?));
-- with ('acc', 'shop', None, 'intended', 'VIP')
INSERT INTO state.lists VALUES (?, ?, ?, ?, ?, ?, ?);
-- with ('acc', 'shop', None, 'VIP', 'vip', 'intended', '2026-11-22T12:00:00.000Z')
SELECT list_id, name, model, recorded_at, state FROM state.lists WHERE account_id = ? AND project = ? ORDER BY name, list_id, state;
-- with ('acc', 'shop')
DELETE FROM state.lists WHERE account_id = ? AND project = ? AND ((list_id = ? AND state = ?) OR (list_id IS NULL AND name = ?));
-- with ('acc', 'shop', 'L1', 'owned', 'VIP')
INSERT INTO state.lists VALUES (?, ?, ?, ?, ?, ?, ?);
-- with ('acc', 'shop', 'L1', 'VIP', 'vip', 'owned', '2026-11-22T12:00:00.000Z')
