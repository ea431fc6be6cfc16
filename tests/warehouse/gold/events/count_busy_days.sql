-- count_busy_days 1
SELECT COUNT(*), COALESCE(MAX(events), 0) FROM (
SELECT COUNT(*) AS events FROM (
  SELECT l.retl_list_id, s.retl_identity, s.retl_unchanged, s.retl_email AS retl_email, s.retl_phone_e164 AS retl_phone_e164, s.retl_external_id AS retl_external_id, s.retl_klaviyo_profile_id AS retl_klaviyo_profile_id, s."unique_id", s."time", s."metric"
  FROM temp.staged_orders_2a3b4c5d AS s JOIN temp.lists_orders_2a3b4c5d AS l ON s.retl_list = l.retl_list
  WHERE s.retl_problem IS NULL
) AS d LEFT JOIN temp.planned_orders_2a3b4c5d AS p ON d.retl_identity = p.retl_identity AND p.retl_op = 'add'
GROUP BY COALESCE(d.retl_email, d.retl_phone_e164, d.retl_external_id, d.retl_klaviyo_profile_id), CAST(d."time" AS DATE)
HAVING COUNT(*) > 100 AND COUNT(p.retl_seq) > 0
) AS busy;
