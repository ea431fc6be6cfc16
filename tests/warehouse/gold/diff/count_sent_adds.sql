-- count_sent_adds 1
WITH adds AS (
  SELECT p.retl_list_id, p.retl_seq, s.retl_email AS retl_email, s.retl_phone_e164 AS retl_phone_e164, s.retl_external_id AS retl_external_id, s.retl_klaviyo_profile_id AS retl_klaviyo_profile_id
  FROM temp.planned_vip_0a1b2c3d AS p JOIN temp.lists_vip_0a1b2c3d AS l ON l.retl_list_id = p.retl_list_id
  JOIN temp.staged_vip_0a1b2c3d AS s ON s.retl_list = l.retl_list AND s.retl_identity = p.retl_identity
  WHERE p.retl_op = 'add' AND s.retl_problem IS NULL AND p.retl_seq > ?
)
SELECT retl_list_id, COUNT(DISTINCT retl_seq) FROM (
SELECT a.retl_list_id, a.retl_seq FROM adds AS a JOIN state.snapshot_vip_0a1b2c3d AS o ON o.retl_email = a.retl_email
UNION ALL SELECT a.retl_list_id, a.retl_seq FROM adds AS a JOIN state.snapshot_vip_0a1b2c3d AS o ON o.retl_phone_e164 = a.retl_phone_e164
UNION ALL SELECT a.retl_list_id, a.retl_seq FROM adds AS a JOIN state.snapshot_clubs_4e5f6a7b AS o ON o.retl_email = a.retl_email
UNION ALL SELECT a.retl_list_id, a.retl_seq FROM adds AS a JOIN state.snapshot_clubs_4e5f6a7b AS o ON o.retl_phone_e164 = a.retl_phone_e164
) AS sent GROUP BY retl_list_id ORDER BY retl_list_id;
-- with (99,)
