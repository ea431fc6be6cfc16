-- inherit_first_sent 1
UPDATE state.deltas_vip_0a1b2c3d AS t SET retl_first_sent_at = LEAST(t.retl_first_sent_at, h.retl_since)
FROM (
  WITH sent AS (
SELECT retl_list_id, retl_identity, retl_email, retl_external_id, retl_klaviyo_profile_id, retl_first_sent_at FROM state.snapshot_vip_0a1b2c3d WHERE retl_list_id IN (?, ?)
UNION ALL SELECT retl_list_id, retl_identity, retl_email, retl_external_id, retl_klaviyo_profile_id, retl_first_sent_at FROM state.deltas_vip_0a1b2c3d WHERE retl_list_id IN (?, ?)
  )
  SELECT retl_list_id, retl_identity, MIN(retl_first_sent_at) AS retl_since FROM (
SELECT d.retl_list_id, d.retl_identity, f.retl_first_sent_at
    FROM state.deltas_vip_0a1b2c3d AS d JOIN sent AS f ON d.retl_list_id = f.retl_list_id AND d.retl_identity = f.retl_identity
    WHERE d.retl_run_id = ?
UNION ALL SELECT d.retl_list_id, d.retl_identity, f.retl_first_sent_at
    FROM state.deltas_vip_0a1b2c3d AS d JOIN sent AS f ON d.retl_list_id = f.retl_list_id AND d.retl_email = f.retl_email
    WHERE d.retl_run_id = ?
UNION ALL SELECT d.retl_list_id, d.retl_identity, f.retl_first_sent_at
    FROM state.deltas_vip_0a1b2c3d AS d JOIN sent AS f ON d.retl_list_id = f.retl_list_id AND d.retl_external_id = f.retl_external_id
    WHERE d.retl_run_id = ?
UNION ALL SELECT d.retl_list_id, d.retl_identity, f.retl_first_sent_at
    FROM state.deltas_vip_0a1b2c3d AS d JOIN sent AS f ON d.retl_list_id = f.retl_list_id AND d.retl_klaviyo_profile_id = f.retl_klaviyo_profile_id
    WHERE d.retl_run_id = ?
  ) AS m GROUP BY retl_list_id, retl_identity
) AS h WHERE t.retl_run_id = ? AND h.retl_list_id = t.retl_list_id AND h.retl_identity = t.retl_identity;
-- with ('L1', 'L2', 'L1', 'L2', 'r1', 'r1', 'r1', 'r1', 'r1')
