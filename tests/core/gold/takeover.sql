-- takeover 1
DELETE FROM "reverse_etl_state".main."deltas_vip_0a1b2c3d" AS u WHERE EXISTS (SELECT 1 FROM memory.main."planned_vip_0a1b2c3d" AS p WHERE p.retl_op <> 'held' AND p.retl_list_id = u.retl_list_id AND p.retl_identity = u.retl_identity);

-- takeover 2
SELECT COALESCE(MAX(retl_seq), 0) FROM memory.main."planned_vip_0a1b2c3d";

-- takeover 3
INSERT INTO "reverse_etl_state".main."deltas_vip_0a1b2c3d" (retl_run_id, "retl_seq", "retl_op", "retl_in_snapshot", "retl_uncertain", "retl_list_id", "retl_identity", "retl_email", "retl_phone_e164", "retl_external_id", "retl_klaviyo_profile_id", "retl_first_sent_at", "first_name", "spent", "Since", "tags")
SELECT ?, p.retl_seq, p.retl_op, p.retl_in_snapshot, p.retl_uncertain, p.retl_list_id, p.retl_identity, COALESCE(p.retl_email, d.retl_email), COALESCE(p.retl_phone_e164, d.retl_phone_e164), COALESCE(p.retl_external_id, d.retl_external_id), COALESCE(p.retl_klaviyo_profile_id, d.retl_klaviyo_profile_id), COALESCE(p.retl_first_sent_at, ?), d."first_name", d."spent", d."Since", d."tags"
FROM memory.main."planned_vip_0a1b2c3d" AS p LEFT JOIN (
  SELECT l.retl_list_id, s.retl_identity, s."retl_email", s."retl_phone_e164", s."retl_external_id", s."retl_klaviyo_profile_id", s."first_name", s."spent", s."Since", s."tags"
  FROM memory.main."staged_vip_0a1b2c3d" AS s JOIN memory.main."lists_vip_0a1b2c3d" AS l ON s.retl_list = l.retl_list
  WHERE s.retl_problem IS NULL
) AS d ON d.retl_identity = p.retl_identity
WHERE p.retl_op <> 'held' ORDER BY p.retl_seq;
-- with ('r1', '2026-01-01T00:00:00.000Z')

-- takeover 4
INSERT INTO "reverse_etl_state".main."deltas_vip_0a1b2c3d" (retl_run_id, "retl_seq", "retl_op", "retl_in_snapshot", "retl_uncertain", "retl_list_id", "retl_identity", "retl_email", "retl_phone_e164", "retl_external_id", "retl_klaviyo_profile_id", "retl_first_sent_at", "first_name", "spent", "Since", "tags")
SELECT ?, p.retl_seq, p.retl_op, p.retl_in_snapshot, p.retl_uncertain, p.retl_list_id, p.retl_identity, COALESCE(p.retl_email, d.retl_email), COALESCE(p.retl_phone_e164, d.retl_phone_e164), COALESCE(p.retl_external_id, d.retl_external_id), COALESCE(p.retl_klaviyo_profile_id, d.retl_klaviyo_profile_id), COALESCE(p.retl_first_sent_at, ?), d."first_name", d."spent", d."Since", d."tags"
FROM memory.main."planned_vip_0a1b2c3d" AS p LEFT JOIN (
  SELECT l.retl_list_id, s.retl_identity, s."retl_email", s."retl_phone_e164", s."retl_external_id", s."retl_klaviyo_profile_id", s."first_name", s."spent", s."Since", s."tags"
  FROM memory.main."staged_vip_0a1b2c3d" AS s JOIN memory.main."lists_vip_0a1b2c3d" AS l ON s.retl_list = l.retl_list
  WHERE s.retl_problem IS NULL
) AS d ON d.retl_identity = p.retl_identity
WHERE p.retl_op <> 'held' AND p.retl_seq BETWEEN 1 AND 9 ORDER BY p.retl_seq;
-- with ('r1', '2026-01-01T00:00:00.000Z')

