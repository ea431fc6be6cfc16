-- takeover 1
CREATE OR REPLACE TABLE memory.main."taken_vip_0a1b2c3d" AS
SELECT d.retl_seq, d.retl_op, d.retl_list_id, d.retl_identity
FROM "reverse_etl_state".main."deltas_vip_0a1b2c3d" AS d JOIN (
  SELECT MIN(first_seq) AS first_seq, MAX(last_seq) AS last_seq FROM (
    SELECT first_seq, last_seq, last_seq - SUM(last_seq - first_seq + 1) OVER (ORDER BY first_seq) AS gaps
    FROM "reverse_etl_state".main."receipts" WHERE run_id = ? AND model = ? AND state = 'applied'
  ) AS touching GROUP BY gaps
) AS r ON d.retl_seq BETWEEN r.first_seq AND r.last_seq
WHERE d.retl_run_id = ?
AND d.retl_seq NOT IN (SELECT f.seq FROM "reverse_etl_state".main."row_exceptions" AS f WHERE f.run_id = ? AND f.model = ?);
-- with ('r1', 'vip', 'r1', 'r1', 'vip')

-- takeover 2
CREATE OR REPLACE TABLE memory.main."replaced_vip_0a1b2c3d" AS
SELECT s.retl_list_id, s.retl_identity, s.retl_email, s.retl_phone_e164, s.retl_external_id, s.retl_klaviyo_profile_id, s.retl_first_sent_at, s."first_name", s."spent", s."Since", s."tags" FROM "reverse_etl_state".main."snapshot_vip_0a1b2c3d" AS s
JOIN memory.main."taken_vip_0a1b2c3d" AS t ON t.retl_list_id = s.retl_list_id AND t.retl_identity = s.retl_identity;

-- takeover 3
SELECT COALESCE(MAX(retl_seq), 0) FROM memory.main."taken_vip_0a1b2c3d";

-- takeover 4
DELETE FROM "reverse_etl_state".main."snapshot_vip_0a1b2c3d" AS retl_s WHERE EXISTS (SELECT 1 FROM memory.main."taken_vip_0a1b2c3d" AS t WHERE t.retl_list_id = retl_s.retl_list_id AND t.retl_identity = retl_s.retl_identity);

-- takeover 5
INSERT INTO "reverse_etl_state".main."snapshot_vip_0a1b2c3d" (retl_list_id, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_first_sent_at, "first_name", "spent", "Since", "tags") SELECT retl_list_id, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_first_sent_at, "first_name", "spent", "Since", "tags" FROM (
  SELECT d.retl_op, d.retl_list_id, d.retl_identity, COALESCE(d.retl_email, s.retl_email) AS retl_email, COALESCE(d.retl_phone_e164, s.retl_phone_e164) AS retl_phone_e164, COALESCE(d.retl_external_id, s.retl_external_id) AS retl_external_id, COALESCE(d.retl_klaviyo_profile_id, s.retl_klaviyo_profile_id) AS retl_klaviyo_profile_id, COALESCE(d.retl_first_sent_at, s.retl_first_sent_at) AS retl_first_sent_at, COALESCE(d."first_name", CASE WHEN NOT d.retl_uncertain THEN s."first_name" END) AS "first_name", COALESCE(d."spent", CASE WHEN NOT d.retl_uncertain THEN s."spent" END) AS "spent", COALESCE(d."Since", CASE WHEN NOT d.retl_uncertain THEN s."Since" END) AS "Since", COALESCE(d."tags", CASE WHEN NOT d.retl_uncertain THEN s."tags" END) AS "tags"
  FROM "reverse_etl_state".main."deltas_vip_0a1b2c3d" AS d JOIN memory.main."taken_vip_0a1b2c3d" AS t ON t.retl_seq = d.retl_seq
  LEFT JOIN memory.main."replaced_vip_0a1b2c3d" AS s ON s.retl_list_id = d.retl_list_id AND s.retl_identity = d.retl_identity
  WHERE d.retl_run_id = ?
) AS t WHERE retl_op <> 'remove';
-- with ('r1',)

-- takeover 6
DELETE FROM "reverse_etl_state".main."rejected_vip_0a1b2c3d" AS retl_r WHERE EXISTS (SELECT 1 FROM memory.main."taken_vip_0a1b2c3d" AS t WHERE t.retl_list_id = retl_r.retl_list_id AND t.retl_identity = retl_r.retl_identity);

-- takeover 7
DELETE FROM "reverse_etl_state".main."rejected_vip_0a1b2c3d" AS retl_r WHERE EXISTS (SELECT 1 FROM "reverse_etl_state".main."deltas_vip_0a1b2c3d" AS d WHERE d.retl_run_id = ? AND d.retl_seq IN (SELECT f.seq FROM "reverse_etl_state".main."row_exceptions" AS f WHERE f.run_id = ? AND f.model = ? AND f.kind = 'rejected') AND d.retl_list_id = retl_r.retl_list_id AND d.retl_identity = retl_r.retl_identity);
-- with ('r1', 'r1', 'vip')

