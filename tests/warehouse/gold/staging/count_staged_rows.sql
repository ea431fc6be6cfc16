-- count_staged_rows 1
duckdb:    SELECT '' AS retl_list, retl_problem, COUNT(*), COUNT(CASE WHEN retl_unchanged THEN 1 END), COUNT(DISTINCT HASH(retl_identity)), COUNT(retl_phone_e164), COUNT(DISTINCT CASE WHEN retl_phone_e164 IS NOT NULL THEN HASH(retl_phone_e164) END)
snowflake: SELECT '' AS retl_list, retl_problem, COUNT(*), COUNT(CASE WHEN retl_unchanged THEN 1 END), COUNT(DISTINCT retl_identity), COUNT(retl_phone_e164), COUNT(DISTINCT CASE WHEN retl_phone_e164 IS NOT NULL THEN retl_phone_e164 END)
FROM temp.staged_vip_0a1b2c3d GROUP BY retl_problem ORDER BY retl_problem;

-- count_staged_rows 2
duckdb:    SELECT retl_list, retl_problem, COUNT(*), 0, COUNT(DISTINCT HASH(retl_identity)), COUNT(retl_email), COUNT(DISTINCT CASE WHEN retl_email IS NOT NULL THEN HASH(retl_email) END)
snowflake: SELECT retl_list, retl_problem, COUNT(*), 0, COUNT(DISTINCT retl_identity), COUNT(retl_email), COUNT(DISTINCT CASE WHEN retl_email IS NOT NULL THEN retl_email END)
FROM temp.staged_clubs_4e5f6a7b GROUP BY retl_list, retl_problem ORDER BY retl_list, retl_problem;
