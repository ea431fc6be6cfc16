-- staging 1
CREATE TABLE memory.main."staged_vip_0a1b2c3d" AS
SELECT CAST('' AS VARCHAR) AS retl_list,
  CASE WHEN retl_email IS NOT NULL THEN 'email:' || retl_email WHEN retl_phone_e164 IS NOT NULL THEN 'phone_e164:' || retl_phone_e164 END AS retl_identity,
  retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, FALSE AS retl_omits_phone_e164,
  CAST(CASE
    WHEN retl_email IS NULL AND retl_phone_e164 IS NULL THEN 'no_identifier'
    WHEN CASE WHEN retl_is_canonical_email THEN FALSE ELSE LENGTH(retl_email) > 100 END THEN 'email_too_long'
    WHEN CASE WHEN retl_is_canonical_email THEN FALSE ELSE REGEXP_MATCHES(retl_email, '[\x{0}-\x{1f}\x{7f}-\x{9f}\x{ad}\x{34f}\x{600}-\x{605}\x{61c}\x{6dd}\x{70f}\x{890}-\x{891}\x{8e2}\x{115f}-\x{1160}\x{17b4}-\x{17b5}\x{180b}-\x{180f}\x{200b}-\x{200f}\x{2028}-\x{202e}\x{2060}-\x{206f}\x{3164}\x{fe00}-\x{fe0f}\x{feff}\x{ffa0}\x{fff0}-\x{fffd}\x{110bd}\x{110cd}\x{13430}-\x{1343f}\x{1bca0}-\x{1bca3}\x{1d173}-\x{1d17a}\x{e0000}-\x{e0fff}]') END THEN 'email_invisible'
    WHEN CASE WHEN retl_is_canonical_email THEN FALSE ELSE NOT REGEXP_MATCHES(retl_email, '^[^][[:space:]@,;:<>()"\\]+@[^][[:space:]@,;:<>()"\\]+\.[^][[:space:]@,;:<>()"\\]+$') OR REGEXP_MATCHES(retl_email, '(^\.|\.\.|\.@|@\.|\.$)') OR REGEXP_MATCHES(retl_email, '[\x{20}\x{a0}\x{1680}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}]') END THEN 'email_malformed'
    WHEN retl_phone_invisible THEN 'phone_invisible'
    WHEN retl_phone_trunk_zero THEN 'phone_trunk_zero'
    WHEN CASE WHEN retl_is_canonical_phone_e164 THEN FALSE ELSE NOT REGEXP_MATCHES(retl_phone_e164, '^\+[1-9][0-9]{6,14}$') END THEN 'phone_malformed'
    WHEN "Since" IN (CAST('infinity' AS TIMESTAMP), CAST('-infinity' AS TIMESTAMP)) THEN 'infinite_time'
  END AS VARCHAR) AS retl_problem,
  CAST(CASE WHEN "Since" IN (CAST('infinity' AS TIMESTAMP), CAST('-infinity' AS TIMESTAMP)) THEN 'Since' END AS VARCHAR) AS retl_detail, CAST("first_name" AS VARCHAR) AS "first_name", "spent", "Since", "tags"
