-- staging 1
CREATE TEMPORARY TABLE "SHOP"."REVERSE_ETL"."TEMP_STAGED_VIP_0A1B2C3D" AS
SELECT CAST('' AS VARCHAR) AS retl_list,
  CASE WHEN retl_email IS NOT NULL THEN 'email:' || retl_email WHEN retl_phone_e164 IS NOT NULL THEN 'phone_e164:' || retl_phone_e164 END AS retl_identity,
  retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, FALSE AS retl_omits_phone_e164,
  CAST(CASE
    WHEN retl_email IS NULL AND retl_phone_e164 IS NULL THEN 'no_identifier'
    WHEN CASE WHEN retl_is_canonical_email THEN FALSE ELSE LENGTH(retl_email) > 100 END THEN 'email_too_long'
    WHEN CASE WHEN retl_is_canonical_email THEN FALSE ELSE (REGEXP_INSTR(REPLACE(retl_email, CHAR(0), CHAR(65533)), CONCAT('[', '\u0001-\u001f\u007f-\u009f\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890-\u0891\u08e2\u115f-\u1160\u17b4-\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffd', CHAR(69821), CHAR(69837), CHAR(78896), '-', CHAR(78911), CHAR(113824), '-', CHAR(113827), CHAR(119155), '-', CHAR(119162), CHAR(917504), '-', CHAR(921599), ']')) > 0) END THEN 'email_invisible'
    WHEN CASE WHEN retl_is_canonical_email THEN FALSE ELSE NOT (REGEXP_INSTR(retl_email, '^[^][[:space:]@,;:<>()"\\\\]+@[^][[:space:]@,;:<>()"\\\\]+\\.[^][[:space:]@,;:<>()"\\\\]+$') > 0) OR (REGEXP_INSTR(retl_email, '(^\\.|\\.\\.|\\.@|@\\.|\\.$)') > 0) OR (REGEXP_INSTR(REPLACE(retl_email, CHAR(0), CHAR(65533)), CONCAT('[', '\u0020\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000', ']')) > 0) END THEN 'email_malformed'
    WHEN retl_phone_invisible THEN 'phone_invisible'
    WHEN retl_phone_trunk_zero THEN 'phone_trunk_zero'
    WHEN CASE WHEN retl_is_canonical_phone_e164 THEN FALSE ELSE NOT (REGEXP_INSTR(retl_phone_e164, '^\\+[1-9][0-9]{6,14}$') > 0) END THEN 'phone_malformed'
  END AS VARCHAR) AS retl_problem,
  CAST(NULL AS VARCHAR) AS retl_detail, CAST("FIRST_NAME" AS VARCHAR) AS "FIRST_NAME", "SPENT", "Since", CAST("TAGS" AS VARIANT) AS "TAGS"
