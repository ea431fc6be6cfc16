-- select_conflicting_properties 1
WITH counted AS (
duckdb:      SELECT s.retl_identity, COUNT(DISTINCT s."first_name") AS retl_values_0, COUNT(DISTINCT s."spent") AS retl_values_1, COUNT(DISTINCT s."Since") AS retl_values_2, COUNT(DISTINCT s."tags") AS retl_values_3
snowflake:   SELECT s.retl_identity, COUNT(DISTINCT s."first_name") AS retl_values_0, COUNT(DISTINCT s."spent") AS retl_values_1, COUNT(DISTINCT s."Since") AS retl_values_2, COUNT(DISTINCT TO_JSON(s."tags")) AS retl_values_3
  FROM temp.staged_vip_0a1b2c3d AS s WHERE s.retl_problem IS NULL AND s.retl_identity IN (
    SELECT retl_identity FROM temp.staged_vip_0a1b2c3d WHERE retl_problem IS NULL
    GROUP BY retl_identity HAVING COUNT(DISTINCT retl_list) > 1)
  GROUP BY s.retl_identity
)
SELECT COUNT(CASE WHEN retl_values_0 > 1 THEN 1 END), MIN(CASE WHEN retl_values_0 > 1 THEN retl_identity END), COUNT(CASE WHEN retl_values_1 > 1 THEN 1 END), MIN(CASE WHEN retl_values_1 > 1 THEN retl_identity END), COUNT(CASE WHEN retl_values_2 > 1 THEN 1 END), MIN(CASE WHEN retl_values_2 > 1 THEN retl_identity END), COUNT(CASE WHEN retl_values_3 > 1 THEN 1 END), MIN(CASE WHEN retl_values_3 > 1 THEN retl_identity END)
FROM counted;
