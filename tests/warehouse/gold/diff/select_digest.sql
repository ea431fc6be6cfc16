-- select_digest 1
duckdb:    SELECT COUNT(*) AS retl_rows, CAST(COALESCE(BIT_XOR(MD5_NUMBER(CAST(JSON_ARRAY(p.retl_op, p.retl_list_id, p.retl_identity, p.retl_first_sent_at, COALESCE(p.retl_email, d.retl_email), COALESCE(p.retl_phone_e164, d.retl_phone_e164), COALESCE(p.retl_external_id, d.retl_external_id), COALESCE(p.retl_klaviyo_profile_id, d.retl_klaviyo_profile_id), d."first_name", d."spent", d."Since", d."tags") AS VARCHAR))), 0) AS VARCHAR) AS retl_digest
snowflake: SELECT COALESCE(SUM(retl_rows), 0), MD5(COALESCE(LISTAGG(retl_digest, '') WITHIN GROUP (ORDER BY retl_part), ''))
snowflake: FROM (
snowflake: SELECT FLOOR(p.retl_seq / 10000) AS retl_part, COUNT(*) AS retl_rows,
snowflake:   MD5(LISTAGG(MD5(TO_JSON(OBJECT_CONSTRUCT_KEEP_NULL('0', p.retl_op, '1', p.retl_list_id, '2', p.retl_identity, '3', p.retl_first_sent_at, '4', COALESCE(p.retl_email, d.retl_email), '5', COALESCE(p.retl_phone_e164, d.retl_phone_e164), '6', COALESCE(p.retl_external_id, d.retl_external_id), '7', COALESCE(p.retl_klaviyo_profile_id, d.retl_klaviyo_profile_id), '8', d."first_name", '9', d."spent", '10', d."Since", '11', d."tags"))), '') WITHIN GROUP (ORDER BY p.retl_seq)) AS retl_digest
FROM temp.planned_vip_0a1b2c3d AS p LEFT JOIN (
  SELECT l.retl_list_id, s.retl_identity, s.retl_unchanged, s.retl_email AS retl_email, s.retl_phone_e164 AS retl_phone_e164, s.retl_external_id AS retl_external_id, s.retl_klaviyo_profile_id AS retl_klaviyo_profile_id, s."first_name", s."spent", s."Since", s."tags"
  FROM temp.staged_vip_0a1b2c3d AS s JOIN temp.lists_vip_0a1b2c3d AS l ON s.retl_list = l.retl_list
  WHERE s.retl_problem IS NULL
duckdb:    ) AS d ON d.retl_identity = p.retl_identity;
snowflake: ) AS d ON d.retl_identity = p.retl_identity
snowflake: GROUP BY FLOOR(p.retl_seq / 10000)
snowflake: ) AS retl_parts;

-- select_digest 2
duckdb:    SELECT COUNT(*) AS retl_rows, CAST(COALESCE(BIT_XOR(MD5_NUMBER(CAST(JSON_ARRAY(p.retl_op, p.retl_list_id, p.retl_identity, p.retl_first_sent_at, COALESCE(p.retl_email, d.retl_email), COALESCE(p.retl_phone_e164, d.retl_phone_e164), COALESCE(p.retl_external_id, d.retl_external_id), COALESCE(p.retl_klaviyo_profile_id, d.retl_klaviyo_profile_id)) AS VARCHAR))), 0) AS VARCHAR) AS retl_digest
snowflake: SELECT COALESCE(SUM(retl_rows), 0), MD5(COALESCE(LISTAGG(retl_digest, '') WITHIN GROUP (ORDER BY retl_part), ''))
snowflake: FROM (
snowflake: SELECT FLOOR(p.retl_seq / 10000) AS retl_part, COUNT(*) AS retl_rows,
snowflake:   MD5(LISTAGG(MD5(TO_JSON(OBJECT_CONSTRUCT_KEEP_NULL('0', p.retl_op, '1', p.retl_list_id, '2', p.retl_identity, '3', p.retl_first_sent_at, '4', COALESCE(p.retl_email, d.retl_email), '5', COALESCE(p.retl_phone_e164, d.retl_phone_e164), '6', COALESCE(p.retl_external_id, d.retl_external_id), '7', COALESCE(p.retl_klaviyo_profile_id, d.retl_klaviyo_profile_id)))), '') WITHIN GROUP (ORDER BY p.retl_seq)) AS retl_digest
FROM temp.planned_clubs_4e5f6a7b AS p LEFT JOIN (
  SELECT l.retl_list_id, s.retl_identity, s.retl_unchanged, s.retl_email AS retl_email, s.retl_phone_e164 AS retl_phone_e164, s.retl_external_id AS retl_external_id, s.retl_klaviyo_profile_id AS retl_klaviyo_profile_id
  FROM temp.staged_clubs_4e5f6a7b AS s JOIN temp.lists_clubs_4e5f6a7b AS l ON s.retl_list = l.retl_list
  WHERE s.retl_problem IS NULL
duckdb:    ) AS d ON d.retl_list_id = p.retl_list_id AND d.retl_identity = p.retl_identity;
snowflake: ) AS d ON d.retl_list_id = p.retl_list_id AND d.retl_identity = p.retl_identity
snowflake: GROUP BY FLOOR(p.retl_seq / 10000)
snowflake: ) AS retl_parts;
