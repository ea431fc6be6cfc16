-- consents 1
DELETE FROM state.consents WHERE account_id = ? AND project = ? AND model = ? AND list_id = ? AND identity IN (?, ?);
-- with ('acc', 'shop', 'vip', 'L1', 'email:a@example.com', 'email:b@example.com')
INSERT INTO state.consents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?), (?, ?, ?, ?, ?, ?, ?, ?, ?);
-- with ('acc', 'shop', 'vip', 'L1', 'email:a@example.com', 'r1', 'pending', '2026-11-22T12:00:00.000Z', '2026-11-22T12:00:00.000Z', 'acc', 'shop', 'vip', 'L1', 'email:b@example.com', 'r1', 'pending', '2026-11-22T12:00:00.000Z', '2026-11-22T12:00:00.000Z')
UPDATE state.consents SET state = ? WHERE account_id = ? AND project = ? AND model = ? AND list_id = ? AND identity IN (?, ?);
-- with ('confirmed', 'acc', 'shop', 'vip', 'L1', 'email:a@example.com', 'email:b@example.com')
SELECT identity, sent_at FROM state.consents
WHERE account_id = ? AND project = ? AND model = ? AND list_id = ? AND state = ? AND identity > ? ORDER BY identity LIMIT 10;
-- with ('acc', 'shop', 'vip', 'L1', 'pending', '')
SELECT identity, sent_at FROM state.consents
WHERE account_id = ? AND project = ? AND model = ? AND list_id = ? AND state = ? AND run_id = ? AND identity > ? ORDER BY identity LIMIT 10;
-- with ('acc', 'shop', 'vip', 'L1', 'pending', 'r1', 'email:a@example.com')
SELECT model, list_id, state, COUNT(*) FROM state.consents
WHERE account_id = ? AND project = ? GROUP BY model, list_id, state ORDER BY model, list_id, state;
-- with ('acc', 'shop')
SELECT model, list_id, state, COUNT(*) FROM state.consents
WHERE account_id = ? AND project = ? AND run_id = ? GROUP BY model, list_id, state ORDER BY model, list_id, state;
-- with ('acc', 'shop', 'r1')
SELECT c.list_id, c.state, COUNT(*) FROM state.consents AS c JOIN state.snapshot_vip_0a1b2c3d AS s
ON s.retl_list_id = c.list_id AND s.retl_identity = c.identity
WHERE c.account_id = ? AND c.project = ? AND c.model = ? AND c.state NOT IN (?, ?) GROUP BY c.list_id, c.state ORDER BY c.list_id, c.state;
-- with ('acc', 'shop', 'vip', 'confirmed', 'off_list')
SELECT identity, state, consented_at FROM state.consents WHERE account_id = ? AND project = ? AND model = ? AND list_id = ? AND state IN (?, ?) AND identity IN (?, ?) ORDER BY identity;
-- with ('acc', 'shop', 'vip', 'L1', 'confirmed', 'off_list', 'email:a@example.com', 'email:b@example.com')
SELECT DISTINCT identity FROM state.consents
WHERE account_id = ? AND project = ? AND sent_at >= ? AND identity IN (?, ?);
-- with ('acc', 'shop', '2026-11-22T12:00:00.000Z', 'email:a@example.com', 'email:b@example.com')
DELETE FROM state.consents WHERE account_id = ? AND project = ? AND model = ? AND list_id = ? AND identity IN (?, ?);
-- with ('acc', 'shop', 'vip', 'L1', 'email:a@example.com', 'email:b@example.com')
