-- resolve_duplicates 1
duckdb:    CREATE TABLE temp.distinct_vip_0a1b2c3d AS
snowflake: CREATE TEMPORARY TABLE temp.distinct_vip_0a1b2c3d DEFAULT_DDL_COLLATION = '' AS
SELECT DISTINCT s.retl_list, s.retl_identity, s.retl_email, s.retl_phone_e164, s.retl_external_id, s.retl_klaviyo_profile_id, s."first_name", s."spent", s."Since", s."tags"
FROM temp.staged_vip_0a1b2c3d AS s
JOIN temp.duplicates_vip_0a1b2c3d AS t ON s.retl_list = t.retl_list AND s.retl_identity = t.retl_identity
WHERE s.retl_problem IS NULL;
DELETE FROM temp.staged_vip_0a1b2c3d AS s WHERE s.retl_problem IS NULL AND EXISTS (
  SELECT 1 FROM temp.duplicates_vip_0a1b2c3d AS t WHERE s.retl_list = t.retl_list AND s.retl_identity = t.retl_identity);
INSERT INTO temp.staged_vip_0a1b2c3d (retl_problem, retl_detail, retl_unchanged, retl_left_out, retl_list, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, "first_name", "spent", "Since", "tags")
SELECT CASE WHEN t.retl_rows > 1 THEN 'duplicate' END, CASE WHEN t.retl_rows > 1 THEN SUBSTR(t.retl_differing, 3) END, FALSE, FALSE,
  s.retl_list, s.retl_identity, s.retl_email, s.retl_phone_e164, s.retl_external_id, s.retl_klaviyo_profile_id, s."first_name", s."spent", s."Since", s."tags"
FROM temp.distinct_vip_0a1b2c3d AS s JOIN (
  SELECT retl_list, retl_identity, COUNT(*) AS retl_rows, CONCAT('',
    CASE WHEN COUNT(DISTINCT retl_email) > 1 OR COUNT(retl_email) NOT IN (0, COUNT(*)) THEN ', email' ELSE '' END,
    CASE WHEN COUNT(DISTINCT retl_phone_e164) > 1 OR COUNT(retl_phone_e164) NOT IN (0, COUNT(*)) THEN ', phone_e164' ELSE '' END,
    CASE WHEN COUNT(DISTINCT retl_external_id) > 1 OR COUNT(retl_external_id) NOT IN (0, COUNT(*)) THEN ', external_id' ELSE '' END,
    CASE WHEN COUNT(DISTINCT retl_klaviyo_profile_id) > 1 OR COUNT(retl_klaviyo_profile_id) NOT IN (0, COUNT(*)) THEN ', klaviyo_profile_id' ELSE '' END,
duckdb:        CASE WHEN COUNT(DISTINCT "first_name") > 1 OR COUNT("first_name") NOT IN (0, COUNT(*)) THEN ', first_name' ELSE '' END,
duckdb:        CASE WHEN COUNT(DISTINCT "spent") > 1 OR COUNT("spent") NOT IN (0, COUNT(*)) THEN ', spent' ELSE '' END,
snowflake:     CASE WHEN COUNT(DISTINCT "first_name") > 1 OR COUNT("first_name") NOT IN (0, COUNT(*)) THEN ', FIRST_NAME' ELSE '' END,
snowflake:     CASE WHEN COUNT(DISTINCT "spent") > 1 OR COUNT("spent") NOT IN (0, COUNT(*)) THEN ', SPENT' ELSE '' END,
    CASE WHEN COUNT(DISTINCT "Since") > 1 OR COUNT("Since") NOT IN (0, COUNT(*)) THEN ', Since' ELSE '' END,
duckdb:        CASE WHEN COUNT(DISTINCT "tags") > 1 OR COUNT("tags") NOT IN (0, COUNT(*)) THEN ', tags' ELSE '' END) AS retl_differing
snowflake:     CASE WHEN COUNT(DISTINCT TO_JSON("tags")) > 1 OR COUNT(TO_JSON("tags")) NOT IN (0, COUNT(*)) THEN ', TAGS' ELSE '' END) AS retl_differing
  FROM temp.distinct_vip_0a1b2c3d GROUP BY retl_list, retl_identity
) AS t ON s.retl_list = t.retl_list AND s.retl_identity = t.retl_identity;

-- resolve_duplicates 2
duckdb:    CREATE TABLE temp.distinct_clubs_4e5f6a7b AS
snowflake: CREATE TEMPORARY TABLE temp.distinct_clubs_4e5f6a7b DEFAULT_DDL_COLLATION = '' AS
SELECT DISTINCT s.retl_list, s.retl_identity, s.retl_email, s.retl_phone_e164, s.retl_external_id, s.retl_klaviyo_profile_id
FROM temp.staged_clubs_4e5f6a7b AS s
JOIN temp.duplicates_clubs_4e5f6a7b AS t ON s.retl_list = t.retl_list AND s.retl_identity = t.retl_identity
WHERE s.retl_problem IS NULL;
DELETE FROM temp.staged_clubs_4e5f6a7b AS s WHERE s.retl_problem IS NULL AND EXISTS (
  SELECT 1 FROM temp.duplicates_clubs_4e5f6a7b AS t WHERE s.retl_list = t.retl_list AND s.retl_identity = t.retl_identity);
INSERT INTO temp.staged_clubs_4e5f6a7b (retl_problem, retl_detail, retl_unchanged, retl_left_out, retl_list, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id)
SELECT CASE WHEN t.retl_rows > 1 THEN 'duplicate' END, CASE WHEN t.retl_rows > 1 THEN SUBSTR(t.retl_differing, 3) END, FALSE, FALSE,
  s.retl_list, s.retl_identity, s.retl_email, s.retl_phone_e164, s.retl_external_id, s.retl_klaviyo_profile_id
FROM temp.distinct_clubs_4e5f6a7b AS s JOIN (
  SELECT retl_list, retl_identity, COUNT(*) AS retl_rows, CONCAT('',
    CASE WHEN COUNT(DISTINCT retl_email) > 1 OR COUNT(retl_email) NOT IN (0, COUNT(*)) THEN ', email' ELSE '' END,
    CASE WHEN COUNT(DISTINCT retl_phone_e164) > 1 OR COUNT(retl_phone_e164) NOT IN (0, COUNT(*)) THEN ', phone_e164' ELSE '' END,
    CASE WHEN COUNT(DISTINCT retl_external_id) > 1 OR COUNT(retl_external_id) NOT IN (0, COUNT(*)) THEN ', external_id' ELSE '' END,
    CASE WHEN COUNT(DISTINCT retl_klaviyo_profile_id) > 1 OR COUNT(retl_klaviyo_profile_id) NOT IN (0, COUNT(*)) THEN ', klaviyo_profile_id' ELSE '' END) AS retl_differing
  FROM temp.distinct_clubs_4e5f6a7b GROUP BY retl_list, retl_identity
) AS t ON s.retl_list = t.retl_list AND s.retl_identity = t.retl_identity;
