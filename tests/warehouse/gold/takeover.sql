-- takeover 1
DELETE FROM "SHOP"."REVERSE_ETL"."DELTAS_VIP_0A1B2C3D" AS u WHERE EXISTS (SELECT 1 FROM "SHOP"."REVERSE_ETL"."TEMP_PLANNED_VIP_0A1B2C3D" AS p WHERE p.retl_op <> 'held' AND p.retl_list_id = u.retl_list_id AND p.retl_identity = u.retl_identity);

-- takeover 2
SELECT COALESCE(MAX(retl_seq), 0) FROM "SHOP"."REVERSE_ETL"."TEMP_PLANNED_VIP_0A1B2C3D";

-- takeover 3
INSERT INTO "SHOP"."REVERSE_ETL"."DELTAS_VIP_0A1B2C3D" (retl_run_id, "RETL_SEQ", "RETL_OP", "RETL_IN_SNAPSHOT", "RETL_UNCERTAIN", "RETL_LIST_ID", "RETL_IDENTITY", "RETL_EMAIL", "RETL_PHONE_E164", "RETL_EXTERNAL_ID", "RETL_KLAVIYO_PROFILE_ID", "RETL_FIRST_SENT_AT", "FIRST_NAME", "SPENT", "Since", "TAGS")
SELECT ?, p.retl_seq, p.retl_op, p.retl_in_snapshot, p.retl_uncertain, p.retl_list_id, p.retl_identity, COALESCE(p.retl_email, d.retl_email), COALESCE(p.retl_phone_e164, d.retl_phone_e164), COALESCE(p.retl_external_id, d.retl_external_id), COALESCE(p.retl_klaviyo_profile_id, d.retl_klaviyo_profile_id), COALESCE(p.retl_first_sent_at, ?), d."FIRST_NAME", d."SPENT", d."Since", d."TAGS"
FROM "SHOP"."REVERSE_ETL"."TEMP_PLANNED_VIP_0A1B2C3D" AS p LEFT JOIN (
  SELECT l.retl_list_id, s.retl_identity, s."RETL_EMAIL", s."RETL_PHONE_E164", s."RETL_EXTERNAL_ID", s."RETL_KLAVIYO_PROFILE_ID", s."FIRST_NAME", s."SPENT", s."Since", s."TAGS"
  FROM "SHOP"."REVERSE_ETL"."TEMP_STAGED_VIP_0A1B2C3D" AS s JOIN "SHOP"."REVERSE_ETL"."TEMP_LISTS_VIP_0A1B2C3D" AS l ON s.retl_list = l.retl_list
  WHERE s.retl_problem IS NULL
) AS d ON d.retl_identity = p.retl_identity
WHERE p.retl_op <> 'held' ORDER BY p.retl_seq;
-- with ('r1', '2026-01-01T00:00:00.000Z')

-- takeover 4
INSERT INTO "SHOP"."REVERSE_ETL"."DELTAS_VIP_0A1B2C3D" (retl_run_id, "RETL_SEQ", "RETL_OP", "RETL_IN_SNAPSHOT", "RETL_UNCERTAIN", "RETL_LIST_ID", "RETL_IDENTITY", "RETL_EMAIL", "RETL_PHONE_E164", "RETL_EXTERNAL_ID", "RETL_KLAVIYO_PROFILE_ID", "RETL_FIRST_SENT_AT", "FIRST_NAME", "SPENT", "Since", "TAGS")
SELECT ?, p.retl_seq, p.retl_op, p.retl_in_snapshot, p.retl_uncertain, p.retl_list_id, p.retl_identity, COALESCE(p.retl_email, d.retl_email), COALESCE(p.retl_phone_e164, d.retl_phone_e164), COALESCE(p.retl_external_id, d.retl_external_id), COALESCE(p.retl_klaviyo_profile_id, d.retl_klaviyo_profile_id), COALESCE(p.retl_first_sent_at, ?), d."FIRST_NAME", d."SPENT", d."Since", d."TAGS"
FROM "SHOP"."REVERSE_ETL"."TEMP_PLANNED_VIP_0A1B2C3D" AS p LEFT JOIN (
  SELECT l.retl_list_id, s.retl_identity, s."RETL_EMAIL", s."RETL_PHONE_E164", s."RETL_EXTERNAL_ID", s."RETL_KLAVIYO_PROFILE_ID", s."FIRST_NAME", s."SPENT", s."Since", s."TAGS"
  FROM "SHOP"."REVERSE_ETL"."TEMP_STAGED_VIP_0A1B2C3D" AS s JOIN "SHOP"."REVERSE_ETL"."TEMP_LISTS_VIP_0A1B2C3D" AS l ON s.retl_list = l.retl_list
  WHERE s.retl_problem IS NULL
) AS d ON d.retl_identity = p.retl_identity
WHERE p.retl_op <> 'held' AND p.retl_seq BETWEEN 1 AND 9 ORDER BY p.retl_seq;
-- with ('r1', '2026-01-01T00:00:00.000Z')