-- takeover 5
UPDATE "reverse_etl_state".main."snapshot_vip_0a1b2c3d" AS t SET retl_identity = n.retl_new FROM (
  SELECT retl_list_id, retl_identity, CASE WHEN ROW_NUMBER() OVER (PARTITION BY retl_list_id, CASE WHEN retl_email IS NOT NULL THEN 'email:' || retl_email WHEN retl_phone_e164 IS NOT NULL THEN 'phone_e164:' || retl_phone_e164 ELSE retl_identity END ORDER BY retl_identity) = 1 THEN CASE WHEN retl_email IS NOT NULL THEN 'email:' || retl_email WHEN retl_phone_e164 IS NOT NULL THEN 'phone_e164:' || retl_phone_e164 ELSE retl_identity END ELSE retl_identity END AS retl_new FROM "reverse_etl_state".main."snapshot_vip_0a1b2c3d"
) AS n WHERE n.retl_list_id = t.retl_list_id AND n.retl_identity = t.retl_identity;

-- takeover 6
UPDATE "reverse_etl_state".main."deltas_vip_0a1b2c3d" AS t SET retl_identity = n.retl_new FROM (
  SELECT retl_list_id, retl_identity, CASE WHEN ROW_NUMBER() OVER (PARTITION BY retl_list_id, CASE WHEN retl_email IS NOT NULL THEN 'email:' || retl_email WHEN retl_phone_e164 IS NOT NULL THEN 'phone_e164:' || retl_phone_e164 ELSE retl_identity END ORDER BY retl_identity) = 1 THEN CASE WHEN retl_email IS NOT NULL THEN 'email:' || retl_email WHEN retl_phone_e164 IS NOT NULL THEN 'phone_e164:' || retl_phone_e164 ELSE retl_identity END ELSE retl_identity END AS retl_new FROM "reverse_etl_state".main."deltas_vip_0a1b2c3d"
) AS n WHERE n.retl_list_id = t.retl_list_id AND n.retl_identity = t.retl_identity;

-- takeover 7
SELECT retl_list_id, retl_op = 'remove' AS retl_removes, MIN(retl_seq), MAX(retl_seq) FROM "reverse_etl_state".main."deltas_vip_0a1b2c3d"
WHERE retl_run_id = ? GROUP BY retl_list_id, retl_op = 'remove' ORDER BY 3;
-- with ('r1',)

-- takeover 8
SELECT retl_seq, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, "first_name", CAST("spent" AS VARCHAR) AS "spent", "Since", "tags" FROM "reverse_etl_state".main."deltas_vip_0a1b2c3d"
WHERE retl_run_id = ? AND retl_list_id = ? AND retl_op IN ('add', 'update') AND retl_seq BETWEEN ? AND ? ORDER BY retl_seq;
-- with ('r1', 'L1', 1, 9)

-- takeover 9
SELECT retl_seq, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_first_sent_at, retl_in_snapshot, retl_uncertain FROM "reverse_etl_state".main."deltas_vip_0a1b2c3d"
WHERE retl_run_id = ? AND retl_list_id = ? AND retl_op = 'remove' AND retl_seq BETWEEN ? AND ? ORDER BY retl_seq;
-- with ('r1', 'L1', 10, 19)

-- takeover 10
SELECT retl_seq, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id FROM "reverse_etl_state".main."deltas_vip_0a1b2c3d"
WHERE retl_run_id = ? AND retl_seq BETWEEN ? AND ? ORDER BY retl_seq;
-- with ('r1', 1, 10)

-- takeover 11
SELECT s.retl_email, s.retl_identity, l.retl_list_id,
  s.retl_problem IS NOT NULL OR s.retl_identity IN (SELECT d.retl_identity FROM "reverse_etl_state".main."deltas_vip_0a1b2c3d" AS d JOIN "reverse_etl_state".main."refusals" AS f ON f.seq = d.retl_seq AND f.run_id = d.retl_run_id WHERE f.run_id = ? AND f.model = ? AND f.kind = 'rejected') AS retl_rejected
FROM memory.main."staged_vip_0a1b2c3d" AS s LEFT JOIN memory.main."lists_vip_0a1b2c3d" AS l ON s.retl_list = l.retl_list
WHERE s.retl_email IN (?, ?);
-- with ('r1', 'vip', 'a@example.com', 'b@example.com')

