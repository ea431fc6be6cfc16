-- backdate_first_sent 1
UPDATE state.snapshot_vip_0a1b2c3d AS t SET retl_first_sent_at = LEAST(t.retl_first_sent_at, h.retl_since)
FROM (VALUES (?, ?, ?)) AS h (retl_list_id, retl_identity, retl_since)
WHERE h.retl_list_id = t.retl_list_id AND h.retl_identity = t.retl_identity;
-- with ('L1', 'email:a@example.com', '2026-01-01T00:00:00.000Z')
UPDATE state.deltas_vip_0a1b2c3d AS t SET retl_first_sent_at = LEAST(t.retl_first_sent_at, h.retl_since)
FROM (VALUES (?, ?, ?)) AS h (retl_list_id, retl_identity, retl_since)
WHERE h.retl_list_id = t.retl_list_id AND h.retl_identity = t.retl_identity;
-- with ('L1', 'email:a@example.com', '2026-01-01T00:00:00.000Z')