-- takeover 5
UPDATE "SHOP"."REVERSE_ETL"."SNAPSHOT_VIP_0A1B2C3D" AS t SET retl_identity = n.retl_new FROM (
  SELECT retl_list_id, retl_identity, CASE WHEN ROW_NUMBER() OVER (PARTITION BY retl_list_id, CASE WHEN retl_email IS NOT NULL THEN 'email:' || retl_email WHEN retl_phone_e164 IS NOT NULL THEN 'phone_e164:' || retl_phone_e164 ELSE retl_identity END ORDER BY retl_identity) = 1 THEN CASE WHEN retl_email IS NOT NULL THEN 'email:' || retl_email WHEN retl_phone_e164 IS NOT NULL THEN 'phone_e164:' || retl_phone_e164 ELSE retl_identity END ELSE retl_identity END AS retl_new FROM "SHOP"."REVERSE_ETL"."SNAPSHOT_VIP_0A1B2C3D"
) AS n WHERE n.retl_list_id = t.retl_list_id AND n.retl_identity = t.retl_identity;

-- takeover 6
UPDATE "SHOP"."REVERSE_ETL"."DELTAS_VIP_0A1B2C3D" AS t SET retl_identity = n.retl_new FROM (
  SELECT retl_list_id, retl_identity, CASE WHEN ROW_NUMBER() OVER (PARTITION BY retl_list_id, CASE WHEN retl_email IS NOT NULL THEN 'email:' || retl_email WHEN retl_phone_e164 IS NOT NULL THEN 'phone_e164:' || retl_phone_e164 ELSE retl_identity END ORDER BY retl_identity) = 1 THEN CASE WHEN retl_email IS NOT NULL THEN 'email:' || retl_email WHEN retl_phone_e164 IS NOT NULL THEN 'phone_e164:' || retl_phone_e164 ELSE retl_identity END ELSE retl_identity END AS retl_new FROM "SHOP"."REVERSE_ETL"."DELTAS_VIP_0A1B2C3D"
) AS n WHERE n.retl_list_id = t.retl_list_id AND n.retl_identity = t.retl_identity;

-- takeover 7
SELECT retl_list_id, retl_op = 'remove' AS retl_removes, MIN(retl_seq), MAX(retl_seq) FROM "SHOP"."REVERSE_ETL"."DELTAS_VIP_0A1B2C3D"
WHERE retl_run_id = ? GROUP BY retl_list_id, retl_op = 'remove' ORDER BY 3;
-- with ('r1',)

-- takeover 8
SELECT retl_seq, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, "FIRST_NAME", CAST("SPENT" AS VARCHAR) AS "SPENT", "Since", "TAGS" FROM "SHOP"."REVERSE_ETL"."DELTAS_VIP_0A1B2C3D"
WHERE retl_run_id = ? AND retl_list_id = ? AND retl_op IN ('add', 'update') AND retl_seq BETWEEN ? AND ? ORDER BY retl_seq;
-- with ('r1', 'L1', 1, 9)

-- takeover 9
SELECT retl_seq, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_first_sent_at, retl_in_snapshot, retl_uncertain FROM "SHOP"."REVERSE_ETL"."DELTAS_VIP_0A1B2C3D"
WHERE retl_run_id = ? AND retl_list_id = ? AND retl_op = 'remove' AND retl_seq BETWEEN ? AND ? ORDER BY retl_seq;
-- with ('r1', 'L1', 10, 19)

-- takeover 10
SELECT retl_seq, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id FROM "SHOP"."REVERSE_ETL"."DELTAS_VIP_0A1B2C3D"
WHERE retl_run_id = ? AND retl_seq BETWEEN ? AND ? ORDER BY retl_seq;
-- with ('r1', 1, 10)