FROM (
  SELECT '' AS retl_list_raw,
    CASE WHEN retl_is_canonical_email THEN CAST("MAIL" AS VARCHAR) ELSE NULLIF(LOWER(REGEXP_REPLACE(REPLACE(CAST("MAIL" AS VARCHAR), CHAR(0), CHAR(65533)), CONCAT('^[', '\u0020\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\u0001-\u001f\u007f-\u009f\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890-\u0891\u08e2\u115f-\u1160\u17b4-\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffd', CHAR(69821), CHAR(69837), CHAR(78896), '-', CHAR(78911), CHAR(113824), '-', CHAR(113827), CHAR(119155), '-', CHAR(119162), CHAR(917504), '-', CHAR(921599), ']+|[', '\u0020\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\u0001-\u001f\u007f-\u009f\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890-\u0891\u08e2\u115f-\u1160\u17b4-\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffd', CHAR(69821), CHAR(69837), CHAR(78896), '-', CHAR(78911), CHAR(113824), '-', CHAR(113827), CHAR(119155), '-', CHAR(119162), CHAR(917504), '-', CHAR(921599), ']+$'), '')), '') END AS retl_email,
    CASE WHEN retl_is_canonical_phone_e164 THEN CAST("PHONE" AS VARCHAR) ELSE NULLIF(TRANSLATE(REGEXP_REPLACE(REPLACE(CAST("PHONE" AS VARCHAR), CHAR(0), CHAR(65533)), CONCAT('[', '\u0020\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\u0001-\u001f\u007f-\u009f\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890-\u0891\u08e2\u115f-\u1160\u17b4-\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffd', CHAR(69821), CHAR(69837), CHAR(78896), '-', CHAR(78911), CHAR(113824), '-', CHAR(113827), CHAR(119155), '-', CHAR(119162), CHAR(917504), '-', CHAR(921599), ']'), ''), '().-', ''), '') END AS retl_phone_e164,
    CAST(NULL AS VARCHAR) AS retl_external_id,
    CAST(NULL AS VARCHAR) AS retl_klaviyo_profile_id, retl_is_canonical_email, retl_is_canonical_phone_e164,
    CASE WHEN retl_is_canonical_phone_e164 THEN FALSE ELSE (REGEXP_INSTR(REPLACE(REGEXP_REPLACE(REPLACE(CAST("PHONE" AS VARCHAR), CHAR(0), CHAR(65533)), CONCAT('^[', '\u0020\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\u0001-\u001f\u007f-\u009f\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890-\u0891\u08e2\u115f-\u1160\u17b4-\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffd', CHAR(69821), CHAR(69837), CHAR(78896), '-', CHAR(78911), CHAR(113824), '-', CHAR(113827), CHAR(119155), '-', CHAR(119162), CHAR(917504), '-', CHAR(921599), ']+|[', '\u0020\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\u0001-\u001f\u007f-\u009f\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890-\u0891\u08e2\u115f-\u1160\u17b4-\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffd', CHAR(69821), CHAR(69837), CHAR(78896), '-', CHAR(78911), CHAR(113824), '-', CHAR(113827), CHAR(119155), '-', CHAR(119162), CHAR(917504), '-', CHAR(921599), ']+$'), ''), CHAR(0), CHAR(65533)), CONCAT('[', '\u0001-\u001f\u007f-\u009f\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890-\u0891\u08e2\u115f-\u1160\u17b4-\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffd', CHAR(69821), CHAR(69837), CHAR(78896), '-', CHAR(78911), CHAR(113824), '-', CHAR(113827), CHAR(119155), '-', CHAR(119162), CHAR(917504), '-', CHAR(921599), ']')) > 0) END AS retl_phone_invisible,
    CASE WHEN retl_is_canonical_phone_e164 THEN FALSE ELSE ((REGEXP_INSTR(CAST("PHONE" AS VARCHAR), '^[^0-9+]*[+][^0-9]*([0-9][^0-9(]*){1,3}[(][^0-9]*0') > 0) AND NOT (REGEXP_INSTR(CAST("PHONE" AS VARCHAR), '^[^0-9+]*[+][^0-9]*(39|378|225|229|242)[^0-9]*[(][^0-9]*0') > 0)) END AS retl_phone_trunk_zero, "FIRST_NAME", "SPENT", "Since", "TAGS"
  FROM (SELECT *, (LENGTH(CAST("MAIL" AS VARCHAR)) <= 100 AND REGEXP_LIKE(CAST("MAIL" AS VARCHAR), '[a-z0-9_+-]+(\\.[a-z0-9_+-]+)*@[a-z0-9-]+(\\.[a-z0-9-]+)+')) AS retl_is_canonical_email, REGEXP_LIKE(CAST("PHONE" AS VARCHAR), '\\+[1-9][0-9]{6,14}') AS retl_is_canonical_phone_e164 FROM (
select * from people
  ) AS retl_model) AS retl_flagged
) AS retl_rows;

