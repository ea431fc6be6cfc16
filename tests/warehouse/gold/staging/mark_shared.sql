-- mark_shared 1
duckdb:    CREATE OR REPLACE TABLE temp.marks_1_vip_0a1b2c3d AS
snowflake: CREATE OR REPLACE TEMPORARY TABLE temp.marks_1_vip_0a1b2c3d DEFAULT_DDL_COLLATION = '' AS
SELECT retl_list, retl_identity, CAST(CASE WHEN retl_identity = 'phone_e164:' || retl_phone_e164 THEN 'identity_is_another_rows_identifier' END AS VARCHAR) AS retl_problem, CAST(CASE WHEN retl_identity = 'phone_e164:' || retl_phone_e164 THEN 'phone_e164' END AS VARCHAR) AS retl_detail, CAST(CASE WHEN NOT retl_identity = 'phone_e164:' || retl_phone_e164 THEN 'phone_e164' END AS VARCHAR) AS retl_omitted
FROM (
  SELECT s.* EXCLUDE (retl_problem, retl_detail, retl_list), CASE WHEN r.retl_list IS NULL THEN s.retl_list END AS retl_list, COALESCE(s.retl_problem, r.retl_problem) AS retl_problem, CASE WHEN s.retl_problem IS NULL THEN COALESCE(r.retl_list, NULL) ELSE s.retl_detail END AS retl_detail
  FROM temp.staged_vip_0a1b2c3d AS s
  LEFT JOIN temp.refused_vip_0a1b2c3d AS r ON s.retl_list = r.retl_list
) AS s JOIN temp.shared_phone_e164_vip_0a1b2c3d AS v ON v.retl_value = s.retl_phone_e164
WHERE retl_problem IS NULL AND CASE WHEN retl_identity = 'phone_e164:' || retl_phone_e164 THEN retl_owner ELSE retl_shared END = 1;

-- mark_shared 2
duckdb:    CREATE OR REPLACE TABLE temp.marks_2_vip_0a1b2c3d AS
snowflake: CREATE OR REPLACE TEMPORARY TABLE temp.marks_2_vip_0a1b2c3d DEFAULT_DDL_COLLATION = '' AS
SELECT retl_list, retl_identity, CAST(CASE WHEN retl_identity = 'phone_e164:' || retl_phone_e164 THEN 'identity_is_another_rows_identifier' ELSE 'shared_identifier' END AS VARCHAR) AS retl_problem, CAST('phone_e164' AS VARCHAR) AS retl_detail, CAST(NULL AS VARCHAR) AS retl_omitted
FROM (
  SELECT s.* EXCLUDE (retl_problem, retl_detail, retl_list), CASE WHEN r.retl_list IS NULL THEN s.retl_list END AS retl_list, s.retl_problem IS NULL AND COALESCE(m.retl_omits_phone_e164, FALSE) AS retl_omits_phone_e164, COALESCE(s.retl_problem, r.retl_problem, m.retl_problem) AS retl_problem, CASE WHEN s.retl_problem IS NULL THEN COALESCE(r.retl_list, m.retl_detail, NULL) ELSE s.retl_detail END AS retl_detail
  FROM temp.staged_vip_0a1b2c3d AS s
  LEFT JOIN temp.refused_vip_0a1b2c3d AS r ON s.retl_list = r.retl_list
  LEFT JOIN (
    SELECT retl_identity, MAX(retl_problem) AS retl_problem, MAX(retl_detail) AS retl_detail, COUNT(CASE WHEN retl_omitted = 'phone_e164' THEN 1 END) > 0 AS retl_omits_phone_e164
    FROM (SELECT * FROM temp.marks_1_vip_0a1b2c3d) AS marked GROUP BY retl_identity
  ) AS m ON s.retl_identity = m.retl_identity
) AS s JOIN temp.shared_phone_e164_vip_0a1b2c3d AS v ON v.retl_value = s.retl_phone_e164
WHERE retl_problem IS NULL AND CASE WHEN retl_identity = 'phone_e164:' || retl_phone_e164 THEN retl_owner ELSE retl_shared END = 1;