-- takeover 8
INSERT INTO "reverse_etl_state".main."rejected_vip_0a1b2c3d" (retl_checksum, retl_list_id, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_first_sent_at, "first_name", "spent", "Since", "tags") SELECT ?, retl_list_id, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_first_sent_at, "first_name", "spent", "Since", "tags" FROM "reverse_etl_state".main."deltas_vip_0a1b2c3d" WHERE retl_run_id = ? AND retl_seq IN (SELECT f.seq FROM "reverse_etl_state".main."row_exceptions" AS f WHERE f.run_id = ? AND f.model = ? AND f.kind = 'rejected');
-- with ('c0ffee', 'r1', 'r1', 'vip')

-- takeover 9
DELETE FROM "reverse_etl_state".main."deltas_vip_0a1b2c3d" AS retl_d WHERE retl_run_id = ? AND retl_seq IN (SELECT t.retl_seq FROM memory.main."taken_vip_0a1b2c3d" AS t WHERE TRUE);
-- with ('r1',)

-- takeover 10
DELETE FROM "reverse_etl_state".main."deltas_vip_0a1b2c3d" WHERE retl_run_id = ? AND NOT retl_uncertain AND retl_seq IN (SELECT f.seq FROM "reverse_etl_state".main."row_exceptions" AS f WHERE f.run_id = ? AND f.model = ? AND f.kind NOT IN ('unknown', 'held'));
-- with ('r1', 'r1', 'vip')

-- takeover 11
INSERT INTO "reverse_etl_state".main."snapshot_vip_0a1b2c3d" (retl_list_id, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_first_sent_at, "first_name", "spent", "Since", "tags") SELECT retl_list_id, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_first_sent_at, "first_name", "spent", "Since", "tags" FROM (
  SELECT d.retl_op, d.retl_list_id, d.retl_identity, COALESCE(d.retl_email, s.retl_email) AS retl_email, COALESCE(d.retl_phone_e164, s.retl_phone_e164) AS retl_phone_e164, COALESCE(d.retl_external_id, s.retl_external_id) AS retl_external_id, COALESCE(d.retl_klaviyo_profile_id, s.retl_klaviyo_profile_id) AS retl_klaviyo_profile_id, COALESCE(d.retl_first_sent_at, s.retl_first_sent_at) AS retl_first_sent_at, COALESCE(d."first_name", CASE WHEN NOT d.retl_uncertain THEN s."first_name" END) AS "first_name", COALESCE(d."spent", CASE WHEN NOT d.retl_uncertain THEN s."spent" END) AS "spent", COALESCE(d."Since", CASE WHEN NOT d.retl_uncertain THEN s."Since" END) AS "Since", COALESCE(d."tags", CASE WHEN NOT d.retl_uncertain THEN s."tags" END) AS "tags"
  FROM "reverse_etl_state".main."deltas_vip_0a1b2c3d" AS d JOIN memory.main."taken_vip_0a1b2c3d" AS t ON t.retl_seq = d.retl_seq
  LEFT JOIN memory.main."replaced_vip_0a1b2c3d" AS s ON s.retl_list_id = d.retl_list_id AND s.retl_identity = d.retl_identity
  WHERE d.retl_run_id = ? AND d.retl_seq BETWEEN 1 AND 9
) AS t WHERE retl_op <> 'remove';
-- with ('r1',)

-- takeover 12
INSERT INTO "reverse_etl_state".main."snapshot_vip_0a1b2c3d" (retl_list_id, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_first_sent_at, "first_name", "spent", "Since", "tags") SELECT retl_list_id, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_first_sent_at, "first_name", "spent", "Since", "tags" FROM (
  SELECT d.retl_op, d.retl_list_id, d.retl_identity, COALESCE(d.retl_email, s.retl_email) AS retl_email, COALESCE(d.retl_phone_e164, s.retl_phone_e164) AS retl_phone_e164, COALESCE(d.retl_external_id, s.retl_external_id) AS retl_external_id, COALESCE(d.retl_klaviyo_profile_id, s.retl_klaviyo_profile_id) AS retl_klaviyo_profile_id, COALESCE(d.retl_first_sent_at, s.retl_first_sent_at) AS retl_first_sent_at, COALESCE(d."first_name", CASE WHEN NOT d.retl_uncertain THEN s."first_name" END) AS "first_name", COALESCE(d."spent", CASE WHEN NOT d.retl_uncertain THEN s."spent" END) AS "spent", COALESCE(d."Since", CASE WHEN NOT d.retl_uncertain THEN s."Since" END) AS "Since", COALESCE(d."tags", CASE WHEN NOT d.retl_uncertain THEN s."tags" END) AS "tags"
  FROM "reverse_etl_state".main."deltas_vip_0a1b2c3d" AS d JOIN memory.main."taken_vip_0a1b2c3d" AS t ON t.retl_seq = d.retl_seq
  LEFT JOIN memory.main."replaced_vip_0a1b2c3d" AS s ON s.retl_list_id = d.retl_list_id AND s.retl_identity = d.retl_identity
  WHERE d.retl_run_id = ? AND d.retl_seq BETWEEN 10 AND 18
) AS t WHERE retl_op <> 'remove';
-- with ('r1',)

-- takeover 13
DROP TABLE IF EXISTS memory.main."taken_vip_0a1b2c3d";