-- staging 2
CREATE TEMPORARY TABLE "SHOP"."REVERSE_ETL"."TEMP_STAGED_CLUBS_4E5F6A7B" AS
SELECT NULLIF(TRIM(CAST(retl_list_raw AS VARCHAR)), '') AS retl_list,
  CASE WHEN retl_external_id IS NOT NULL THEN 'external_id:' || retl_external_id WHEN retl_email IS NOT NULL THEN 'email:' || retl_email END AS retl_identity,
  retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, FALSE AS retl_omits_email,
  CAST(CASE
    WHEN NULLIF(TRIM(CAST(retl_list_raw AS VARCHAR)), '') IS NULL THEN 'no_list'
    WHEN retl_external_id IS NULL AND retl_email IS NULL THEN 'no_identifier'
    WHEN CASE WHEN retl_is_canonical_email THEN FALSE ELSE LENGTH(retl_email) > 100 END THEN 'email_too_long'
    WHEN CASE WHEN retl_is_canonical_email THEN FALSE ELSE (REGEXP_INSTR(REPLACE(retl_email, CHAR(0), CHAR(65533)), CONCAT('[', '\u0001-\u001f\u007f-\u009f\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890-\u0891\u08e2\u115f-\u1160\u17b4-\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffd', CHAR(69821), CHAR(69837), CHAR(78896), '-', CHAR(78911), CHAR(113824), '-', CHAR(113827), CHAR(119155), '-', CHAR(119162), CHAR(917504), '-', CHAR(921599), ']')) > 0) END THEN 'email_invisible'
    WHEN CASE WHEN retl_is_canonical_email THEN FALSE ELSE NOT (REGEXP_INSTR(retl_email, '^[^][[:space:]@,;:<>()"\\\\]+@[^][[:space:]@,;:<>()"\\\\]+\\.[^][[:space:]@,;:<>()"\\\\]+$') > 0) OR (REGEXP_INSTR(retl_email, '(^\\.|\\.\\.|\\.@|@\\.|\\.$)') > 0) OR (REGEXP_INSTR(REPLACE(retl_email, CHAR(0), CHAR(65533)), CONCAT('[', '\u0020\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000', ']')) > 0) END THEN 'email_malformed'
    WHEN LENGTH(retl_external_id) > 255 THEN 'id_too_long'
  END AS VARCHAR) AS retl_problem,
  CAST(NULL AS VARCHAR) AS retl_detail
FROM (
  SELECT "CLUB" AS retl_list_raw,
    CASE WHEN retl_is_canonical_email THEN CAST("MAIL" AS VARCHAR) ELSE NULLIF(LOWER(REGEXP_REPLACE(REPLACE(CAST("MAIL" AS VARCHAR), CHAR(0), CHAR(65533)), CONCAT('^[', '\u0020\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\u0001-\u001f\u007f-\u009f\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890-\u0891\u08e2\u115f-\u1160\u17b4-\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffd', CHAR(69821), CHAR(69837), CHAR(78896), '-', CHAR(78911), CHAR(113824), '-', CHAR(113827), CHAR(119155), '-', CHAR(119162), CHAR(917504), '-', CHAR(921599), ']+|[', '\u0020\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\u0001-\u001f\u007f-\u009f\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890-\u0891\u08e2\u115f-\u1160\u17b4-\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffd', CHAR(69821), CHAR(69837), CHAR(78896), '-', CHAR(78911), CHAR(113824), '-', CHAR(113827), CHAR(119155), '-', CHAR(119162), CHAR(917504), '-', CHAR(921599), ']+$'), '')), '') END AS retl_email,
    CAST(NULL AS VARCHAR) AS retl_phone_e164,
    CASE WHEN "ID" = FLOOR("ID") THEN CAST(CAST("ID" AS DECIMAL(38, 0)) AS VARCHAR) ELSE CAST("ID" AS VARCHAR) END AS retl_external_id,
    CAST(NULL AS VARCHAR) AS retl_klaviyo_profile_id, retl_is_canonical_email
  FROM (SELECT *, (LENGTH(CAST("MAIL" AS VARCHAR)) <= 100 AND REGEXP_LIKE(CAST("MAIL" AS VARCHAR), '[a-z0-9_+-]+(\\.[a-z0-9_+-]+)*@[a-z0-9-]+(\\.[a-z0-9-]+)+')) AS retl_is_canonical_email FROM (
select * from people
  ) AS retl_model) AS retl_flagged
) AS retl_rows;