FROM (
  SELECT '' AS retl_list_raw,
    CASE WHEN retl_is_canonical_email THEN CAST("mail" AS VARCHAR) ELSE NULLIF(LOWER(REGEXP_REPLACE(CAST("mail" AS VARCHAR), '^[\x{20}\x{a0}\x{1680}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}\x{0}-\x{1f}\x{7f}-\x{9f}\x{ad}\x{34f}\x{600}-\x{605}\x{61c}\x{6dd}\x{70f}\x{890}-\x{891}\x{8e2}\x{115f}-\x{1160}\x{17b4}-\x{17b5}\x{180b}-\x{180f}\x{200b}-\x{200f}\x{2028}-\x{202e}\x{2060}-\x{206f}\x{3164}\x{fe00}-\x{fe0f}\x{feff}\x{ffa0}\x{fff0}-\x{fffd}\x{110bd}\x{110cd}\x{13430}-\x{1343f}\x{1bca0}-\x{1bca3}\x{1d173}-\x{1d17a}\x{e0000}-\x{e0fff}]+|[\x{20}\x{a0}\x{1680}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}\x{0}-\x{1f}\x{7f}-\x{9f}\x{ad}\x{34f}\x{600}-\x{605}\x{61c}\x{6dd}\x{70f}\x{890}-\x{891}\x{8e2}\x{115f}-\x{1160}\x{17b4}-\x{17b5}\x{180b}-\x{180f}\x{200b}-\x{200f}\x{2028}-\x{202e}\x{2060}-\x{206f}\x{3164}\x{fe00}-\x{fe0f}\x{feff}\x{ffa0}\x{fff0}-\x{fffd}\x{110bd}\x{110cd}\x{13430}-\x{1343f}\x{1bca0}-\x{1bca3}\x{1d173}-\x{1d17a}\x{e0000}-\x{e0fff}]+$', '', 'g')), '') END AS retl_email,
    CASE WHEN retl_is_canonical_phone_e164 THEN CAST("phone" AS VARCHAR) ELSE NULLIF(TRANSLATE(REGEXP_REPLACE(CAST("phone" AS VARCHAR), '[\x{20}\x{a0}\x{1680}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}\x{0}-\x{1f}\x{7f}-\x{9f}\x{ad}\x{34f}\x{600}-\x{605}\x{61c}\x{6dd}\x{70f}\x{890}-\x{891}\x{8e2}\x{115f}-\x{1160}\x{17b4}-\x{17b5}\x{180b}-\x{180f}\x{200b}-\x{200f}\x{2028}-\x{202e}\x{2060}-\x{206f}\x{3164}\x{fe00}-\x{fe0f}\x{feff}\x{ffa0}\x{fff0}-\x{fffd}\x{110bd}\x{110cd}\x{13430}-\x{1343f}\x{1bca0}-\x{1bca3}\x{1d173}-\x{1d17a}\x{e0000}-\x{e0fff}]', '', 'g'), '().-', ''), '') END AS retl_phone_e164,
    CAST(NULL AS VARCHAR) AS retl_external_id,
    CAST(NULL AS VARCHAR) AS retl_klaviyo_profile_id, retl_is_canonical_email, retl_is_canonical_phone_e164,
    CASE WHEN retl_is_canonical_phone_e164 THEN FALSE ELSE REGEXP_MATCHES(REGEXP_REPLACE(CAST("phone" AS VARCHAR), '^[\x{20}\x{a0}\x{1680}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}\x{0}-\x{1f}\x{7f}-\x{9f}\x{ad}\x{34f}\x{600}-\x{605}\x{61c}\x{6dd}\x{70f}\x{890}-\x{891}\x{8e2}\x{115f}-\x{1160}\x{17b4}-\x{17b5}\x{180b}-\x{180f}\x{200b}-\x{200f}\x{2028}-\x{202e}\x{2060}-\x{206f}\x{3164}\x{fe00}-\x{fe0f}\x{feff}\x{ffa0}\x{fff0}-\x{fffd}\x{110bd}\x{110cd}\x{13430}-\x{1343f}\x{1bca0}-\x{1bca3}\x{1d173}-\x{1d17a}\x{e0000}-\x{e0fff}]+|[\x{20}\x{a0}\x{1680}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}\x{0}-\x{1f}\x{7f}-\x{9f}\x{ad}\x{34f}\x{600}-\x{605}\x{61c}\x{6dd}\x{70f}\x{890}-\x{891}\x{8e2}\x{115f}-\x{1160}\x{17b4}-\x{17b5}\x{180b}-\x{180f}\x{200b}-\x{200f}\x{2028}-\x{202e}\x{2060}-\x{206f}\x{3164}\x{fe00}-\x{fe0f}\x{feff}\x{ffa0}\x{fff0}-\x{fffd}\x{110bd}\x{110cd}\x{13430}-\x{1343f}\x{1bca0}-\x{1bca3}\x{1d173}-\x{1d17a}\x{e0000}-\x{e0fff}]+$', '', 'g'), '[\x{0}-\x{1f}\x{7f}-\x{9f}\x{ad}\x{34f}\x{600}-\x{605}\x{61c}\x{6dd}\x{70f}\x{890}-\x{891}\x{8e2}\x{115f}-\x{1160}\x{17b4}-\x{17b5}\x{180b}-\x{180f}\x{200b}-\x{200f}\x{2028}-\x{202e}\x{2060}-\x{206f}\x{3164}\x{fe00}-\x{fe0f}\x{feff}\x{ffa0}\x{fff0}-\x{fffd}\x{110bd}\x{110cd}\x{13430}-\x{1343f}\x{1bca0}-\x{1bca3}\x{1d173}-\x{1d17a}\x{e0000}-\x{e0fff}]') END AS retl_phone_invisible,
    CASE WHEN retl_is_canonical_phone_e164 THEN FALSE ELSE (REGEXP_MATCHES(CAST("phone" AS VARCHAR), '^[^0-9+]*[+][^0-9]*([0-9][^0-9(]*){1,3}[(][^0-9]*0') AND NOT REGEXP_MATCHES(CAST("phone" AS VARCHAR), '^[^0-9+]*[+][^0-9]*(39|378|225|229|242)[^0-9]*[(][^0-9]*0')) END AS retl_phone_trunk_zero, "first_name", "spent", "Since", "tags"
  FROM (SELECT *, (LENGTH(CAST("mail" AS VARCHAR)) <= 100 AND REGEXP_FULL_MATCH(CAST("mail" AS VARCHAR), '[a-z0-9_+-]+(\.[a-z0-9_+-]+)*@[a-z0-9-]+(\.[a-z0-9-]+)+')) AS retl_is_canonical_email, REGEXP_FULL_MATCH(CAST("phone" AS VARCHAR), '\+[1-9][0-9]{6,14}') AS retl_is_canonical_phone_e164 FROM (
select * from people
  ) AS retl_model) AS retl_flagged
) AS retl_rows;

