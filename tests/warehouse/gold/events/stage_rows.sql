-- stage_rows 1
duckdb:    CREATE TABLE temp.staged_orders_2a3b4c5d AS
duckdb:    SELECT retl_list, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_problem, retl_detail, CASE WHEN retl_identity IS NULL THEN 'row:' || MD5(CONCAT_WS('|', CAST(retl_email AS VARCHAR), CAST(retl_phone_e164 AS VARCHAR), CAST(retl_external_id AS VARCHAR), CAST(retl_klaviyo_profile_id AS VARCHAR), CAST("unique_id" AS VARCHAR), CAST("time" AS VARCHAR), CAST("metric" AS VARCHAR))) END AS retl_digest,
snowflake: CREATE TEMPORARY TABLE temp.staged_orders_2a3b4c5d DEFAULT_DDL_COLLATION = '' AS
snowflake: SELECT retl_list, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_problem, retl_detail, CASE WHEN retl_identity IS NULL THEN 'row:' || MD5(CONCAT_WS('|', COALESCE(CAST(retl_email AS VARCHAR), ''), COALESCE(CAST(retl_phone_e164 AS VARCHAR), ''), COALESCE(CAST(retl_external_id AS VARCHAR), ''), COALESCE(CAST(retl_klaviyo_profile_id AS VARCHAR), ''), COALESCE(CAST("unique_id" AS VARCHAR), ''), COALESCE(CAST("time" AS VARCHAR), ''), COALESCE(CAST("metric" AS VARCHAR), ''))) END AS retl_digest,
  retl_unchanged, FALSE AS retl_left_out