-- staging 3
CREATE TEMPORARY TABLE "SHOP"."REVERSE_ETL"."TEMP_DUPLICATES_VIP_0A1B2C3D" AS
SELECT CAST('' AS VARCHAR) AS retl_list, retl_identity, COUNT(*) AS retl_rows
FROM "SHOP"."REVERSE_ETL"."TEMP_STAGED_VIP_0A1B2C3D" WHERE retl_problem IS NULL
GROUP BY retl_identity HAVING COUNT(*) > 1;

-- staging 4
CREATE TEMPORARY TABLE "SHOP"."REVERSE_ETL"."TEMP_DISTINCT_VIP_0A1B2C3D" AS
SELECT DISTINCT s.retl_list, s.retl_identity, s.retl_email, s.retl_phone_e164, s.retl_external_id, s.retl_klaviyo_profile_id, s."FIRST_NAME", s."SPENT", s."Since", s."TAGS"
FROM "SHOP"."REVERSE_ETL"."TEMP_STAGED_VIP_0A1B2C3D" AS s
JOIN "SHOP"."REVERSE_ETL"."TEMP_DUPLICATES_VIP_0A1B2C3D" AS t ON s.retl_list = t.retl_list AND s.retl_identity = t.retl_identity
WHERE s.retl_problem IS NULL;

-- staging 5
DELETE FROM "SHOP"."REVERSE_ETL"."TEMP_STAGED_VIP_0A1B2C3D" AS s WHERE s.retl_problem IS NULL AND EXISTS (
  SELECT 1 FROM "SHOP"."REVERSE_ETL"."TEMP_DUPLICATES_VIP_0A1B2C3D" AS t WHERE s.retl_list = t.retl_list AND s.retl_identity = t.retl_identity);

-- staging 6
INSERT INTO "SHOP"."REVERSE_ETL"."TEMP_STAGED_VIP_0A1B2C3D" (retl_problem, retl_detail, retl_list, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, "FIRST_NAME", "SPENT", "Since", "TAGS", retl_omits_phone_e164)
SELECT CASE WHEN t.retl_rows > 1 THEN 'duplicate' END, CASE WHEN t.retl_rows > 1 THEN SUBSTR(t.retl_differing, 3) END,
  s.retl_list, s.retl_identity, s.retl_email, s.retl_phone_e164, s.retl_external_id, s.retl_klaviyo_profile_id, s."FIRST_NAME", s."SPENT", s."Since", s."TAGS", FALSE
FROM "SHOP"."REVERSE_ETL"."TEMP_DISTINCT_VIP_0A1B2C3D" AS s JOIN (
  SELECT retl_list, retl_identity, COUNT(*) AS retl_rows, CONCAT('',
    CASE WHEN COUNT(DISTINCT retl_email) > 1 OR COUNT(retl_email) NOT IN (0, COUNT(*)) THEN ', email' ELSE '' END,
    CASE WHEN COUNT(DISTINCT retl_phone_e164) > 1 OR COUNT(retl_phone_e164) NOT IN (0, COUNT(*)) THEN ', phone_e164' ELSE '' END,
    CASE WHEN COUNT(DISTINCT retl_external_id) > 1 OR COUNT(retl_external_id) NOT IN (0, COUNT(*)) THEN ', external_id' ELSE '' END,
    CASE WHEN COUNT(DISTINCT retl_klaviyo_profile_id) > 1 OR COUNT(retl_klaviyo_profile_id) NOT IN (0, COUNT(*)) THEN ', klaviyo_profile_id' ELSE '' END,
    CASE WHEN COUNT(DISTINCT "FIRST_NAME") > 1 OR COUNT("FIRST_NAME") NOT IN (0, COUNT(*)) THEN ', FIRST_NAME' ELSE '' END,
    CASE WHEN COUNT(DISTINCT "SPENT") > 1 OR COUNT("SPENT") NOT IN (0, COUNT(*)) THEN ', SPENT' ELSE '' END,
    CASE WHEN COUNT(DISTINCT "Since") > 1 OR COUNT("Since") NOT IN (0, COUNT(*)) THEN ', Since' ELSE '' END,
    CASE WHEN COUNT(DISTINCT TO_JSON("TAGS")) > 1 OR COUNT(TO_JSON("TAGS")) NOT IN (0, COUNT(*)) THEN ', TAGS' ELSE '' END) AS retl_differing
  FROM "SHOP"."REVERSE_ETL"."TEMP_DISTINCT_VIP_0A1B2C3D" GROUP BY retl_list, retl_identity
) AS t ON s.retl_list = t.retl_list AND s.retl_identity = t.retl_identity;