-- takeover 11
SELECT s.retl_email, s.retl_identity, l.retl_list_id,
  s.retl_problem IS NOT NULL OR x.retl_identity IS NOT NULL AS retl_rejected
FROM "SHOP"."REVERSE_ETL"."TEMP_STAGED_VIP_0A1B2C3D" AS s LEFT JOIN "SHOP"."REVERSE_ETL"."TEMP_LISTS_VIP_0A1B2C3D" AS l ON s.retl_list = l.retl_list
LEFT JOIN (SELECT DISTINCT d.retl_identity FROM "SHOP"."REVERSE_ETL"."DELTAS_VIP_0A1B2C3D" AS d JOIN "SHOP"."REVERSE_ETL"."REFUSALS" AS f ON f.seq = d.retl_seq AND f.run_id = d.retl_run_id WHERE f.run_id = ? AND f.model = ? AND f.kind = 'rejected') AS x ON s.retl_identity = x.retl_identity
WHERE s.retl_email IN (?, ?);
-- with ('r1', 'vip', 'a@example.com', 'b@example.com')

-- takeover 12
CREATE OR REPLACE TEMPORARY TABLE "SHOP"."REVERSE_ETL"."TEMP_TAKEN_VIP_0A1B2C3D" AS
SELECT d.retl_seq, d.retl_op, d."RETL_LIST_ID", d."RETL_IDENTITY"
FROM "SHOP"."REVERSE_ETL"."DELTAS_VIP_0A1B2C3D" AS d JOIN (
  SELECT MIN(first_seq) AS first_seq, MAX(last_seq) AS last_seq FROM (
    SELECT first_seq, last_seq, last_seq - SUM(last_seq - first_seq + 1) OVER (ORDER BY first_seq) AS gaps
    FROM "SHOP"."REVERSE_ETL"."RECEIPTS" WHERE run_id = ? AND model = ? AND state = 'applied'
  ) AS touching GROUP BY gaps
) AS r ON d.retl_seq BETWEEN r.first_seq AND r.last_seq
WHERE d.retl_run_id = ?
AND d.retl_seq NOT IN (SELECT f.seq FROM "SHOP"."REVERSE_ETL"."REFUSALS" AS f WHERE f.run_id = ? AND f.model = ?);
-- with ('r1', 'vip', 'r1', 'r1', 'vip')

-- takeover 13
CREATE OR REPLACE TEMPORARY TABLE "SHOP"."REVERSE_ETL"."TEMP_REPLACED_VIP_0A1B2C3D" AS
SELECT s."RETL_LIST_ID", s."RETL_IDENTITY", s."RETL_EMAIL", s."RETL_PHONE_E164", s."RETL_EXTERNAL_ID", s."RETL_KLAVIYO_PROFILE_ID", s."RETL_FIRST_SENT_AT", s."FIRST_NAME", s."SPENT", s."Since", s."TAGS" FROM "SHOP"."REVERSE_ETL"."SNAPSHOT_VIP_0A1B2C3D" AS s
JOIN "SHOP"."REVERSE_ETL"."TEMP_TAKEN_VIP_0A1B2C3D" AS t ON t.retl_list_id = s.retl_list_id AND t.retl_identity = s.retl_identity;

-- takeover 14
SELECT COALESCE(MAX(retl_seq), 0) FROM "SHOP"."REVERSE_ETL"."TEMP_TAKEN_VIP_0A1B2C3D";