-- mark_shared 3
duckdb:    CREATE OR REPLACE TABLE temp.marks_1_clubs_4e5f6a7b AS
snowflake: CREATE OR REPLACE TEMPORARY TABLE temp.marks_1_clubs_4e5f6a7b DEFAULT_DDL_COLLATION = '' AS
SELECT retl_list, retl_identity, CAST(CASE WHEN retl_identity = 'email:' || retl_email THEN 'identity_is_another_rows_identifier' END AS VARCHAR) AS retl_problem, CAST(CASE WHEN retl_identity = 'email:' || retl_email THEN 'email' END AS VARCHAR) AS retl_detail, CAST(CASE WHEN NOT retl_identity = 'email:' || retl_email THEN 'email' END AS VARCHAR) AS retl_omitted
FROM (
  SELECT s.* EXCLUDE (retl_problem, retl_detail, retl_list), CASE WHEN r.retl_list IS NULL THEN s.retl_list END AS retl_list, COALESCE(s.retl_problem, r.retl_problem) AS retl_problem, CASE WHEN s.retl_problem IS NULL THEN COALESCE(r.retl_list, NULL) ELSE s.retl_detail END AS retl_detail
  FROM temp.staged_clubs_4e5f6a7b AS s
  LEFT JOIN temp.refused_clubs_4e5f6a7b AS r ON s.retl_list = r.retl_list
) AS s JOIN temp.shared_email_clubs_4e5f6a7b AS v ON v.retl_value = s.retl_email
WHERE retl_problem IS NULL AND CASE WHEN retl_identity = 'email:' || retl_email THEN retl_owner ELSE retl_shared END = 1;

-- mark_shared 4
duckdb:    CREATE OR REPLACE TABLE temp.marks_2_clubs_4e5f6a7b AS
snowflake: CREATE OR REPLACE TEMPORARY TABLE temp.marks_2_clubs_4e5f6a7b DEFAULT_DDL_COLLATION = '' AS
SELECT retl_list, retl_identity, CAST(CASE WHEN retl_identity = 'email:' || retl_email THEN 'identity_is_another_rows_identifier' ELSE 'shared_identifier' END AS VARCHAR) AS retl_problem, CAST('email' AS VARCHAR) AS retl_detail, CAST(NULL AS VARCHAR) AS retl_omitted
FROM (
  SELECT s.* EXCLUDE (retl_problem, retl_detail, retl_list), CASE WHEN r.retl_list IS NULL THEN s.retl_list END AS retl_list, s.retl_problem IS NULL AND COALESCE(m.retl_omits_email, FALSE) AS retl_omits_email, COALESCE(s.retl_problem, r.retl_problem, m.retl_problem) AS retl_problem, CASE WHEN s.retl_problem IS NULL THEN COALESCE(r.retl_list, m.retl_detail, NULL) ELSE s.retl_detail END AS retl_detail
  FROM temp.staged_clubs_4e5f6a7b AS s
  LEFT JOIN temp.refused_clubs_4e5f6a7b AS r ON s.retl_list = r.retl_list
  LEFT JOIN (
    SELECT retl_list, retl_identity, MAX(retl_problem) AS retl_problem, MAX(retl_detail) AS retl_detail, COUNT(CASE WHEN retl_omitted = 'email' THEN 1 END) > 0 AS retl_omits_email
    FROM (SELECT * FROM temp.marks_1_clubs_4e5f6a7b) AS marked GROUP BY retl_list, retl_identity
  ) AS m ON s.retl_identity = m.retl_identity AND s.retl_list = m.retl_list
) AS s JOIN temp.shared_email_clubs_4e5f6a7b AS v ON v.retl_value = s.retl_email
WHERE retl_problem IS NULL AND CASE WHEN retl_identity = 'email:' || retl_email THEN retl_owner ELSE retl_shared END = 1;