-- staging 7
CREATE TEMPORARY TABLE "SHOP"."REVERSE_ETL"."TEMP_SHARED_PHONE_E164_VIP_0A1B2C3D" AS
SELECT retl_phone_e164 AS retl_value,
  MAX(CASE WHEN retl_identity = 'phone_e164:' || retl_phone_e164 THEN 1 ELSE 0 END) AS retl_owner,
  CASE WHEN MIN(CASE WHEN NOT retl_identity = 'phone_e164:' || retl_phone_e164 THEN retl_identity END) <> MAX(CASE WHEN NOT retl_identity = 'phone_e164:' || retl_phone_e164 THEN retl_identity END) THEN 1 ELSE 0 END AS retl_shared
FROM "SHOP"."REVERSE_ETL"."TEMP_STAGED_VIP_0A1B2C3D" WHERE retl_problem IS NULL AND retl_phone_e164 IS NOT NULL AND retl_phone_e164 IN (SELECT retl_phone_e164 FROM "SHOP"."REVERSE_ETL"."TEMP_STAGED_VIP_0A1B2C3D" WHERE retl_problem IS NULL AND retl_phone_e164 IS NOT NULL GROUP BY retl_phone_e164 HAVING COUNT(*) > 1)
GROUP BY retl_phone_e164 HAVING MIN(retl_identity) <> MAX(retl_identity);

-- staging 8
UPDATE "SHOP"."REVERSE_ETL"."TEMP_STAGED_VIP_0A1B2C3D" SET retl_problem = 'identity_is_another_rows_identifier', retl_detail = 'phone_e164'
WHERE retl_problem IS NULL AND retl_identity = 'phone_e164:' || retl_phone_e164
AND retl_phone_e164 IN (SELECT retl_value FROM "SHOP"."REVERSE_ETL"."TEMP_SHARED_PHONE_E164_VIP_0A1B2C3D" WHERE retl_owner = 1);

-- staging 9
SELECT COUNT(*) FROM "SHOP"."REVERSE_ETL"."TEMP_STAGED_VIP_0A1B2C3D" WHERE retl_problem IS NULL AND retl_identity <> 'phone_e164:' || retl_phone_e164
AND retl_phone_e164 IN (SELECT retl_value FROM "SHOP"."REVERSE_ETL"."TEMP_SHARED_PHONE_E164_VIP_0A1B2C3D" WHERE retl_shared = 1);

-- staging 10
UPDATE "SHOP"."REVERSE_ETL"."TEMP_STAGED_VIP_0A1B2C3D" SET retl_omits_phone_e164 = TRUE
WHERE retl_problem IS NULL AND retl_identity <> 'phone_e164:' || retl_phone_e164
AND retl_phone_e164 IN (SELECT retl_value FROM "SHOP"."REVERSE_ETL"."TEMP_SHARED_PHONE_E164_VIP_0A1B2C3D" WHERE retl_shared = 1);