-- takeover 15
MERGE INTO "SHOP"."REVERSE_ETL"."SNAPSHOT_VIP_0A1B2C3D" AS s USING (
  SELECT d.retl_op, d.retl_list_id, d.retl_identity, COALESCE(d."RETL_EMAIL", s."RETL_EMAIL") AS "RETL_EMAIL", COALESCE(d."RETL_PHONE_E164", s."RETL_PHONE_E164") AS "RETL_PHONE_E164", COALESCE(d."RETL_EXTERNAL_ID", s."RETL_EXTERNAL_ID") AS "RETL_EXTERNAL_ID", COALESCE(d."RETL_KLAVIYO_PROFILE_ID", s."RETL_KLAVIYO_PROFILE_ID") AS "RETL_KLAVIYO_PROFILE_ID", COALESCE(d."RETL_FIRST_SENT_AT", s."RETL_FIRST_SENT_AT") AS "RETL_FIRST_SENT_AT", COALESCE(d."FIRST_NAME", CASE WHEN NOT d.retl_uncertain THEN s."FIRST_NAME" END) AS "FIRST_NAME", COALESCE(d."SPENT", CASE WHEN NOT d.retl_uncertain THEN s."SPENT" END) AS "SPENT", COALESCE(d."Since", CASE WHEN NOT d.retl_uncertain THEN s."Since" END) AS "Since", COALESCE(d."TAGS", CASE WHEN NOT d.retl_uncertain THEN s."TAGS" END) AS "TAGS"
  FROM "SHOP"."REVERSE_ETL"."DELTAS_VIP_0A1B2C3D" AS d JOIN "SHOP"."REVERSE_ETL"."TEMP_TAKEN_VIP_0A1B2C3D" AS t ON t.retl_seq = d.retl_seq
  LEFT JOIN "SHOP"."REVERSE_ETL"."TEMP_REPLACED_VIP_0A1B2C3D" AS s ON s.retl_list_id = d.retl_list_id AND s.retl_identity = d.retl_identity
  WHERE d.retl_run_id = ?
) AS t ON t.retl_list_id = s.retl_list_id AND t.retl_identity = s.retl_identity
WHEN MATCHED AND t.retl_op = 'remove' THEN DELETE
WHEN MATCHED THEN UPDATE SET "RETL_EMAIL" = t."RETL_EMAIL", "RETL_PHONE_E164" = t."RETL_PHONE_E164", "RETL_EXTERNAL_ID" = t."RETL_EXTERNAL_ID", "RETL_KLAVIYO_PROFILE_ID" = t."RETL_KLAVIYO_PROFILE_ID", "RETL_FIRST_SENT_AT" = t."RETL_FIRST_SENT_AT", "FIRST_NAME" = t."FIRST_NAME", "SPENT" = t."SPENT", "Since" = t."Since", "TAGS" = t."TAGS"
WHEN NOT MATCHED AND t.retl_op <> 'remove' THEN INSERT ("RETL_LIST_ID", "RETL_IDENTITY", "RETL_EMAIL", "RETL_PHONE_E164", "RETL_EXTERNAL_ID", "RETL_KLAVIYO_PROFILE_ID", "RETL_FIRST_SENT_AT", "FIRST_NAME", "SPENT", "Since", "TAGS") VALUES (t."RETL_LIST_ID", t."RETL_IDENTITY", t."RETL_EMAIL", t."RETL_PHONE_E164", t."RETL_EXTERNAL_ID", t."RETL_KLAVIYO_PROFILE_ID", t."RETL_FIRST_SENT_AT", t."FIRST_NAME", t."SPENT", t."Since", t."TAGS");
-- with ('r1',)

-- takeover 16
DELETE FROM "SHOP"."REVERSE_ETL"."REJECTED_VIP_0A1B2C3D" AS retl_r WHERE EXISTS (SELECT 1 FROM "SHOP"."REVERSE_ETL"."TEMP_TAKEN_VIP_0A1B2C3D" AS t WHERE t.retl_list_id = retl_r.retl_list_id AND t.retl_identity = retl_r.retl_identity);

-- takeover 17
DELETE FROM "SHOP"."REVERSE_ETL"."REJECTED_VIP_0A1B2C3D" AS retl_r WHERE EXISTS (SELECT 1 FROM "SHOP"."REVERSE_ETL"."DELTAS_VIP_0A1B2C3D" AS d WHERE d.retl_run_id = ? AND d.retl_seq IN (SELECT f.seq FROM "SHOP"."REVERSE_ETL"."REFUSALS" AS f WHERE f.run_id = ? AND f.model = ? AND f.kind = 'rejected') AND d.retl_list_id = retl_r.retl_list_id AND d.retl_identity = retl_r.retl_identity);
-- with ('r1', 'r1', 'vip')

-- takeover 18
INSERT INTO "SHOP"."REVERSE_ETL"."REJECTED_VIP_0A1B2C3D" (retl_checksum, "RETL_LIST_ID", "RETL_IDENTITY", "RETL_EMAIL", "RETL_PHONE_E164", "RETL_EXTERNAL_ID", "RETL_KLAVIYO_PROFILE_ID", "RETL_FIRST_SENT_AT", "FIRST_NAME", "SPENT", "Since", "TAGS") SELECT ?, "RETL_LIST_ID", "RETL_IDENTITY", "RETL_EMAIL", "RETL_PHONE_E164", "RETL_EXTERNAL_ID", "RETL_KLAVIYO_PROFILE_ID", "RETL_FIRST_SENT_AT", "FIRST_NAME", "SPENT", "Since", "TAGS" FROM "SHOP"."REVERSE_ETL"."DELTAS_VIP_0A1B2C3D" WHERE retl_run_id = ? AND retl_seq IN (SELECT f.seq FROM "SHOP"."REVERSE_ETL"."REFUSALS" AS f WHERE f.run_id = ? AND f.model = ? AND f.kind = 'rejected');
-- with ('c0ffee', 'r1', 'r1', 'vip')

