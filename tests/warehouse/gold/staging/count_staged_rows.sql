-- count_staged_rows 1
duckdb:    SELECT '' AS retl_list, retl_problem, COUNT(*), COUNT(CASE WHEN retl_unchanged THEN 1 END), COUNT(DISTINCT HASH(retl_identity)), COUNT(retl_phone_e164), COUNT(DISTINCT CASE WHEN retl_phone_e164 IS NOT NULL THEN HASH(retl_phone_e164) END)
snowflake: SELECT '' AS retl_list, retl_problem, COUNT(*), COUNT(CASE WHEN retl_unchanged THEN 1 END), COUNT(DISTINCT retl_identity), COUNT(retl_phone_e164), COUNT(DISTINCT CASE WHEN retl_phone_e164 IS NOT NULL THEN retl_phone_e164 END)
FROM temp.staged_vip_0a1b2c3d GROUP BY retl_problem ORDER BY retl_problem;

-- count_staged_rows 2
duckdb:    SELECT '' AS retl_list, retl_problem, COUNT(*), 0, COUNT(DISTINCT HASH(retl_identity)), COUNT(retl_phone_e164), COUNT(DISTINCT CASE WHEN retl_phone_e164 IS NOT NULL THEN HASH(retl_phone_e164) END)
snowflake: SELECT '' AS retl_list, retl_problem, COUNT(*), 0, COUNT(DISTINCT retl_identity), COUNT(retl_phone_e164), COUNT(DISTINCT CASE WHEN retl_phone_e164 IS NOT NULL THEN retl_phone_e164 END)
FROM (
  SELECT s.* EXCLUDE (retl_problem, retl_detail, retl_list), CASE WHEN r.retl_list IS NULL THEN s.retl_list END AS retl_list, COALESCE(s.retl_problem, r.retl_problem) AS retl_problem, CASE WHEN s.retl_problem IS NULL THEN COALESCE(r.retl_list, NULL) ELSE s.retl_detail END AS retl_detail
  FROM temp.staged_vip_0a1b2c3d AS s
  LEFT JOIN temp.refused_vip_0a1b2c3d AS r ON s.retl_list = r.retl_list
) GROUP BY retl_problem ORDER BY retl_problem;

-- count_staged_rows 3
duckdb:    SELECT '' AS retl_list, retl_problem, COUNT(*), 0, COUNT(DISTINCT HASH(retl_identity)), COUNT(retl_phone_e164), COUNT(DISTINCT CASE WHEN retl_phone_e164 IS NOT NULL THEN HASH(retl_phone_e164) END)
snowflake: SELECT '' AS retl_list, retl_problem, COUNT(*), 0, COUNT(DISTINCT retl_identity), COUNT(retl_phone_e164), COUNT(DISTINCT CASE WHEN retl_phone_e164 IS NOT NULL THEN retl_phone_e164 END)
FROM (
  SELECT s.* EXCLUDE (retl_problem, retl_detail, retl_list), CASE WHEN r.retl_list IS NULL THEN s.retl_list END AS retl_list, s.retl_problem IS NULL AND COALESCE(m.retl_omits_phone_e164, FALSE) AS retl_omits_phone_e164, COALESCE(s.retl_problem, r.retl_problem, m.retl_problem) AS retl_problem, CASE WHEN s.retl_problem IS NULL THEN COALESCE(r.retl_list, m.retl_detail, NULL) ELSE s.retl_detail END AS retl_detail
  FROM temp.staged_vip_0a1b2c3d AS s
  LEFT JOIN temp.refused_vip_0a1b2c3d AS r ON s.retl_list = r.retl_list
  LEFT JOIN (
    SELECT retl_identity, MAX(retl_problem) AS retl_problem, MAX(retl_detail) AS retl_detail, COUNT(CASE WHEN retl_omitted = 'phone_e164' THEN 1 END) > 0 AS retl_omits_phone_e164
    FROM (SELECT * FROM temp.marks_1_vip_0a1b2c3d UNION ALL SELECT * FROM temp.marks_2_vip_0a1b2c3d UNION ALL SELECT * FROM temp.marks_3_vip_0a1b2c3d) AS marked GROUP BY retl_identity
  ) AS m ON s.retl_identity = m.retl_identity
) GROUP BY retl_problem ORDER BY retl_problem;