-- staging 11
UPDATE "SHOP"."REVERSE_ETL"."TEMP_STAGED_VIP_0A1B2C3D" SET retl_problem = 'shared_identifier', retl_detail = 'phone_e164'
WHERE retl_problem IS NULL AND retl_identity <> 'phone_e164:' || retl_phone_e164
AND retl_phone_e164 IN (SELECT retl_value FROM "SHOP"."REVERSE_ETL"."TEMP_SHARED_PHONE_E164_VIP_0A1B2C3D" WHERE retl_shared = 1);

-- staging 12
UPDATE "SHOP"."REVERSE_ETL"."TEMP_STAGED_VIP_0A1B2C3D" AS s SET retl_problem = 'standing'
FROM "SHOP"."REVERSE_ETL"."REJECTED_VIP_0A1B2C3D" AS r, "SHOP"."REVERSE_ETL"."TEMP_LISTS_VIP_0A1B2C3D" AS l
WHERE s.retl_problem IS NULL AND s.retl_list = l.retl_list AND r.retl_list_id = l.retl_list_id
AND s.retl_identity = r.retl_identity AND r.retl_checksum = ?
AND s.retl_email IS NOT DISTINCT FROM r.retl_email
AND CASE WHEN s.retl_omits_phone_e164 THEN NULL ELSE s.retl_phone_e164 END IS NOT DISTINCT FROM r.retl_phone_e164
AND s.retl_external_id IS NOT DISTINCT FROM r.retl_external_id
AND s.retl_klaviyo_profile_id IS NOT DISTINCT FROM r.retl_klaviyo_profile_id
AND s."FIRST_NAME" IS NOT DISTINCT FROM r."FIRST_NAME"
AND s."SPENT" IS NOT DISTINCT FROM r."SPENT"
AND s."Since" IS NOT DISTINCT FROM r."Since"
AND TO_JSON(s."TAGS") IS NOT DISTINCT FROM TO_JSON(r."TAGS");
-- with ('c0ffee',)

-- staging 13
SELECT DISTINCT retl_list FROM "SHOP"."REVERSE_ETL"."TEMP_STAGED_VIP_0A1B2C3D" WHERE retl_list IS NOT NULL ORDER BY retl_list;

-- staging 14
CREATE OR REPLACE TEMPORARY TABLE "SHOP"."REVERSE_ETL"."TEMP_LISTS_VIP_0A1B2C3D" (retl_list VARCHAR, retl_list_id VARCHAR);

-- staging 15
INSERT INTO "SHOP"."REVERSE_ETL"."TEMP_LISTS_VIP_0A1B2C3D" VALUES (?, ?), (?, ?);
-- with ('', 'L1', 'b', 'L2')

-- staging 16
SELECT retl_list, retl_problem, COUNT(*) FROM "SHOP"."REVERSE_ETL"."TEMP_STAGED_VIP_0A1B2C3D" GROUP BY retl_list, retl_problem ORDER BY retl_list, retl_problem;

-- staging 17
CREATE TEMPORARY TABLE "SHOP"."REVERSE_ETL"."TEMP_DUPLICATES_CLUBS_4E5F6A7B" AS
SELECT retl_list, retl_identity, COUNT(*) AS retl_rows
FROM "SHOP"."REVERSE_ETL"."TEMP_STAGED_CLUBS_4E5F6A7B" WHERE retl_problem IS NULL
GROUP BY retl_list, retl_identity HAVING COUNT(*) > 1;

-- staging 18
CREATE TEMPORARY TABLE "SHOP"."REVERSE_ETL"."TEMP_DISTINCT_CLUBS_4E5F6A7B" AS
SELECT DISTINCT s.retl_list, s.retl_identity, s.retl_email, s.retl_phone_e164, s.retl_external_id, s.retl_klaviyo_profile_id
FROM "SHOP"."REVERSE_ETL"."TEMP_STAGED_CLUBS_4E5F6A7B" AS s
JOIN "SHOP"."REVERSE_ETL"."TEMP_DUPLICATES_CLUBS_4E5F6A7B" AS t ON s.retl_list = t.retl_list AND s.retl_identity = t.retl_identity
WHERE s.retl_problem IS NULL;