-- takeover 19
DELETE FROM "SHOP"."REVERSE_ETL"."DELTAS_VIP_0A1B2C3D" WHERE retl_run_id = ? AND retl_seq IN (SELECT retl_seq FROM "SHOP"."REVERSE_ETL"."TEMP_TAKEN_VIP_0A1B2C3D");
-- with ('r1',)

-- takeover 20
DELETE FROM "SHOP"."REVERSE_ETL"."DELTAS_VIP_0A1B2C3D" WHERE retl_run_id = ? AND NOT retl_uncertain AND retl_seq IN (SELECT f.seq FROM "SHOP"."REVERSE_ETL"."REFUSALS" AS f WHERE f.run_id = ? AND f.model = ?);
-- with ('r1', 'r1', 'vip')

-- takeover 21
DELETE FROM "SHOP"."REVERSE_ETL"."REJECTED_VIP_0A1B2C3D" AS retl_r WHERE EXISTS (SELECT 1 FROM "SHOP"."REVERSE_ETL"."TEMP_TAKEN_VIP_0A1B2C3D" AS t WHERE t.retl_list_id = retl_r.retl_list_id AND t.retl_identity = retl_r.retl_identity);

-- takeover 22
DELETE FROM "SHOP"."REVERSE_ETL"."REJECTED_VIP_0A1B2C3D" AS retl_r WHERE EXISTS (SELECT 1 FROM "SHOP"."REVERSE_ETL"."DELTAS_VIP_0A1B2C3D" AS d WHERE d.retl_run_id = ? AND d.retl_seq IN (SELECT f.seq FROM "SHOP"."REVERSE_ETL"."REFUSALS" AS f WHERE f.run_id = ? AND f.model = ? AND f.kind = 'rejected') AND d.retl_list_id = retl_r.retl_list_id AND d.retl_identity = retl_r.retl_identity);
-- with ('r1', 'r1', 'vip')

-- takeover 23
DELETE FROM "SHOP"."REVERSE_ETL"."DELTAS_VIP_0A1B2C3D" WHERE retl_run_id = ? AND NOT retl_uncertain AND retl_seq NOT IN (
  SELECT d.retl_seq FROM "SHOP"."REVERSE_ETL"."DELTAS_VIP_0A1B2C3D" AS d JOIN "SHOP"."REVERSE_ETL"."RECEIPTS" AS r
  ON d.retl_seq BETWEEN r.first_seq AND r.last_seq
  WHERE d.retl_run_id = ? AND r.run_id = ? AND r.model = ? AND r.state IN ('accepted', 'unknown'));
-- with ('r1', 'r1', 'r1', 'vip')

-- takeover 24
UPDATE "SHOP"."REVERSE_ETL"."SNAPSHOT_VIP_0A1B2C3D" AS t SET retl_first_sent_at = LEAST(t.retl_first_sent_at, h.retl_since)
FROM (VALUES (?, ?, ?)) AS h (retl_list_id, retl_identity, retl_since) WHERE h.retl_list_id = t.retl_list_id AND h.retl_identity = t.retl_identity;
-- with ('L1', 'email:a@example.com', '2026-01-01T00:00:00.000Z')

-- takeover 25
UPDATE "SHOP"."REVERSE_ETL"."DELTAS_VIP_0A1B2C3D" AS t SET retl_first_sent_at = LEAST(t.retl_first_sent_at, h.retl_since)
FROM (VALUES (?, ?, ?)) AS h (retl_list_id, retl_identity, retl_since) WHERE h.retl_list_id = t.retl_list_id AND h.retl_identity = t.retl_identity;
-- with ('L1', 'email:a@example.com', '2026-01-01T00:00:00.000Z')

-- takeover 26
DROP TABLE IF EXISTS "SHOP"."REVERSE_ETL"."TEMP_TAKEN_VIP_0A1B2C3D";
