-- lists 1
DELETE FROM state.lists WHERE account_id = ? AND project = ? AND ((list_id = ? AND aspect = ?) OR (list_id IS NULL AND name = ?));
-- with ('acc', 'shop', None, 'members', 'VIP')
INSERT INTO state.lists VALUES (?, ?, ?, ?, ?, ?, ?, ?);
-- with ('acc', 'shop', None, 'VIP', 'vip', 'members', 'intended', '2026-11-22T12:00:00.000Z')
SELECT list_id, name, model, recorded_at, aspect
FROM state.lists WHERE account_id = ? AND project = ? ORDER BY name, list_id, aspect;
-- with ('acc', 'shop')
DELETE FROM state.lists WHERE account_id = ? AND project = ? AND ((list_id = ? AND aspect = ?) OR (list_id IS NULL AND name = ?));
-- with ('acc', 'shop', 'L1', 'members', 'VIP')
INSERT INTO state.lists VALUES (?, ?, ?, ?, ?, ?, ?, ?);
-- with ('acc', 'shop', 'L1', 'VIP', 'vip', 'members', 'owned', '2026-11-22T12:00:00.000Z')