-- staging 19
DELETE FROM "SHOP"."REVERSE_ETL"."TEMP_STAGED_CLUBS_4E5F6A7B" AS s WHERE s.retl_problem IS NULL AND EXISTS (
  SELECT 1 FROM "SHOP"."REVERSE_ETL"."TEMP_DUPLICATES_CLUBS_4E5F6A7B" AS t WHERE s.retl_list = t.retl_list AND s.retl_identity = t.retl_identity);

-- staging 20
INSERT INTO "SHOP"."REVERSE_ETL"."TEMP_STAGED_CLUBS_4E5F6A7B" (retl_problem, retl_detail, retl_list, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_omits_email)
SELECT CASE WHEN t.retl_rows > 1 THEN 'duplicate' END, CASE WHEN t.retl_rows > 1 THEN SUBSTR(t.retl_differing, 3) END,
  s.retl_list, s.retl_identity, s.retl_email, s.retl_phone_e164, s.retl_external_id, s.retl_klaviyo_profile_id, FALSE
FROM "SHOP"."REVERSE_ETL"."TEMP_DISTINCT_CLUBS_4E5F6A7B" AS s JOIN (
  SELECT retl_list, retl_identity, COUNT(*) AS retl_rows, CONCAT('',
    CASE WHEN COUNT(DISTINCT retl_email) > 1 OR COUNT(retl_email) NOT IN (0, COUNT(*)) THEN ', email' ELSE '' END,
    CASE WHEN COUNT(DISTINCT retl_phone_e164) > 1 OR COUNT(retl_phone_e164) NOT IN (0, COUNT(*)) THEN ', phone_e164' ELSE '' END,
    CASE WHEN COUNT(DISTINCT retl_external_id) > 1 OR COUNT(retl_external_id) NOT IN (0, COUNT(*)) THEN ', external_id' ELSE '' END,
    CASE WHEN COUNT(DISTINCT retl_klaviyo_profile_id) > 1 OR COUNT(retl_klaviyo_profile_id) NOT IN (0, COUNT(*)) THEN ', klaviyo_profile_id' ELSE '' END) AS retl_differing
  FROM "SHOP"."REVERSE_ETL"."TEMP_DISTINCT_CLUBS_4E5F6A7B" GROUP BY retl_list, retl_identity
) AS t ON s.retl_list = t.retl_list AND s.retl_identity = t.retl_identity;

-- staging 21
CREATE TEMPORARY TABLE "SHOP"."REVERSE_ETL"."TEMP_SHARED_EMAIL_CLUBS_4E5F6A7B" AS
SELECT retl_email AS retl_value,
  MAX(CASE WHEN retl_identity = 'email:' || retl_email THEN 1 ELSE 0 END) AS retl_owner,
  CASE WHEN MIN(CASE WHEN NOT retl_identity = 'email:' || retl_email THEN retl_identity END) <> MAX(CASE WHEN NOT retl_identity = 'email:' || retl_email THEN retl_identity END) THEN 1 ELSE 0 END AS retl_shared
FROM "SHOP"."REVERSE_ETL"."TEMP_STAGED_CLUBS_4E5F6A7B" WHERE retl_problem IS NULL AND retl_email IS NOT NULL AND retl_email IN (SELECT retl_email FROM "SHOP"."REVERSE_ETL"."TEMP_STAGED_CLUBS_4E5F6A7B" WHERE retl_problem IS NULL AND retl_email IS NOT NULL GROUP BY retl_email HAVING COUNT(*) > 1)
GROUP BY retl_email HAVING MIN(retl_identity) <> MAX(retl_identity);

