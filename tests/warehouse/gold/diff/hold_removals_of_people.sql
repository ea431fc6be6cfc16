-- hold_removals_of_people 1
UPDATE temp.planned_vip_0a1b2c3d AS p SET retl_op = 'held'
FROM (
  WITH people AS (
    SELECT s.retl_email, s.retl_phone_e164, s.retl_external_id, s.retl_klaviyo_profile_id FROM temp.staged_clubs_4e5f6a7b AS s
    JOIN temp.lists_clubs_4e5f6a7b AS l ON s.retl_list = l.retl_list WHERE l.retl_list_id IN (?)
    UNION ALL SELECT retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id FROM state.snapshot_clubs_4e5f6a7b WHERE retl_list_id IN (?)
  )
SELECT p.retl_seq FROM temp.planned_vip_0a1b2c3d AS p JOIN people AS o ON o.retl_email = p.retl_email WHERE p.retl_op = 'remove'
UNION SELECT p.retl_seq FROM temp.planned_vip_0a1b2c3d AS p JOIN people AS o ON o.retl_phone_e164 = p.retl_phone_e164 WHERE p.retl_op = 'remove'
UNION SELECT p.retl_seq FROM temp.planned_vip_0a1b2c3d AS p JOIN people AS o ON o.retl_external_id = p.retl_external_id WHERE p.retl_op = 'remove'
UNION SELECT p.retl_seq FROM temp.planned_vip_0a1b2c3d AS p JOIN people AS o ON o.retl_klaviyo_profile_id = p.retl_klaviyo_profile_id WHERE p.retl_op = 'remove'
) AS h WHERE p.retl_seq = h.retl_seq;
-- with ('L1', 'L1')

-- hold_removals_of_people 2
UPDATE temp.planned_vip_0a1b2c3d AS p SET retl_op = 'held'
FROM (
  WITH people AS (
    SELECT s.retl_email, s.retl_phone_e164, s.retl_external_id, s.retl_klaviyo_profile_id FROM temp.staged_clubs_4e5f6a7b AS s
    JOIN temp.lists_clubs_4e5f6a7b AS l ON s.retl_list = l.retl_list WHERE l.retl_list_id IN (?)
  )
SELECT p.retl_seq FROM temp.planned_vip_0a1b2c3d AS p JOIN people AS o ON o.retl_email = p.retl_email WHERE p.retl_op = 'remove'
UNION SELECT p.retl_seq FROM temp.planned_vip_0a1b2c3d AS p JOIN people AS o ON o.retl_phone_e164 = p.retl_phone_e164 WHERE p.retl_op = 'remove'
UNION SELECT p.retl_seq FROM temp.planned_vip_0a1b2c3d AS p JOIN people AS o ON o.retl_external_id = p.retl_external_id WHERE p.retl_op = 'remove'
UNION SELECT p.retl_seq FROM temp.planned_vip_0a1b2c3d AS p JOIN people AS o ON o.retl_klaviyo_profile_id = p.retl_klaviyo_profile_id WHERE p.retl_op = 'remove'
) AS h WHERE p.retl_seq = h.retl_seq;
-- with ('L1',)
