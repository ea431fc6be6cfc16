-- takeover 1
CREATE OR REPLACE TEMPORARY TABLE "SHOP"."REVERSE_ETL"."TEMP_TAKEN_VIP_0A1B2C3D" AS
SELECT d.retl_seq, d.retl_op, d.retl_list_id, d.retl_identity
FROM "SHOP"."REVERSE_ETL"."DELTAS_VIP_0A1B2C3D" AS d JOIN (
  SELECT MIN(first_seq) AS first_seq, MAX(last_seq) AS last_seq FROM (
    SELECT first_seq, last_seq, last_seq - SUM(last_seq - first_seq + 1) OVER (ORDER BY first_seq) AS gaps
    FROM "SHOP"."REVERSE_ETL"."RECEIPTS" WHERE run_id = ? AND model = ? AND state = 'applied'
  ) AS touching GROUP BY gaps
) AS r ON d.retl_seq BETWEEN r.first_seq AND r.last_seq
WHERE d.retl_run_id = ?
AND d.retl_seq NOT IN (SELECT f.seq FROM "SHOP"."REVERSE_ETL"."ROW_EXCEPTIONS" AS f WHERE f.run_id = ? AND f.model = ?);
-- with ('r1', 'vip', 'r1', 'r1', 'vip')

-- takeover 2
CREATE OR REPLACE TEMPORARY TABLE "SHOP"."REVERSE_ETL"."TEMP_REPLACED_VIP_0A1B2C3D" AS
SELECT s.retl_list_id, s.retl_identity, s.retl_email, s.retl_phone_e164, s.retl_external_id, s.retl_klaviyo_profile_id, s.retl_first_sent_at, s."FIRST_NAME", s."SPENT", s."Since", s."TAGS" FROM "SHOP"."REVERSE_ETL"."SNAPSHOT_VIP_0A1B2C3D" AS s
JOIN "SHOP"."REVERSE_ETL"."TEMP_TAKEN_VIP_0A1B2C3D" AS t ON t.retl_list_id = s.retl_list_id AND t.retl_identity = s.retl_identity;

-- takeover 3
SELECT COALESCE(MAX(retl_seq), 0) FROM "SHOP"."REVERSE_ETL"."TEMP_TAKEN_VIP_0A1B2C3D";

-- takeover 4
MERGE INTO "SHOP"."REVERSE_ETL"."SNAPSHOT_VIP_0A1B2C3D" AS s USING (
  SELECT d.retl_op, d.retl_list_id, d.retl_identity, COALESCE(d.retl_email, s.retl_email) AS retl_email, COALESCE(d.retl_phone_e164, s.retl_phone_e164) AS retl_phone_e164, COALESCE(d.retl_external_id, s.retl_external_id) AS retl_external_id, COALESCE(d.retl_klaviyo_profile_id, s.retl_klaviyo_profile_id) AS retl_klaviyo_profile_id, COALESCE(d.retl_first_sent_at, s.retl_first_sent_at) AS retl_first_sent_at, COALESCE(d."FIRST_NAME", CASE WHEN NOT d.retl_uncertain THEN s."FIRST_NAME" END) AS "FIRST_NAME", COALESCE(d."SPENT", CASE WHEN NOT d.retl_uncertain THEN s."SPENT" END) AS "SPENT", COALESCE(d."Since", CASE WHEN NOT d.retl_uncertain THEN s."Since" END) AS "Since", COALESCE(d."TAGS", CASE WHEN NOT d.retl_uncertain THEN s."TAGS" END) AS "TAGS"
  FROM "SHOP"."REVERSE_ETL"."DELTAS_VIP_0A1B2C3D" AS d JOIN "SHOP"."REVERSE_ETL"."TEMP_TAKEN_VIP_0A1B2C3D" AS t ON t.retl_seq = d.retl_seq
  LEFT JOIN "SHOP"."REVERSE_ETL"."TEMP_REPLACED_VIP_0A1B2C3D" AS s ON s.retl_list_id = d.retl_list_id AND s.retl_identity = d.retl_identity
  WHERE d.retl_run_id = ?
) AS t ON t.retl_list_id = s.retl_list_id AND t.retl_identity = s.retl_identity
WHEN MATCHED AND t.retl_op = 'remove' THEN DELETE
WHEN MATCHED THEN UPDATE SET retl_email = t.retl_email, retl_phone_e164 = t.retl_phone_e164, retl_external_id = t.retl_external_id, retl_klaviyo_profile_id = t.retl_klaviyo_profile_id, retl_first_sent_at = t.retl_first_sent_at, "FIRST_NAME" = t."FIRST_NAME", "SPENT" = t."SPENT", "Since" = t."Since", "TAGS" = t."TAGS"
WHEN NOT MATCHED AND t.retl_op <> 'remove' THEN INSERT (retl_list_id, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_first_sent_at, "FIRST_NAME", "SPENT", "Since", "TAGS") VALUES (t.retl_list_id, t.retl_identity, t.retl_email, t.retl_phone_e164, t.retl_external_id, t.retl_klaviyo_profile_id, t.retl_first_sent_at, t."FIRST_NAME", t."SPENT", t."Since", t."TAGS");
-- with ('r1',)