-- staging 2
CREATE TABLE memory.main."staged_clubs_4e5f6a7b" AS
SELECT NULLIF(TRIM(CAST(retl_list_raw AS VARCHAR)), '') AS retl_list,
  CASE WHEN retl_external_id IS NOT NULL THEN 'external_id:' || retl_external_id WHEN retl_email IS NOT NULL THEN 'email:' || retl_email END AS retl_identity,
  retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, FALSE AS retl_omits_email,
  CAST(CASE
    WHEN NULLIF(TRIM(CAST(retl_list_raw AS VARCHAR)), '') IS NULL THEN 'no_list'
    WHEN retl_external_id IS NULL AND retl_email IS NULL THEN 'no_identifier'
    WHEN CASE WHEN retl_is_canonical_email THEN FALSE ELSE LENGTH(retl_email) > 100 END THEN 'email_too_long'
    WHEN CASE WHEN retl_is_canonical_email THEN FALSE ELSE REGEXP_MATCHES(retl_email, '[\x{0}-\x{1f}\x{7f}-\x{9f}\x{ad}\x{34f}\x{600}-\x{605}\x{61c}\x{6dd}\x{70f}\x{890}-\x{891}\x{8e2}\x{115f}-\x{1160}\x{17b4}-\x{17b5}\x{180b}-\x{180f}\x{200b}-\x{200f}\x{2028}-\x{202e}\x{2060}-\x{206f}\x{3164}\x{fe00}-\x{fe0f}\x{feff}\x{ffa0}\x{fff0}-\x{fffd}\x{110bd}\x{110cd}\x{13430}-\x{1343f}\x{1bca0}-\x{1bca3}\x{1d173}-\x{1d17a}\x{e0000}-\x{e0fff}]') END THEN 'email_invisible'
    WHEN CASE WHEN retl_is_canonical_email THEN FALSE ELSE NOT REGEXP_MATCHES(retl_email, '^[^][[:space:]@,;:<>()"\\]+@[^][[:space:]@,;:<>()"\\]+\.[^][[:space:]@,;:<>()"\\]+$') OR REGEXP_MATCHES(retl_email, '(^\.|\.\.|\.@|@\.|\.$)') OR REGEXP_MATCHES(retl_email, '[\x{20}\x{a0}\x{1680}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}]') END THEN 'email_malformed'
    WHEN LENGTH(retl_external_id) > 255 THEN 'id_too_long'
  END AS VARCHAR) AS retl_problem,
  CAST(NULL AS VARCHAR) AS retl_detail