-- count_staged_rows 4
duckdb:    SELECT retl_list, retl_problem, COUNT(*), 0, COUNT(DISTINCT HASH(retl_identity)), COUNT(retl_email), COUNT(DISTINCT CASE WHEN retl_email IS NOT NULL THEN HASH(retl_email) END)
snowflake: SELECT retl_list, retl_problem, COUNT(*), 0, COUNT(DISTINCT retl_identity), COUNT(retl_email), COUNT(DISTINCT CASE WHEN retl_email IS NOT NULL THEN retl_email END)
FROM temp.staged_clubs_4e5f6a7b GROUP BY retl_list, retl_problem ORDER BY retl_list, retl_problem;

-- count_staged_rows 5
duckdb:    SELECT retl_list, retl_problem, COUNT(*), 0, COUNT(DISTINCT HASH(retl_identity)), COUNT(retl_email), COUNT(DISTINCT CASE WHEN retl_email IS NOT NULL THEN HASH(retl_email) END)
snowflake: SELECT retl_list, retl_problem, COUNT(*), 0, COUNT(DISTINCT retl_identity), COUNT(retl_email), COUNT(DISTINCT CASE WHEN retl_email IS NOT NULL THEN retl_email END)
FROM (
  SELECT s.* EXCLUDE (retl_problem, retl_detail, retl_list), CASE WHEN r.retl_list IS NULL THEN s.retl_list END AS retl_list, COALESCE(s.retl_problem, r.retl_problem) AS retl_problem, CASE WHEN s.retl_problem IS NULL THEN COALESCE(r.retl_list, NULL) ELSE s.retl_detail END AS retl_detail
  FROM temp.staged_clubs_4e5f6a7b AS s
  LEFT JOIN temp.refused_clubs_4e5f6a7b AS r ON s.retl_list = r.retl_list
) GROUP BY retl_list, retl_problem ORDER BY retl_list, retl_problem;

-- count_staged_rows 6
duckdb:    SELECT retl_list, retl_problem, COUNT(*), 0, COUNT(DISTINCT HASH(retl_identity)), COUNT(retl_email), COUNT(DISTINCT CASE WHEN retl_email IS NOT NULL THEN HASH(retl_email) END)
snowflake: SELECT retl_list, retl_problem, COUNT(*), 0, COUNT(DISTINCT retl_identity), COUNT(retl_email), COUNT(DISTINCT CASE WHEN retl_email IS NOT NULL THEN retl_email END)
FROM (
  SELECT s.* EXCLUDE (retl_problem, retl_detail, retl_list), CASE WHEN r.retl_list IS NULL THEN s.retl_list END AS retl_list, s.retl_problem IS NULL AND COALESCE(m.retl_omits_email, FALSE) AS retl_omits_email, COALESCE(s.retl_problem, r.retl_problem, m.retl_problem) AS retl_problem, CASE WHEN s.retl_problem IS NULL THEN COALESCE(r.retl_list, m.retl_detail, NULL) ELSE s.retl_detail END AS retl_detail
  FROM temp.staged_clubs_4e5f6a7b AS s
  LEFT JOIN temp.refused_clubs_4e5f6a7b AS r ON s.retl_list = r.retl_list
  LEFT JOIN (
    SELECT retl_list, retl_identity, MAX(retl_problem) AS retl_problem, MAX(retl_detail) AS retl_detail, COUNT(CASE WHEN retl_omitted = 'email' THEN 1 END) > 0 AS retl_omits_email
    FROM (SELECT * FROM temp.marks_1_clubs_4e5f6a7b UNION ALL SELECT * FROM temp.marks_2_clubs_4e5f6a7b UNION ALL SELECT * FROM temp.marks_3_clubs_4e5f6a7b) AS marked GROUP BY retl_list, retl_identity
  ) AS m ON s.retl_identity = m.retl_identity AND s.retl_list = m.retl_list
) GROUP BY retl_list, retl_problem ORDER BY retl_list, retl_problem;