-- staging 22
UPDATE "SHOP"."REVERSE_ETL"."TEMP_STAGED_CLUBS_4E5F6A7B" SET retl_problem = 'identity_is_another_rows_identifier', retl_detail = 'email'
WHERE retl_problem IS NULL AND retl_identity = 'email:' || retl_email
AND retl_email IN (SELECT retl_value FROM "SHOP"."REVERSE_ETL"."TEMP_SHARED_EMAIL_CLUBS_4E5F6A7B" WHERE retl_owner = 1);

-- staging 23
SELECT COUNT(*) FROM "SHOP"."REVERSE_ETL"."TEMP_STAGED_CLUBS_4E5F6A7B" WHERE retl_problem IS NULL AND retl_identity <> 'email:' || retl_email
AND retl_email IN (SELECT retl_value FROM "SHOP"."REVERSE_ETL"."TEMP_SHARED_EMAIL_CLUBS_4E5F6A7B" WHERE retl_shared = 1);

-- staging 24
UPDATE "SHOP"."REVERSE_ETL"."TEMP_STAGED_CLUBS_4E5F6A7B" SET retl_omits_email = TRUE
WHERE retl_problem IS NULL AND retl_identity <> 'email:' || retl_email
AND retl_email IN (SELECT retl_value FROM "SHOP"."REVERSE_ETL"."TEMP_SHARED_EMAIL_CLUBS_4E5F6A7B" WHERE retl_shared = 1);

-- staging 25
UPDATE "SHOP"."REVERSE_ETL"."TEMP_STAGED_CLUBS_4E5F6A7B" SET retl_problem = 'shared_identifier', retl_detail = 'email'
WHERE retl_problem IS NULL AND retl_identity <> 'email:' || retl_email
AND retl_email IN (SELECT retl_value FROM "SHOP"."REVERSE_ETL"."TEMP_SHARED_EMAIL_CLUBS_4E5F6A7B" WHERE retl_shared = 1);

-- staging 26
UPDATE "SHOP"."REVERSE_ETL"."TEMP_STAGED_CLUBS_4E5F6A7B" AS s SET retl_problem = 'standing'
FROM "SHOP"."REVERSE_ETL"."REJECTED_CLUBS_4E5F6A7B" AS r, "SHOP"."REVERSE_ETL"."TEMP_LISTS_CLUBS_4E5F6A7B" AS l
WHERE s.retl_problem IS NULL AND s.retl_list = l.retl_list AND r.retl_list_id = l.retl_list_id
AND s.retl_identity = r.retl_identity AND r.retl_checksum = ?
AND CASE WHEN s.retl_omits_email THEN NULL ELSE s.retl_email END IS NOT DISTINCT FROM r.retl_email
AND s.retl_phone_e164 IS NOT DISTINCT FROM r.retl_phone_e164
AND s.retl_external_id IS NOT DISTINCT FROM r.retl_external_id
AND s.retl_klaviyo_profile_id IS NOT DISTINCT FROM r.retl_klaviyo_profile_id;
-- with ('c0ffee',)

-- staging 27
SELECT DISTINCT retl_list FROM "SHOP"."REVERSE_ETL"."TEMP_STAGED_CLUBS_4E5F6A7B" WHERE retl_list IS NOT NULL ORDER BY retl_list;

-- staging 28
CREATE OR REPLACE TEMPORARY TABLE "SHOP"."REVERSE_ETL"."TEMP_LISTS_CLUBS_4E5F6A7B" (retl_list VARCHAR, retl_list_id VARCHAR);

-- staging 29
INSERT INTO "SHOP"."REVERSE_ETL"."TEMP_LISTS_CLUBS_4E5F6A7B" VALUES (?, ?), (?, ?);
-- with ('', 'L1', 'b', 'L2')

-- staging 30
SELECT retl_list, retl_problem, COUNT(*) FROM "SHOP"."REVERSE_ETL"."TEMP_STAGED_CLUBS_4E5F6A7B" GROUP BY retl_list, retl_problem ORDER BY retl_list, retl_problem;