FROM (
  SELECT "club" AS retl_list_raw,
    CASE WHEN retl_is_canonical_email THEN CAST("mail" AS VARCHAR) ELSE NULLIF(LOWER(REGEXP_REPLACE(CAST("mail" AS VARCHAR), '^[\x{20}\x{a0}\x{1680}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}\x{0}-\x{1f}\x{7f}-\x{9f}\x{ad}\x{34f}\x{600}-\x{605}\x{61c}\x{6dd}\x{70f}\x{890}-\x{891}\x{8e2}\x{115f}-\x{1160}\x{17b4}-\x{17b5}\x{180b}-\x{180f}\x{200b}-\x{200f}\x{2028}-\x{202e}\x{2060}-\x{206f}\x{3164}\x{fe00}-\x{fe0f}\x{feff}\x{ffa0}\x{fff0}-\x{fffd}\x{110bd}\x{110cd}\x{13430}-\x{1343f}\x{1bca0}-\x{1bca3}\x{1d173}-\x{1d17a}\x{e0000}-\x{e0fff}]+|[\x{20}\x{a0}\x{1680}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}\x{0}-\x{1f}\x{7f}-\x{9f}\x{ad}\x{34f}\x{600}-\x{605}\x{61c}\x{6dd}\x{70f}\x{890}-\x{891}\x{8e2}\x{115f}-\x{1160}\x{17b4}-\x{17b5}\x{180b}-\x{180f}\x{200b}-\x{200f}\x{2028}-\x{202e}\x{2060}-\x{206f}\x{3164}\x{fe00}-\x{fe0f}\x{feff}\x{ffa0}\x{fff0}-\x{fffd}\x{110bd}\x{110cd}\x{13430}-\x{1343f}\x{1bca0}-\x{1bca3}\x{1d173}-\x{1d17a}\x{e0000}-\x{e0fff}]+$', '', 'g')), '') END AS retl_email,
    CAST(NULL AS VARCHAR) AS retl_phone_e164,
    CASE WHEN "id" = FLOOR("id") THEN CAST(CAST("id" AS DECIMAL(38, 0)) AS VARCHAR) ELSE CAST("id" AS VARCHAR) END AS retl_external_id,
    CAST(NULL AS VARCHAR) AS retl_klaviyo_profile_id, retl_is_canonical_email
  FROM (SELECT *, (LENGTH(CAST("mail" AS VARCHAR)) <= 100 AND REGEXP_FULL_MATCH(CAST("mail" AS VARCHAR), '[a-z0-9_+-]+(\.[a-z0-9_+-]+)*@[a-z0-9-]+(\.[a-z0-9-]+)+')) AS retl_is_canonical_email FROM (
select * from people
  ) AS retl_model) AS retl_flagged
) AS retl_rows;

-- staging 3
CREATE TABLE memory.main."duplicates_vip_0a1b2c3d" AS
SELECT CAST('' AS VARCHAR) AS retl_list, retl_identity, COUNT(*) AS retl_rows
FROM memory.main."staged_vip_0a1b2c3d" WHERE retl_problem IS NULL AND HASH(retl_identity) IN (SELECT HASH(retl_identity) FROM memory.main."staged_vip_0a1b2c3d" WHERE retl_problem IS NULL GROUP BY HASH(retl_identity) HAVING COUNT(*) > 1)
GROUP BY retl_identity HAVING COUNT(*) > 1;