-- takeover 5
DELETE FROM "SHOP"."REVERSE_ETL"."REJECTED_VIP_0A1B2C3D" AS retl_r WHERE EXISTS (SELECT 1 FROM "SHOP"."REVERSE_ETL"."TEMP_TAKEN_VIP_0A1B2C3D" AS t WHERE t.retl_list_id = retl_r.retl_list_id AND t.retl_identity = retl_r.retl_identity);

-- takeover 6
DELETE FROM "SHOP"."REVERSE_ETL"."REJECTED_VIP_0A1B2C3D" AS retl_r WHERE EXISTS (SELECT 1 FROM "SHOP"."REVERSE_ETL"."DELTAS_VIP_0A1B2C3D" AS d WHERE d.retl_run_id = ? AND d.retl_seq IN (SELECT f.seq FROM "SHOP"."REVERSE_ETL"."ROW_EXCEPTIONS" AS f WHERE f.run_id = ? AND f.model = ? AND f.kind = 'rejected') AND d.retl_list_id = retl_r.retl_list_id AND d.retl_identity = retl_r.retl_identity);
-- with ('r1', 'r1', 'vip')

-- takeover 7
INSERT INTO "SHOP"."REVERSE_ETL"."REJECTED_VIP_0A1B2C3D" (retl_checksum, retl_list_id, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_first_sent_at, "FIRST_NAME", "SPENT", "Since", "TAGS") SELECT ?, retl_list_id, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_first_sent_at, "FIRST_NAME", "SPENT", "Since", "TAGS" FROM "SHOP"."REVERSE_ETL"."DELTAS_VIP_0A1B2C3D" WHERE retl_run_id = ? AND retl_seq IN (SELECT f.seq FROM "SHOP"."REVERSE_ETL"."ROW_EXCEPTIONS" AS f WHERE f.run_id = ? AND f.model = ? AND f.kind = 'rejected');
-- with ('c0ffee', 'r1', 'r1', 'vip')

-- takeover 8
DELETE FROM "SHOP"."REVERSE_ETL"."DELTAS_VIP_0A1B2C3D" AS retl_d WHERE retl_run_id = ? AND retl_seq IN (SELECT t.retl_seq FROM "SHOP"."REVERSE_ETL"."TEMP_TAKEN_VIP_0A1B2C3D" AS t WHERE TRUE);
-- with ('r1',)

-- takeover 9
DELETE FROM "SHOP"."REVERSE_ETL"."DELTAS_VIP_0A1B2C3D" WHERE retl_run_id = ? AND NOT retl_uncertain AND retl_seq IN (SELECT f.seq FROM "SHOP"."REVERSE_ETL"."ROW_EXCEPTIONS" AS f WHERE f.run_id = ? AND f.model = ? AND f.kind NOT IN ('unknown', 'held'));
-- with ('r1', 'r1', 'vip')

-- takeover 10
DELETE FROM "SHOP"."REVERSE_ETL"."REJECTED_VIP_0A1B2C3D" AS retl_r WHERE EXISTS (SELECT 1 FROM "SHOP"."REVERSE_ETL"."TEMP_TAKEN_VIP_0A1B2C3D" AS t WHERE t.retl_list_id = retl_r.retl_list_id AND t.retl_identity = retl_r.retl_identity);

-- takeover 11
DELETE FROM "SHOP"."REVERSE_ETL"."REJECTED_VIP_0A1B2C3D" AS retl_r WHERE EXISTS (SELECT 1 FROM "SHOP"."REVERSE_ETL"."DELTAS_VIP_0A1B2C3D" AS d WHERE d.retl_run_id = ? AND d.retl_seq IN (SELECT f.seq FROM "SHOP"."REVERSE_ETL"."ROW_EXCEPTIONS" AS f WHERE f.run_id = ? AND f.model = ? AND f.kind = 'rejected') AND d.retl_list_id = retl_r.retl_list_id AND d.retl_identity = retl_r.retl_identity);
-- with ('r1', 'r1', 'vip')

-- takeover 12
DROP TABLE IF EXISTS "SHOP"."REVERSE_ETL"."TEMP_TAKEN_VIP_0A1B2C3D";
