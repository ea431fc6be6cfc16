-- stage_rows 1
duckdb:    CREATE TABLE temp.staged_codes_8c9d0e1f AS
duckdb:    SELECT retl_list, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_problem, retl_detail, CASE WHEN retl_identity IS NULL THEN 'row:' || MD5(CONCAT_WS('|', CAST(retl_email AS VARCHAR), CAST(retl_phone_e164 AS VARCHAR), CAST(retl_external_id AS VARCHAR), CAST(retl_klaviyo_profile_id AS VARCHAR), CAST("coupon" AS VARCHAR), CAST("code" AS VARCHAR), CAST("percent" AS VARCHAR))) END AS retl_digest,
snowflake: CREATE TEMPORARY TABLE temp.staged_codes_8c9d0e1f DEFAULT_DDL_COLLATION = '' AS
snowflake: SELECT retl_list, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_problem, retl_detail, CASE WHEN retl_identity IS NULL THEN 'row:' || MD5(CONCAT_WS('|', COALESCE(CAST(retl_email AS VARCHAR), ''), COALESCE(CAST(retl_phone_e164 AS VARCHAR), ''), COALESCE(CAST(retl_external_id AS VARCHAR), ''), COALESCE(CAST(retl_klaviyo_profile_id AS VARCHAR), ''), COALESCE(CAST("coupon" AS VARCHAR), ''), COALESCE(CAST("code" AS VARCHAR), ''), COALESCE(CAST("percent" AS VARCHAR), ''))) END AS retl_digest,
  retl_unchanged, FALSE AS retl_left_out
, "coupon", "code", "percent"
FROM (
SELECT d.*, FALSE AS retl_unchanged FROM (
SELECT CAST('' AS VARCHAR) AS retl_list,
duckdb:      'key:' || REPLACE(REPLACE(NULLIF((CAST("coupon" AS VARCHAR) COLLATE "binary"), ''), '%', '%25'), '|', '%7C') || '|' || CASE WHEN ABS("code") < 1e37 AND "code" = FLOOR("code") THEN CAST(CAST("code" AS DECIMAL(38, 0)) AS VARCHAR) WHEN "code" = FLOOR("code") THEN CAST("code" AS VARCHAR) ELSE RTRIM(CAST("code" AS VARCHAR), '0') END AS retl_identity,
snowflake:   'key:' || REPLACE(REPLACE(NULLIF((CAST("coupon" AS VARCHAR) COLLATE ''), ''), '%', '%25'), '|', '%7C') || '|' || CASE WHEN ABS("code") < 1e37 AND "code" = FLOOR("code") THEN CAST(CAST("code" AS DECIMAL(38, 0)) AS VARCHAR) WHEN "code" = FLOOR("code") THEN CAST("code" AS VARCHAR) ELSE RTRIM(CAST("code" AS VARCHAR), '0') END AS retl_identity,
  retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id,
  CAST(CASE
duckdb:        WHEN 'key:' || REPLACE(REPLACE(NULLIF((CAST("coupon" AS VARCHAR) COLLATE "binary"), ''), '%', '%25'), '|', '%7C') || '|' || CASE WHEN ABS("code") < 1e37 AND "code" = FLOOR("code") THEN CAST(CAST("code" AS DECIMAL(38, 0)) AS VARCHAR) WHEN "code" = FLOOR("code") THEN CAST("code" AS VARCHAR) ELSE RTRIM(CAST("code" AS VARCHAR), '0') END IS NULL THEN 'no_key'
snowflake:     WHEN 'key:' || REPLACE(REPLACE(NULLIF((CAST("coupon" AS VARCHAR) COLLATE ''), ''), '%', '%25'), '|', '%7C') || '|' || CASE WHEN ABS("code") < 1e37 AND "code" = FLOOR("code") THEN CAST(CAST("code" AS DECIMAL(38, 0)) AS VARCHAR) WHEN "code" = FLOOR("code") THEN CAST("code" AS VARCHAR) ELSE RTRIM(CAST("code" AS VARCHAR), '0') END IS NULL THEN 'no_key'
  END AS VARCHAR) AS retl_problem,
duckdb:      CAST(NULL AS VARCHAR) AS retl_detail, (CAST("coupon" AS VARCHAR) COLLATE "binary") AS "coupon", "code", "percent"
snowflake:   CAST(NULL AS VARCHAR) AS retl_detail, (CAST("coupon" AS VARCHAR) COLLATE '') AS "coupon", "code", "percent"
FROM (
  SELECT '' AS retl_list_raw,
    CAST(NULL AS VARCHAR) AS retl_email,
    CAST(NULL AS VARCHAR) AS retl_phone_e164,
    CAST(NULL AS VARCHAR) AS retl_external_id,
    CAST(NULL AS VARCHAR) AS retl_klaviyo_profile_id, "coupon", "code", "percent"
  FROM (SELECT * FROM (
select * from codes
  ) AS retl_model) AS retl_flagged
) AS retl_rows
) AS d
) AS retl_compared;