-- staging 4
CREATE TABLE memory.main."distinct_vip_0a1b2c3d" AS
SELECT DISTINCT s.retl_list, s.retl_identity, s.retl_email, s.retl_phone_e164, s.retl_external_id, s.retl_klaviyo_profile_id, s."first_name", s."spent", s."Since", s."tags"
FROM memory.main."staged_vip_0a1b2c3d" AS s
JOIN memory.main."duplicates_vip_0a1b2c3d" AS t ON s.retl_list = t.retl_list AND s.retl_identity = t.retl_identity
WHERE s.retl_problem IS NULL;

-- staging 5
DELETE FROM memory.main."staged_vip_0a1b2c3d" AS s WHERE s.retl_problem IS NULL AND EXISTS (
  SELECT 1 FROM memory.main."duplicates_vip_0a1b2c3d" AS t WHERE s.retl_list = t.retl_list AND s.retl_identity = t.retl_identity);

-- staging 6
INSERT INTO memory.main."staged_vip_0a1b2c3d" (retl_problem, retl_detail, retl_list, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, "first_name", "spent", "Since", "tags", retl_omits_phone_e164)
SELECT CASE WHEN t.retl_rows > 1 THEN 'duplicate' END, CASE WHEN t.retl_rows > 1 THEN SUBSTR(t.retl_differing, 3) END,
  s.retl_list, s.retl_identity, s.retl_email, s.retl_phone_e164, s.retl_external_id, s.retl_klaviyo_profile_id, s."first_name", s."spent", s."Since", s."tags", FALSE
FROM memory.main."distinct_vip_0a1b2c3d" AS s JOIN (
  SELECT retl_list, retl_identity, COUNT(*) AS retl_rows, CONCAT('',
    CASE WHEN COUNT(DISTINCT retl_email) > 1 OR COUNT(retl_email) NOT IN (0, COUNT(*)) THEN ', email' ELSE '' END,
    CASE WHEN COUNT(DISTINCT retl_phone_e164) > 1 OR COUNT(retl_phone_e164) NOT IN (0, COUNT(*)) THEN ', phone_e164' ELSE '' END,
    CASE WHEN COUNT(DISTINCT retl_external_id) > 1 OR COUNT(retl_external_id) NOT IN (0, COUNT(*)) THEN ', external_id' ELSE '' END,
    CASE WHEN COUNT(DISTINCT retl_klaviyo_profile_id) > 1 OR COUNT(retl_klaviyo_profile_id) NOT IN (0, COUNT(*)) THEN ', klaviyo_profile_id' ELSE '' END,
    CASE WHEN COUNT(DISTINCT "first_name") > 1 OR COUNT("first_name") NOT IN (0, COUNT(*)) THEN ', first_name' ELSE '' END,
    CASE WHEN COUNT(DISTINCT "spent") > 1 OR COUNT("spent") NOT IN (0, COUNT(*)) THEN ', spent' ELSE '' END,
    CASE WHEN COUNT(DISTINCT "Since") > 1 OR COUNT("Since") NOT IN (0, COUNT(*)) THEN ', Since' ELSE '' END,
    CASE WHEN COUNT(DISTINCT "tags") > 1 OR COUNT("tags") NOT IN (0, COUNT(*)) THEN ', tags' ELSE '' END) AS retl_differing
  FROM memory.main."distinct_vip_0a1b2c3d" GROUP BY retl_list, retl_identity
) AS t ON s.retl_list = t.retl_list AND s.retl_identity = t.retl_identity;

-- staging 7
CREATE TABLE memory.main."shared_phone_e164_vip_0a1b2c3d" AS
SELECT retl_phone_e164 AS retl_value,
  MAX(CASE WHEN retl_identity = 'phone_e164:' || retl_phone_e164 THEN 1 ELSE 0 END) AS retl_owner,
  CASE WHEN MIN(CASE WHEN NOT retl_identity = 'phone_e164:' || retl_phone_e164 THEN retl_identity END) <> MAX(CASE WHEN NOT retl_identity = 'phone_e164:' || retl_phone_e164 THEN retl_identity END) THEN 1 ELSE 0 END AS retl_shared
