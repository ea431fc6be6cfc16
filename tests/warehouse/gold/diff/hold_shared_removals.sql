-- hold_shared_removals 1
UPDATE temp.planned_vip_0a1b2c3d AS p SET retl_op = 'held'
FROM (
SELECT p.retl_seq FROM temp.planned_vip_0a1b2c3d AS p JOIN temp.staged_vip_0a1b2c3d AS s ON s.retl_email = p.retl_email WHERE p.retl_op = 'remove' AND s.retl_problem IS NOT NULL
UNION SELECT p.retl_seq FROM temp.planned_vip_0a1b2c3d AS p JOIN temp.staged_vip_0a1b2c3d AS s ON s.retl_phone_e164 = p.retl_phone_e164 WHERE p.retl_op = 'remove' AND s.retl_problem IS NOT NULL
UNION SELECT p.retl_seq FROM temp.planned_vip_0a1b2c3d AS p JOIN temp.staged_vip_0a1b2c3d AS s ON s.retl_external_id = p.retl_external_id WHERE p.retl_op = 'remove' AND s.retl_problem IS NOT NULL
UNION SELECT p.retl_seq FROM temp.planned_vip_0a1b2c3d AS p JOIN temp.staged_vip_0a1b2c3d AS s ON s.retl_klaviyo_profile_id = p.retl_klaviyo_profile_id WHERE p.retl_op = 'remove' AND s.retl_problem IS NOT NULL
) AS h WHERE p.retl_seq = h.retl_seq;
