-- own_suppressions 1
DELETE FROM state.own_suppressions WHERE account_id = ? AND project = ? AND model = ? AND identity IN (?, ?);
-- with ('acc', 'shop', 'vip', 'email:a@example.com', 'email:b@example.com')
INSERT INTO state.own_suppressions VALUES (?, ?, ?, ?, ?, ?), (?, ?, ?, ?, ?, ?);
-- with ('acc', 'shop', 'vip', 'email:a@example.com', '2026-11-22T12:00:00.000Z', None, 'acc', 'shop', 'vip', 'email:b@example.com', '2026-11-22T12:00:00.000Z', '2026-11-22T12:00:00.000Z')
SELECT identity, requested_at, suppressed_at FROM state.own_suppressions WHERE account_id = ? AND project = ? AND model = ? AND identity IN (?) ORDER BY identity;
-- with ('acc', 'shop', 'vip', 'email:a@example.com')
SELECT identity, requested_at, suppressed_at FROM state.own_suppressions WHERE account_id = ? AND project = ? AND model = ? ORDER BY identity;
-- with ('acc', 'shop', 'vip')
SELECT retl_identity FROM state.snapshot_vip_0a1b2c3d WHERE retl_identity IN (?)
UNION SELECT retl_identity FROM state.rejected_vip_0a1b2c3d WHERE retl_identity IN (?)
UNION SELECT retl_identity FROM state.deltas_vip_0a1b2c3d WHERE retl_identity IN (?) AND retl_op <> 'remove';
-- with ('email:b@example.com', 'email:b@example.com', 'email:b@example.com')
DELETE FROM state.own_suppressions WHERE account_id = ? AND project = ? AND model = ? AND identity IN (?);
-- with ('acc', 'shop', 'vip', 'email:a@example.com')