FROM memory.main."staged_vip_0a1b2c3d" WHERE retl_problem IS NULL AND retl_phone_e164 IS NOT NULL AND retl_phone_e164 IN (SELECT retl_phone_e164 FROM memory.main."staged_vip_0a1b2c3d" WHERE retl_problem IS NULL AND retl_phone_e164 IS NOT NULL GROUP BY retl_phone_e164 HAVING COUNT(*) > 1)
GROUP BY retl_phone_e164 HAVING MIN(retl_identity) <> MAX(retl_identity);

-- staging 8
UPDATE memory.main."staged_vip_0a1b2c3d" SET retl_problem = 'identity_is_another_rows_identifier', retl_detail = 'phone_e164'
WHERE retl_problem IS NULL AND retl_identity = 'phone_e164:' || retl_phone_e164
AND retl_phone_e164 IN (SELECT retl_value FROM memory.main."shared_phone_e164_vip_0a1b2c3d" WHERE retl_owner = 1);

-- staging 9
SELECT COUNT(*) FROM memory.main."staged_vip_0a1b2c3d" WHERE retl_problem IS NULL AND retl_identity <> 'phone_e164:' || retl_phone_e164
AND retl_phone_e164 IN (SELECT retl_value FROM memory.main."shared_phone_e164_vip_0a1b2c3d" WHERE retl_shared = 1);

-- staging 10
UPDATE memory.main."staged_vip_0a1b2c3d" SET retl_omits_phone_e164 = TRUE
WHERE retl_problem IS NULL AND retl_identity <> 'phone_e164:' || retl_phone_e164
AND retl_phone_e164 IN (SELECT retl_value FROM memory.main."shared_phone_e164_vip_0a1b2c3d" WHERE retl_shared = 1);

-- staging 11
UPDATE memory.main."staged_vip_0a1b2c3d" SET retl_problem = 'shared_identifier', retl_detail = 'phone_e164'
WHERE retl_problem IS NULL AND retl_identity <> 'phone_e164:' || retl_phone_e164
AND retl_phone_e164 IN (SELECT retl_value FROM memory.main."shared_phone_e164_vip_0a1b2c3d" WHERE retl_shared = 1);

-- staging 12
UPDATE memory.main."staged_vip_0a1b2c3d" AS s SET retl_problem = 'standing'
FROM "reverse_etl_state".main."rejected_vip_0a1b2c3d" AS r, memory.main."lists_vip_0a1b2c3d" AS l
WHERE s.retl_problem IS NULL AND s.retl_list = l.retl_list AND r.retl_list_id = l.retl_list_id
AND s.retl_identity = r.retl_identity AND r.retl_checksum = ?
AND s.retl_email IS NOT DISTINCT FROM r.retl_email
AND CASE WHEN s.retl_omits_phone_e164 THEN NULL ELSE s.retl_phone_e164 END IS NOT DISTINCT FROM r.retl_phone_e164
AND s.retl_external_id IS NOT DISTINCT FROM r.retl_external_id
AND s.retl_klaviyo_profile_id IS NOT DISTINCT FROM r.retl_klaviyo_profile_id
AND s."first_name" IS NOT DISTINCT FROM r."first_name"
AND s."spent" IS NOT DISTINCT FROM r."spent"
AND s."Since" IS NOT DISTINCT FROM r."Since"
AND s."tags" IS NOT DISTINCT FROM r."tags";
-- with ('c0ffee',)

-- staging 13
SELECT DISTINCT retl_list FROM memory.main."staged_vip_0a1b2c3d" WHERE retl_list IS NOT NULL ORDER BY retl_list;

-- staging 14
CREATE OR REPLACE TABLE memory.main."lists_vip_0a1b2c3d" (retl_list VARCHAR, retl_list_id VARCHAR);