-- takeover 12
CREATE OR REPLACE TABLE memory.main."taken_vip_0a1b2c3d" AS
SELECT d.retl_seq, d.retl_op, d."retl_list_id", d."retl_identity"
FROM "reverse_etl_state".main."deltas_vip_0a1b2c3d" AS d JOIN (
  SELECT MIN(first_seq) AS first_seq, MAX(last_seq) AS last_seq FROM (
    SELECT first_seq, last_seq, last_seq - SUM(last_seq - first_seq + 1) OVER (ORDER BY first_seq) AS gaps
    FROM "reverse_etl_state".main."receipts" WHERE run_id = ? AND model = ? AND state = 'applied'
  ) AS touching GROUP BY gaps
) AS r ON d.retl_seq BETWEEN r.first_seq AND r.last_seq
WHERE d.retl_run_id = ?
AND d.retl_seq NOT IN (SELECT f.seq FROM "reverse_etl_state".main."refusals" AS f WHERE f.run_id = ? AND f.model = ?);
-- with ('r1', 'vip', 'r1', 'r1', 'vip')

-- takeover 13
CREATE OR REPLACE TABLE memory.main."replaced_vip_0a1b2c3d" AS
SELECT s."retl_list_id", s."retl_identity", s."retl_email", s."retl_phone_e164", s."retl_external_id", s."retl_klaviyo_profile_id", s."retl_first_sent_at", s."first_name", s."spent", s."Since", s."tags" FROM "reverse_etl_state".main."snapshot_vip_0a1b2c3d" AS s
JOIN memory.main."taken_vip_0a1b2c3d" AS t ON t.retl_list_id = s.retl_list_id AND t.retl_identity = s.retl_identity;

-- takeover 14
SELECT COALESCE(MAX(retl_seq), 0) FROM memory.main."taken_vip_0a1b2c3d";

-- takeover 15
DELETE FROM "reverse_etl_state".main."snapshot_vip_0a1b2c3d" AS retl_s WHERE EXISTS (SELECT 1 FROM memory.main."taken_vip_0a1b2c3d" AS t WHERE t.retl_list_id = retl_s.retl_list_id AND t.retl_identity = retl_s.retl_identity);

-- takeover 16
INSERT INTO "reverse_etl_state".main."snapshot_vip_0a1b2c3d" ("retl_list_id", "retl_identity", "retl_email", "retl_phone_e164", "retl_external_id", "retl_klaviyo_profile_id", "retl_first_sent_at", "first_name", "spent", "Since", "tags") SELECT "retl_list_id", "retl_identity", "retl_email", "retl_phone_e164", "retl_external_id", "retl_klaviyo_profile_id", "retl_first_sent_at", "first_name", "spent", "Since", "tags" FROM (
  SELECT d.retl_op, d.retl_list_id, d.retl_identity, COALESCE(d."retl_email", s."retl_email") AS "retl_email", COALESCE(d."retl_phone_e164", s."retl_phone_e164") AS "retl_phone_e164", COALESCE(d."retl_external_id", s."retl_external_id") AS "retl_external_id", COALESCE(d."retl_klaviyo_profile_id", s."retl_klaviyo_profile_id") AS "retl_klaviyo_profile_id", COALESCE(d."retl_first_sent_at", s."retl_first_sent_at") AS "retl_first_sent_at", COALESCE(d."first_name", CASE WHEN NOT d.retl_uncertain THEN s."first_name" END) AS "first_name", COALESCE(d."spent", CASE WHEN NOT d.retl_uncertain THEN s."spent" END) AS "spent", COALESCE(d."Since", CASE WHEN NOT d.retl_uncertain THEN s."Since" END) AS "Since", COALESCE(d."tags", CASE WHEN NOT d.retl_uncertain THEN s."tags" END) AS "tags"
  FROM "reverse_etl_state".main."deltas_vip_0a1b2c3d" AS d JOIN memory.main."taken_vip_0a1b2c3d" AS t ON t.retl_seq = d.retl_seq
  LEFT JOIN memory.main."replaced_vip_0a1b2c3d" AS s ON s.retl_list_id = d.retl_list_id AND s.retl_identity = d.retl_identity
  WHERE d.retl_run_id = ?
) AS t WHERE retl_op <> 'remove';
-- with ('r1',)

