-- count_planned_events 1
duckdb:    SELECT COUNT(*), COALESCE(SUM(CASE WHEN d."time" < CAST('2026-11-30 08:15:30.250000+00:00' AS TIMESTAMP WITH TIME ZONE) THEN 1 ELSE 0 END), 0), MIN(d."time")
snowflake: SELECT COUNT(*), COALESCE(SUM(CASE WHEN d."time" < CAST('2026-11-30 08:15:30.250000+00:00' AS TIMESTAMP_TZ(9)) THEN 1 ELSE 0 END), 0), MIN(d."time")
FROM temp.planned_orders_2a3b4c5d AS p JOIN (
  SELECT l.retl_list_id, s.retl_identity, s.retl_unchanged, s.retl_email AS retl_email, s.retl_phone_e164 AS retl_phone_e164, s.retl_external_id AS retl_external_id, s.retl_klaviyo_profile_id AS retl_klaviyo_profile_id, s."unique_id", s."time", s."metric"
  FROM temp.staged_orders_2a3b4c5d AS s JOIN temp.lists_orders_2a3b4c5d AS l ON s.retl_list = l.retl_list
  WHERE s.retl_problem IS NULL
) AS d ON d.retl_identity = p.retl_identity
WHERE p.retl_op IN ('add', 'update');