-- staging 15
INSERT INTO memory.main."lists_vip_0a1b2c3d" VALUES (?, ?), (?, ?);
-- with ('', 'L1', 'b', 'L2')

-- staging 16
SELECT retl_list, retl_problem, COUNT(*) FROM memory.main."staged_vip_0a1b2c3d" GROUP BY retl_list, retl_problem ORDER BY retl_list, retl_problem;

-- staging 17
CREATE TABLE memory.main."duplicates_clubs_4e5f6a7b" AS
SELECT retl_list, retl_identity, COUNT(*) AS retl_rows
FROM memory.main."staged_clubs_4e5f6a7b" WHERE retl_problem IS NULL AND HASH(retl_list, retl_identity) IN (SELECT HASH(retl_list, retl_identity) FROM memory.main."staged_clubs_4e5f6a7b" WHERE retl_problem IS NULL GROUP BY HASH(retl_list, retl_identity) HAVING COUNT(*) > 1)
GROUP BY retl_list, retl_identity HAVING COUNT(*) > 1;

-- staging 18
CREATE TABLE memory.main."distinct_clubs_4e5f6a7b" AS
SELECT DISTINCT s.retl_list, s.retl_identity, s.retl_email, s.retl_phone_e164, s.retl_external_id, s.retl_klaviyo_profile_id
FROM memory.main."staged_clubs_4e5f6a7b" AS s
JOIN memory.main."duplicates_clubs_4e5f6a7b" AS t ON s.retl_list = t.retl_list AND s.retl_identity = t.retl_identity
WHERE s.retl_problem IS NULL;

-- staging 19
DELETE FROM memory.main."staged_clubs_4e5f6a7b" AS s WHERE s.retl_problem IS NULL AND EXISTS (
  SELECT 1 FROM memory.main."duplicates_clubs_4e5f6a7b" AS t WHERE s.retl_list = t.retl_list AND s.retl_identity = t.retl_identity);

-- staging 20
INSERT INTO memory.main."staged_clubs_4e5f6a7b" (retl_problem, retl_detail, retl_list, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_omits_email)
SELECT CASE WHEN t.retl_rows > 1 THEN 'duplicate' END, CASE WHEN t.retl_rows > 1 THEN SUBSTR(t.retl_differing, 3) END,
  s.retl_list, s.retl_identity, s.retl_email, s.retl_phone_e164, s.retl_external_id, s.retl_klaviyo_profile_id, FALSE
FROM memory.main."distinct_clubs_4e5f6a7b" AS s JOIN (
  SELECT retl_list, retl_identity, COUNT(*) AS retl_rows, CONCAT('',
    CASE WHEN COUNT(DISTINCT retl_email) > 1 OR COUNT(retl_email) NOT IN (0, COUNT(*)) THEN ', email' ELSE '' END,
    CASE WHEN COUNT(DISTINCT retl_phone_e164) > 1 OR COUNT(retl_phone_e164) NOT IN (0, COUNT(*)) THEN ', phone_e164' ELSE '' END,
    CASE WHEN COUNT(DISTINCT retl_external_id) > 1 OR COUNT(retl_external_id) NOT IN (0, COUNT(*)) THEN ', external_id' ELSE '' END,
    CASE WHEN COUNT(DISTINCT retl_klaviyo_profile_id) > 1 OR COUNT(retl_klaviyo_profile_id) NOT IN (0, COUNT(*)) THEN ', klaviyo_profile_id' ELSE '' END) AS retl_differing
  FROM memory.main."distinct_clubs_4e5f6a7b" GROUP BY retl_list, retl_identity
) AS t ON s.retl_list = t.retl_list AND s.retl_identity = t.retl_identity;

