-- select_meeting_lists 1
SELECT d.retl_list_id FROM state.deltas_vip_0a1b2c3d AS d JOIN (
  SELECT retl_email FROM state.deltas_vip_0a1b2c3d WHERE retl_run_id = ? AND retl_op IN ('add', 'update') AND retl_email IS NOT NULL
  GROUP BY retl_email HAVING MIN(retl_list_id) <> MAX(retl_list_id)
) AS s ON d.retl_email = s.retl_email WHERE retl_run_id = ? AND retl_op IN ('add', 'update')
UNION SELECT d.retl_list_id FROM state.deltas_vip_0a1b2c3d AS d JOIN (
  SELECT retl_phone_e164 FROM state.deltas_vip_0a1b2c3d WHERE retl_run_id = ? AND retl_op IN ('add', 'update') AND retl_phone_e164 IS NOT NULL
  GROUP BY retl_phone_e164 HAVING MIN(retl_list_id) <> MAX(retl_list_id)
) AS s ON d.retl_phone_e164 = s.retl_phone_e164 WHERE retl_run_id = ? AND retl_op IN ('add', 'update')
UNION SELECT d.retl_list_id FROM state.deltas_vip_0a1b2c3d AS d JOIN (
  SELECT retl_external_id FROM state.deltas_vip_0a1b2c3d WHERE retl_run_id = ? AND retl_op IN ('add', 'update') AND retl_external_id IS NOT NULL
  GROUP BY retl_external_id HAVING MIN(retl_list_id) <> MAX(retl_list_id)
) AS s ON d.retl_external_id = s.retl_external_id WHERE retl_run_id = ? AND retl_op IN ('add', 'update')
UNION SELECT d.retl_list_id FROM state.deltas_vip_0a1b2c3d AS d JOIN (
  SELECT retl_klaviyo_profile_id FROM state.deltas_vip_0a1b2c3d WHERE retl_run_id = ? AND retl_op IN ('add', 'update') AND retl_klaviyo_profile_id IS NOT NULL
  GROUP BY retl_klaviyo_profile_id HAVING MIN(retl_list_id) <> MAX(retl_list_id)
) AS s ON d.retl_klaviyo_profile_id = s.retl_klaviyo_profile_id WHERE retl_run_id = ? AND retl_op IN ('add', 'update') ORDER BY 1;
-- with ('r1', 'r1', 'r1', 'r1', 'r1', 'r1', 'r1', 'r1')