-- takeover 17
DELETE FROM "reverse_etl_state".main."rejected_vip_0a1b2c3d" AS retl_r WHERE EXISTS (SELECT 1 FROM memory.main."taken_vip_0a1b2c3d" AS t WHERE t.retl_list_id = retl_r.retl_list_id AND t.retl_identity = retl_r.retl_identity);

-- takeover 18
DELETE FROM "reverse_etl_state".main."rejected_vip_0a1b2c3d" AS retl_r WHERE EXISTS (SELECT 1 FROM "reverse_etl_state".main."deltas_vip_0a1b2c3d" AS d WHERE d.retl_run_id = ? AND d.retl_seq IN (SELECT f.seq FROM "reverse_etl_state".main."refusals" AS f WHERE f.run_id = ? AND f.model = ? AND f.kind = 'rejected') AND d.retl_list_id = retl_r.retl_list_id AND d.retl_identity = retl_r.retl_identity);
-- with ('r1', 'r1', 'vip')

-- takeover 19
INSERT INTO "reverse_etl_state".main."rejected_vip_0a1b2c3d" (retl_checksum, "retl_list_id", "retl_identity", "retl_email", "retl_phone_e164", "retl_external_id", "retl_klaviyo_profile_id", "retl_first_sent_at", "first_name", "spent", "Since", "tags") SELECT ?, "retl_list_id", "retl_identity", "retl_email", "retl_phone_e164", "retl_external_id", "retl_klaviyo_profile_id", "retl_first_sent_at", "first_name", "spent", "Since", "tags" FROM "reverse_etl_state".main."deltas_vip_0a1b2c3d" WHERE retl_run_id = ? AND retl_seq IN (SELECT f.seq FROM "reverse_etl_state".main."refusals" AS f WHERE f.run_id = ? AND f.model = ? AND f.kind = 'rejected');
-- with ('c0ffee', 'r1', 'r1', 'vip')

-- takeover 20
DELETE FROM "reverse_etl_state".main."deltas_vip_0a1b2c3d" WHERE retl_run_id = ? AND (retl_seq IN (SELECT retl_seq FROM memory.main."taken_vip_0a1b2c3d") OR (NOT retl_uncertain AND retl_seq IN (SELECT f.seq FROM "reverse_etl_state".main."refusals" AS f WHERE f.run_id = ? AND f.model = ?)));
-- with ('r1', 'r1', 'vip')

-- takeover 21
INSERT INTO "reverse_etl_state".main."snapshot_vip_0a1b2c3d" ("retl_list_id", "retl_identity", "retl_email", "retl_phone_e164", "retl_external_id", "retl_klaviyo_profile_id", "retl_first_sent_at", "first_name", "spent", "Since", "tags") SELECT "retl_list_id", "retl_identity", "retl_email", "retl_phone_e164", "retl_external_id", "retl_klaviyo_profile_id", "retl_first_sent_at", "first_name", "spent", "Since", "tags" FROM (
  SELECT d.retl_op, d.retl_list_id, d.retl_identity, COALESCE(d."retl_email", s."retl_email") AS "retl_email", COALESCE(d."retl_phone_e164", s."retl_phone_e164") AS "retl_phone_e164", COALESCE(d."retl_external_id", s."retl_external_id") AS "retl_external_id", COALESCE(d."retl_klaviyo_profile_id", s."retl_klaviyo_profile_id") AS "retl_klaviyo_profile_id", COALESCE(d."retl_first_sent_at", s."retl_first_sent_at") AS "retl_first_sent_at", COALESCE(d."first_name", CASE WHEN NOT d.retl_uncertain THEN s."first_name" END) AS "first_name", COALESCE(d."spent", CASE WHEN NOT d.retl_uncertain THEN s."spent" END) AS "spent", COALESCE(d."Since", CASE WHEN NOT d.retl_uncertain THEN s."Since" END) AS "Since", COALESCE(d."tags", CASE WHEN NOT d.retl_uncertain THEN s."tags" END) AS "tags"
  FROM "reverse_etl_state".main."deltas_vip_0a1b2c3d" AS d JOIN memory.main."taken_vip_0a1b2c3d" AS t ON t.retl_seq = d.retl_seq
  LEFT JOIN memory.main."replaced_vip_0a1b2c3d" AS s ON s.retl_list_id = d.retl_list_id AND s.retl_identity = d.retl_identity
  WHERE d.retl_run_id = ? AND d.retl_seq BETWEEN 1 AND 9
) AS t WHERE retl_op <> 'remove';
-- with ('r1',)

