-- select_changed 1
SELECT s.retl_identity, MAX(CASE WHEN d.retl_identity IS NULL THEN 1 ELSE 0 END) AS retl_stays
FROM state.snapshot_vip_0a1b2c3d AS s JOIN (VALUES (?, ?, ?), (?, ?, ?)) AS c (retl_identity, retl_profile_id, retl_new) ON c.retl_identity = s.retl_identity
LEFT JOIN state.deltas_vip_0a1b2c3d AS d ON d.retl_run_id = ? AND d.retl_list_id = s.retl_list_id AND d.retl_identity = s.retl_identity
GROUP BY s.retl_identity
UNION ALL
SELECT DISTINCT d.retl_identity, 0 FROM state.deltas_vip_0a1b2c3d AS d JOIN (VALUES (?, ?, ?), (?, ?, ?)) AS c (retl_identity, retl_profile_id, retl_new) ON c.retl_identity = d.retl_identity;
-- with ('email:ann@example.com', '01ANN', 'klaviyo_profile_id:01ANN', 'phone_e164:+14155550100', '01BOB', 'klaviyo_profile_id:01BOB', 'r1', 'email:ann@example.com', '01ANN', 'klaviyo_profile_id:01ANN', 'phone_e164:+14155550100', '01BOB', 'klaviyo_profile_id:01BOB')
