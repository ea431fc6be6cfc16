-- mark_still_rejected 1
duckdb:    CREATE OR REPLACE TABLE temp.marks_3_vip_0a1b2c3d AS
snowflake: CREATE OR REPLACE TEMPORARY TABLE temp.marks_3_vip_0a1b2c3d DEFAULT_DDL_COLLATION = '' AS
SELECT s.retl_list, s.retl_identity, CAST('still_rejected' AS VARCHAR) AS retl_problem, CAST(NULL AS VARCHAR) AS retl_detail, CAST(NULL AS VARCHAR) AS retl_omitted
FROM (
  SELECT s.* EXCLUDE (retl_problem, retl_detail, retl_list), CASE WHEN r.retl_list IS NULL THEN s.retl_list END AS retl_list, s.retl_problem IS NULL AND COALESCE(m.retl_omits_phone_e164, FALSE) AS retl_omits_phone_e164, COALESCE(s.retl_problem, r.retl_problem, m.retl_problem) AS retl_problem, CASE WHEN s.retl_problem IS NULL THEN COALESCE(r.retl_list, m.retl_detail, NULL) ELSE s.retl_detail END AS retl_detail
  FROM temp.staged_vip_0a1b2c3d AS s
  LEFT JOIN temp.refused_vip_0a1b2c3d AS r ON s.retl_list = r.retl_list
  LEFT JOIN (
    SELECT retl_identity, MAX(retl_problem) AS retl_problem, MAX(retl_detail) AS retl_detail, COUNT(CASE WHEN retl_omitted = 'phone_e164' THEN 1 END) > 0 AS retl_omits_phone_e164
    FROM (SELECT * FROM temp.marks_1_vip_0a1b2c3d UNION ALL SELECT * FROM temp.marks_2_vip_0a1b2c3d) AS marked GROUP BY retl_identity
  ) AS m ON s.retl_identity = m.retl_identity
) AS s JOIN temp.lists_vip_0a1b2c3d AS l ON s.retl_list = l.retl_list
JOIN state.rejected_vip_0a1b2c3d AS r ON r.retl_list_id = l.retl_list_id AND r.retl_identity = s.retl_identity
WHERE s.retl_problem IS NULL AND r.retl_checksum = ?
AND s.retl_email IS NOT DISTINCT FROM r.retl_email
AND CASE WHEN s.retl_omits_phone_e164 THEN NULL ELSE s.retl_phone_e164 END IS NOT DISTINCT FROM r.retl_phone_e164
AND s.retl_external_id IS NOT DISTINCT FROM r.retl_external_id
AND s.retl_klaviyo_profile_id IS NOT DISTINCT FROM r.retl_klaviyo_profile_id
AND s."first_name" IS NOT DISTINCT FROM r."first_name"
AND s."spent" IS NOT DISTINCT FROM r."spent"
AND s."Since" IS NOT DISTINCT FROM r."Since"
duckdb:    AND s."tags" IS NOT DISTINCT FROM r."tags";
snowflake: AND TO_JSON(s."tags") IS NOT DISTINCT FROM TO_JSON(r."tags");
-- with ('c0ffee',)

-- mark_still_rejected 2
duckdb:    CREATE OR REPLACE TABLE temp.marks_3_clubs_4e5f6a7b AS
snowflake: CREATE OR REPLACE TEMPORARY TABLE temp.marks_3_clubs_4e5f6a7b DEFAULT_DDL_COLLATION = '' AS
SELECT s.retl_list, s.retl_identity, CAST('still_rejected' AS VARCHAR) AS retl_problem, CAST(NULL AS VARCHAR) AS retl_detail, CAST(NULL AS VARCHAR) AS retl_omitted
FROM (
  SELECT s.* EXCLUDE (retl_problem, retl_detail, retl_list), CASE WHEN r.retl_list IS NULL THEN s.retl_list END AS retl_list, s.retl_problem IS NULL AND COALESCE(m.retl_omits_email, FALSE) AS retl_omits_email, COALESCE(s.retl_problem, r.retl_problem, m.retl_problem) AS retl_problem, CASE WHEN s.retl_problem IS NULL THEN COALESCE(r.retl_list, m.retl_detail, NULL) ELSE s.retl_detail END AS retl_detail
  FROM temp.staged_clubs_4e5f6a7b AS s
  LEFT JOIN temp.refused_clubs_4e5f6a7b AS r ON s.retl_list = r.retl_list
  LEFT JOIN (
    SELECT retl_list, retl_identity, MAX(retl_problem) AS retl_problem, MAX(retl_detail) AS retl_detail, COUNT(CASE WHEN retl_omitted = 'email' THEN 1 END) > 0 AS retl_omits_email
    FROM (SELECT * FROM temp.marks_1_clubs_4e5f6a7b UNION ALL SELECT * FROM temp.marks_2_clubs_4e5f6a7b) AS marked GROUP BY retl_list, retl_identity
  ) AS m ON s.retl_identity = m.retl_identity AND s.retl_list = m.retl_list
) AS s JOIN temp.lists_clubs_4e5f6a7b AS l ON s.retl_list = l.retl_list
JOIN state.rejected_clubs_4e5f6a7b AS r ON r.retl_list_id = l.retl_list_id AND r.retl_identity = s.retl_identity
WHERE s.retl_problem IS NULL AND r.retl_checksum = ?
AND CASE WHEN s.retl_omits_email THEN NULL ELSE s.retl_email END IS NOT DISTINCT FROM r.retl_email
AND s.retl_phone_e164 IS NOT DISTINCT FROM r.retl_phone_e164
AND s.retl_external_id IS NOT DISTINCT FROM r.retl_external_id
AND s.retl_klaviyo_profile_id IS NOT DISTINCT FROM r.retl_klaviyo_profile_id;
-- with ('c0ffee',)