-- staging 21
CREATE TABLE memory.main."shared_email_clubs_4e5f6a7b" AS
SELECT retl_email AS retl_value,
  MAX(CASE WHEN retl_identity = 'email:' || retl_email THEN 1 ELSE 0 END) AS retl_owner,
  CASE WHEN MIN(CASE WHEN NOT retl_identity = 'email:' || retl_email THEN retl_identity END) <> MAX(CASE WHEN NOT retl_identity = 'email:' || retl_email THEN retl_identity END) THEN 1 ELSE 0 END AS retl_shared
FROM memory.main."staged_clubs_4e5f6a7b" WHERE retl_problem IS NULL AND retl_email IS NOT NULL AND retl_email IN (SELECT retl_email FROM memory.main."staged_clubs_4e5f6a7b" WHERE retl_problem IS NULL AND retl_email IS NOT NULL GROUP BY retl_email HAVING COUNT(*) > 1)
GROUP BY retl_email HAVING MIN(retl_identity) <> MAX(retl_identity);

-- staging 22
UPDATE memory.main."staged_clubs_4e5f6a7b" SET retl_problem = 'identity_is_another_rows_identifier', retl_detail = 'email'
WHERE retl_problem IS NULL AND retl_identity = 'email:' || retl_email
AND retl_email IN (SELECT retl_value FROM memory.main."shared_email_clubs_4e5f6a7b" WHERE retl_owner = 1);

-- staging 23
SELECT COUNT(*) FROM memory.main."staged_clubs_4e5f6a7b" WHERE retl_problem IS NULL AND retl_identity <> 'email:' || retl_email
AND retl_email IN (SELECT retl_value FROM memory.main."shared_email_clubs_4e5f6a7b" WHERE retl_shared = 1);

-- staging 24
UPDATE memory.main."staged_clubs_4e5f6a7b" SET retl_omits_email = TRUE
WHERE retl_problem IS NULL AND retl_identity <> 'email:' || retl_email
AND retl_email IN (SELECT retl_value FROM memory.main."shared_email_clubs_4e5f6a7b" WHERE retl_shared = 1);

-- staging 25
UPDATE memory.main."staged_clubs_4e5f6a7b" SET retl_problem = 'shared_identifier', retl_detail = 'email'
WHERE retl_problem IS NULL AND retl_identity <> 'email:' || retl_email
AND retl_email IN (SELECT retl_value FROM memory.main."shared_email_clubs_4e5f6a7b" WHERE retl_shared = 1);

-- staging 26
UPDATE memory.main."staged_clubs_4e5f6a7b" AS s SET retl_problem = 'standing'
FROM "reverse_etl_state".main."rejected_clubs_4e5f6a7b" AS r, memory.main."lists_clubs_4e5f6a7b" AS l
WHERE s.retl_problem IS NULL AND s.retl_list = l.retl_list AND r.retl_list_id = l.retl_list_id
AND s.retl_identity = r.retl_identity AND r.retl_checksum = ?
AND CASE WHEN s.retl_omits_email THEN NULL ELSE s.retl_email END IS NOT DISTINCT FROM r.retl_email
AND s.retl_phone_e164 IS NOT DISTINCT FROM r.retl_phone_e164
AND s.retl_external_id IS NOT DISTINCT FROM r.retl_external_id
AND s.retl_klaviyo_profile_id IS NOT DISTINCT FROM r.retl_klaviyo_profile_id;
-- with ('c0ffee',)

-- staging 27
SELECT DISTINCT retl_list FROM memory.main."staged_clubs_4e5f6a7b" WHERE retl_list IS NOT NULL ORDER BY retl_list;

-- staging 28
CREATE OR REPLACE TABLE memory.main."lists_clubs_4e5f6a7b" (retl_list VARCHAR, retl_list_id VARCHAR);

-- staging 29
INSERT INTO memory.main."lists_clubs_4e5f6a7b" VALUES (?, ?), (?, ?);
-- with ('', 'L1', 'b', 'L2')

-- staging 30
SELECT retl_list, retl_problem, COUNT(*) FROM memory.main."staged_clubs_4e5f6a7b" GROUP BY retl_list, retl_problem ORDER BY retl_list, retl_problem;
