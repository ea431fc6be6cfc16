-- collect_shared 1
duckdb:    CREATE TABLE temp.shared_phone_e164_vip_0a1b2c3d AS
snowflake: CREATE TEMPORARY TABLE temp.shared_phone_e164_vip_0a1b2c3d DEFAULT_DDL_COLLATION = '' AS
SELECT retl_phone_e164 AS retl_value,
  MAX(CASE WHEN retl_identity = 'phone_e164:' || retl_phone_e164 THEN 1 ELSE 0 END) AS retl_owner,
  CASE WHEN MIN(CASE WHEN NOT retl_identity = 'phone_e164:' || retl_phone_e164 THEN retl_identity END) <> MAX(CASE WHEN NOT retl_identity = 'phone_e164:' || retl_phone_e164 THEN retl_identity END) THEN 1 ELSE 0 END AS retl_shared
FROM temp.staged_vip_0a1b2c3d WHERE retl_problem IS NULL AND retl_phone_e164 IS NOT NULL AND retl_phone_e164 IN (SELECT retl_phone_e164 FROM temp.staged_vip_0a1b2c3d WHERE retl_problem IS NULL AND retl_phone_e164 IS NOT NULL GROUP BY retl_phone_e164 HAVING COUNT(*) > 1)
GROUP BY retl_phone_e164 HAVING MIN(retl_identity) <> MAX(retl_identity);

-- collect_shared 2
duckdb:    CREATE TABLE temp.shared_email_clubs_4e5f6a7b AS
snowflake: CREATE TEMPORARY TABLE temp.shared_email_clubs_4e5f6a7b DEFAULT_DDL_COLLATION = '' AS
SELECT retl_email AS retl_value,
  MAX(CASE WHEN retl_identity = 'email:' || retl_email THEN 1 ELSE 0 END) AS retl_owner,
  CASE WHEN MIN(CASE WHEN NOT retl_identity = 'email:' || retl_email THEN retl_identity END) <> MAX(CASE WHEN NOT retl_identity = 'email:' || retl_email THEN retl_identity END) THEN 1 ELSE 0 END AS retl_shared
FROM temp.staged_clubs_4e5f6a7b WHERE retl_problem IS NULL AND retl_email IS NOT NULL AND retl_email IN (SELECT retl_email FROM temp.staged_clubs_4e5f6a7b WHERE retl_problem IS NULL AND retl_email IS NOT NULL GROUP BY retl_email HAVING COUNT(*) > 1)
GROUP BY retl_email HAVING MIN(retl_identity) <> MAX(retl_identity);