, "unique_id", "time", "metric"
FROM (
SELECT d.*, FALSE AS retl_unchanged FROM (
SELECT CAST('' AS VARCHAR) AS retl_list,
duckdb:      'key:' || REPLACE(REPLACE(NULLIF((CAST("unique_id" AS VARCHAR) COLLATE "binary"), ''), '%', '%25'), '|', '%7C') AS retl_identity,
snowflake:   'key:' || REPLACE(REPLACE(NULLIF((CAST("unique_id" AS VARCHAR) COLLATE ''), ''), '%', '%25'), '|', '%7C') AS retl_identity,
  retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id,
  CAST(CASE
duckdb:        WHEN 'key:' || REPLACE(REPLACE(NULLIF((CAST("unique_id" AS VARCHAR) COLLATE "binary"), ''), '%', '%25'), '|', '%7C') IS NULL THEN 'no_key'
snowflake:     WHEN 'key:' || REPLACE(REPLACE(NULLIF((CAST("unique_id" AS VARCHAR) COLLATE ''), ''), '%', '%25'), '|', '%7C') IS NULL THEN 'no_key'
    WHEN retl_email IS NULL THEN 'no_identifier'
    WHEN CASE WHEN retl_is_canonical_email THEN FALSE ELSE LENGTH(retl_email) > 100 END THEN 'email_too_long'
duckdb:        WHEN CASE WHEN retl_is_canonical_email THEN FALSE ELSE REGEXP_MATCHES(retl_email, '[\x{0}-\x{1f}\x{7f}-\x{9f}\x{ad}\x{34f}\x{600}-\x{605}\x{61c}\x{6dd}\x{70f}\x{890}-\x{891}\x{8e2}\x{115f}-\x{1160}\x{17b4}-\x{17b5}\x{180b}-\x{180f}\x{200b}-\x{200f}\x{2028}-\x{202e}\x{2060}-\x{206f}\x{3164}\x{fe00}-\x{fe0f}\x{feff}\x{ffa0}\x{fff0}-\x{fffd}\x{110bd}\x{110cd}\x{13430}-\x{1343f}\x{1bca0}-\x{1bca3}\x{1d173}-\x{1d17a}\x{e0000}-\x{e0fff}]') END THEN 'email_invisible'
duckdb:        WHEN CASE WHEN retl_is_canonical_email THEN FALSE ELSE NOT REGEXP_MATCHES(retl_email, '^[^][[:space:]@,;:<>()"\\]+@[^][[:space:]@,;:<>()"\\]+\.[^][[:space:]@,;:<>()"\\]+$') OR REGEXP_MATCHES(retl_email, '(^\.|\.\.|\.@|@\.|\.$)') OR REGEXP_MATCHES(retl_email, '[\x{20}\x{a0}\x{1680}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}]') END THEN 'email_malformed'
duckdb:        WHEN "time" IN (CAST('infinity' AS TIMESTAMP WITH TIME ZONE), CAST('-infinity' AS TIMESTAMP WITH TIME ZONE)) THEN 'infinite_time'
snowflake:     WHEN CASE WHEN retl_is_canonical_email THEN FALSE ELSE (REGEXP_INSTR(REPLACE(retl_email, CHAR(0), CHAR(65533)), CONCAT('[', '\u0001-\u001f\u007f-\u009f\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890-\u0891\u08e2\u115f-\u1160\u17b4-\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffd', CHAR(69821), CHAR(69837), CHAR(78896), '-', CHAR(78911), CHAR(113824), '-', CHAR(113827), CHAR(119155), '-', CHAR(119162), CHAR(917504), '-', CHAR(921599), ']')) > 0) END THEN 'email_invisible'
snowflake:     WHEN CASE WHEN retl_is_canonical_email THEN FALSE ELSE NOT (REGEXP_INSTR(retl_email, '^[^][[:space:]@,;:<>()"\\\\]+@[^][[:space:]@,;:<>()"\\\\]+\\.[^][[:space:]@,;:<>()"\\\\]+$') > 0) OR (REGEXP_INSTR(retl_email, '(^\\.|\\.\\.|\\.@|@\\.|\\.$)') > 0) OR (REGEXP_INSTR(REPLACE(retl_email, CHAR(0), CHAR(65533)), CONCAT('[', '\u0020\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000', ']')) > 0) END THEN 'email_malformed'
snowflake:     WHEN YEAR("time") NOT BETWEEN 1 AND 9999 THEN 'infinite_time'
  END AS VARCHAR) AS retl_problem,
duckdb:      CAST(CASE WHEN "time" IN (CAST('infinity' AS TIMESTAMP WITH TIME ZONE), CAST('-infinity' AS TIMESTAMP WITH TIME ZONE)) THEN 'time' END AS VARCHAR) AS retl_detail, (CAST("unique_id" AS VARCHAR) COLLATE "binary") AS "unique_id", "time", (CAST("metric" AS VARCHAR) COLLATE "binary") AS "metric"
snowflake:   CAST(CASE WHEN YEAR("time") NOT BETWEEN 1 AND 9999 THEN 'TIME' END AS VARCHAR) AS retl_detail, (CAST("unique_id" AS VARCHAR) COLLATE '') AS "unique_id", "time", (CAST("metric" AS VARCHAR) COLLATE '') AS "metric"
FROM (
  SELECT '' AS retl_list_raw,
duckdb:        CASE WHEN retl_is_canonical_email THEN (CAST("email" AS VARCHAR) COLLATE "binary") ELSE NULLIF(LOWER(REGEXP_REPLACE((CAST("email" AS VARCHAR) COLLATE "binary"), '^[\x{20}\x{a0}\x{1680}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}\x{0}-\x{1f}\x{7f}-\x{9f}\x{ad}\x{34f}\x{600}-\x{605}\x{61c}\x{6dd}\x{70f}\x{890}-\x{891}\x{8e2}\x{115f}-\x{1160}\x{17b4}-\x{17b5}\x{180b}-\x{180f}\x{200b}-\x{200f}\x{2028}-\x{202e}\x{2060}-\x{206f}\x{3164}\x{fe00}-\x{fe0f}\x{feff}\x{ffa0}\x{fff0}-\x{fffd}\x{110bd}\x{110cd}\x{13430}-\x{1343f}\x{1bca0}-\x{1bca3}\x{1d173}-\x{1d17a}\x{e0000}-\x{e0fff}]+|[\x{20}\x{a0}\x{1680}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}\x{0}-\x{1f}\x{7f}-\x{9f}\x{ad}\x{34f}\x{600}-\x{605}\x{61c}\x{6dd}\x{70f}\x{890}-\x{891}\x{8e2}\x{115f}-\x{1160}\x{17b4}-\x{17b5}\x{180b}-\x{180f}\x{200b}-\x{200f}\x{2028}-\x{202e}\x{2060}-\x{206f}\x{3164}\x{fe00}-\x{fe0f}\x{feff}\x{ffa0}\x{fff0}-\x{fffd}\x{110bd}\x{110cd}\x{13430}-\x{1343f}\x{1bca0}-\x{1bca3}\x{1d173}-\x{1d17a}\x{e0000}-\x{e0fff}]+$', '', 'g')), '') END AS retl_email,
snowflake:     CASE WHEN retl_is_canonical_email THEN (CAST("email" AS VARCHAR) COLLATE '') ELSE NULLIF(LOWER(REGEXP_REPLACE(REPLACE((CAST("email" AS VARCHAR) COLLATE ''), CHAR(0), CHAR(65533)), CONCAT('^[', '\u0020\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\u0001-\u001f\u007f-\u009f\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890-\u0891\u08e2\u115f-\u1160\u17b4-\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffd', CHAR(69821), CHAR(69837), CHAR(78896), '-', CHAR(78911), CHAR(113824), '-', CHAR(113827), CHAR(119155), '-', CHAR(119162), CHAR(917504), '-', CHAR(921599), ']+|[', '\u0020\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\u0001-\u001f\u007f-\u009f\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890-\u0891\u08e2\u115f-\u1160\u17b4-\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffd', CHAR(69821), CHAR(69837), CHAR(78896), '-', CHAR(78911), CHAR(113824), '-', CHAR(113827), CHAR(119155), '-', CHAR(119162), CHAR(917504), '-', CHAR(921599), ']+$'), '')), '') END AS retl_email,
    CAST(NULL AS VARCHAR) AS retl_phone_e164,
    CAST(NULL AS VARCHAR) AS retl_external_id,
    CAST(NULL AS VARCHAR) AS retl_klaviyo_profile_id, retl_is_canonical_email, "unique_id", "time", "metric"
duckdb:      FROM (SELECT *, (LENGTH((CAST("email" AS VARCHAR) COLLATE "binary")) <= 100 AND REGEXP_FULL_MATCH((CAST("email" AS VARCHAR) COLLATE "binary"), '[a-z0-9_+-]+(\.[a-z0-9_+-]+)*@[a-z0-9-]+(\.[a-z0-9-]+)+')) AS retl_is_canonical_email FROM (
snowflake:   FROM (SELECT *, (LENGTH((CAST("email" AS VARCHAR) COLLATE '')) <= 100 AND REGEXP_LIKE((CAST("email" AS VARCHAR) COLLATE ''), '[a-z0-9_+-]+(\\.[a-z0-9_+-]+)*@[a-z0-9-]+(\\.[a-z0-9-]+)+')) AS retl_is_canonical_email FROM (
select * from orders
  ) AS retl_model) AS retl_flagged
) AS retl_rows
) AS d
) AS retl_compared;