-- takeover 22
INSERT INTO "reverse_etl_state".main."snapshot_vip_0a1b2c3d" ("retl_list_id", "retl_identity", "retl_email", "retl_phone_e164", "retl_external_id", "retl_klaviyo_profile_id", "retl_first_sent_at", "first_name", "spent", "Since", "tags") SELECT "retl_list_id", "retl_identity", "retl_email", "retl_phone_e164", "retl_external_id", "retl_klaviyo_profile_id", "retl_first_sent_at", "first_name", "spent", "Since", "tags" FROM (
  SELECT d.retl_op, d.retl_list_id, d.retl_identity, COALESCE(d."retl_email", s."retl_email") AS "retl_email", COALESCE(d."retl_phone_e164", s."retl_phone_e164") AS "retl_phone_e164", COALESCE(d."retl_external_id", s."retl_external_id") AS "retl_external_id", COALESCE(d."retl_klaviyo_profile_id", s."retl_klaviyo_profile_id") AS "retl_klaviyo_profile_id", COALESCE(d."retl_first_sent_at", s."retl_first_sent_at") AS "retl_first_sent_at", COALESCE(d."first_name", CASE WHEN NOT d.retl_uncertain THEN s."first_name" END) AS "first_name", COALESCE(d."spent", CASE WHEN NOT d.retl_uncertain THEN s."spent" END) AS "spent", COALESCE(d."Since", CASE WHEN NOT d.retl_uncertain THEN s."Since" END) AS "Since", COALESCE(d."tags", CASE WHEN NOT d.retl_uncertain THEN s."tags" END) AS "tags"
  FROM "reverse_etl_state".main."deltas_vip_0a1b2c3d" AS d JOIN memory.main."taken_vip_0a1b2c3d" AS t ON t.retl_seq = d.retl_seq
  LEFT JOIN memory.main."replaced_vip_0a1b2c3d" AS s ON s.retl_list_id = d.retl_list_id AND s.retl_identity = d.retl_identity
  WHERE d.retl_run_id = ? AND d.retl_seq BETWEEN 10 AND 18
) AS t WHERE retl_op <> 'remove';
-- with ('r1',)

-- takeover 23
DELETE FROM "reverse_etl_state".main."deltas_vip_0a1b2c3d" WHERE retl_run_id = ? AND NOT retl_uncertain AND retl_seq NOT IN (
  SELECT d.retl_seq FROM "reverse_etl_state".main."deltas_vip_0a1b2c3d" AS d JOIN "reverse_etl_state".main."receipts" AS r
  ON d.retl_seq BETWEEN r.first_seq AND r.last_seq
  WHERE d.retl_run_id = ? AND r.run_id = ? AND r.model = ? AND r.state IN ('accepted', 'unknown'));
-- with ('r1', 'r1', 'r1', 'vip')

-- takeover 24
UPDATE "reverse_etl_state".main."snapshot_vip_0a1b2c3d" AS t SET retl_first_sent_at = LEAST(t.retl_first_sent_at, h.retl_since)
FROM (VALUES (?, ?, ?)) AS h (retl_list_id, retl_identity, retl_since) WHERE h.retl_list_id = t.retl_list_id AND h.retl_identity = t.retl_identity;
-- with ('L1', 'email:a@example.com', '2026-01-01T00:00:00.000Z')

-- takeover 25
UPDATE "reverse_etl_state".main."deltas_vip_0a1b2c3d" AS t SET retl_first_sent_at = LEAST(t.retl_first_sent_at, h.retl_since)
FROM (VALUES (?, ?, ?)) AS h (retl_list_id, retl_identity, retl_since) WHERE h.retl_list_id = t.retl_list_id AND h.retl_identity = t.retl_identity;
-- with ('L1', 'email:a@example.com', '2026-01-01T00:00:00.000Z')

-- takeover 26
DROP TABLE IF EXISTS memory.main."taken_vip_0a1b2c3d";
