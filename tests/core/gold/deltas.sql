-- deltas 1
DELETE FROM "reverse_etl_state".main."deltas_vip_0a1b2c3d" AS u WHERE EXISTS (SELECT 1 FROM memory.main."planned_vip_0a1b2c3d" AS p WHERE p.retl_op NOT IN ('held', 'deferred') AND p.retl_list_id = u.retl_list_id AND p.retl_identity = u.retl_identity);

-- deltas 2
SELECT COALESCE(MAX(retl_seq), 0) FROM memory.main."planned_vip_0a1b2c3d";

-- deltas 3
INSERT INTO "reverse_etl_state".main."deltas_vip_0a1b2c3d" (retl_run_id, retl_seq, retl_op, retl_in_snapshot, retl_uncertain, retl_list_id, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_first_sent_at, "first_name", "spent", "Since", "tags")
SELECT ?, p.retl_seq, p.retl_op, p.retl_in_snapshot, p.retl_uncertain, p.retl_list_id, p.retl_identity, COALESCE(p.retl_email, d.retl_email), COALESCE(p.retl_phone_e164, d.retl_phone_e164), COALESCE(p.retl_external_id, d.retl_external_id), COALESCE(p.retl_klaviyo_profile_id, d.retl_klaviyo_profile_id), COALESCE(p.retl_first_sent_at, ?), d."first_name", d."spent", d."Since", d."tags"
FROM memory.main."planned_vip_0a1b2c3d" AS p LEFT JOIN (
  SELECT l.retl_list_id, s.retl_identity, s.retl_email AS retl_email, CASE WHEN s.retl_omits_phone_e164 THEN NULL ELSE s.retl_phone_e164 END AS retl_phone_e164, s.retl_external_id AS retl_external_id, s.retl_klaviyo_profile_id AS retl_klaviyo_profile_id, s."first_name", s."spent", s."Since", s."tags"
  FROM memory.main."staged_vip_0a1b2c3d" AS s JOIN memory.main."lists_vip_0a1b2c3d" AS l ON s.retl_list = l.retl_list
  WHERE s.retl_problem IS NULL
) AS d ON d.retl_identity = p.retl_identity
WHERE p.retl_op NOT IN ('held', 'deferred') ORDER BY p.retl_seq;
-- with ('r1', '2026-01-01T00:00:00.000Z')

-- deltas 4
INSERT INTO "reverse_etl_state".main."deltas_vip_0a1b2c3d" (retl_run_id, retl_seq, retl_op, retl_in_snapshot, retl_uncertain, retl_list_id, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_first_sent_at, "first_name", "spent", "Since", "tags")
SELECT ?, p.retl_seq, p.retl_op, p.retl_in_snapshot, p.retl_uncertain, p.retl_list_id, p.retl_identity, COALESCE(p.retl_email, d.retl_email), COALESCE(p.retl_phone_e164, d.retl_phone_e164), COALESCE(p.retl_external_id, d.retl_external_id), COALESCE(p.retl_klaviyo_profile_id, d.retl_klaviyo_profile_id), COALESCE(p.retl_first_sent_at, ?), d."first_name", d."spent", d."Since", d."tags"
FROM memory.main."planned_vip_0a1b2c3d" AS p LEFT JOIN (
  SELECT l.retl_list_id, s.retl_identity, s.retl_email AS retl_email, CASE WHEN s.retl_omits_phone_e164 THEN NULL ELSE s.retl_phone_e164 END AS retl_phone_e164, s.retl_external_id AS retl_external_id, s.retl_klaviyo_profile_id AS retl_klaviyo_profile_id, s."first_name", s."spent", s."Since", s."tags"
  FROM memory.main."staged_vip_0a1b2c3d" AS s JOIN memory.main."lists_vip_0a1b2c3d" AS l ON s.retl_list = l.retl_list
  WHERE s.retl_problem IS NULL
) AS d ON d.retl_identity = p.retl_identity
WHERE p.retl_op NOT IN ('held', 'deferred') AND p.retl_seq BETWEEN 1 AND 9 ORDER BY p.retl_seq;
-- with ('r1', '2026-01-01T00:00:00.000Z')

-- deltas 5
UPDATE "reverse_etl_state".main."snapshot_vip_0a1b2c3d" AS t SET retl_identity = n.retl_new FROM (
  SELECT retl_list_id, retl_identity, CASE WHEN ROW_NUMBER() OVER (PARTITION BY retl_list_id, CASE WHEN retl_email IS NOT NULL THEN 'email:' || retl_email WHEN retl_phone_e164 IS NOT NULL THEN 'phone_e164:' || retl_phone_e164 ELSE retl_identity END ORDER BY retl_identity) = 1 THEN CASE WHEN retl_email IS NOT NULL THEN 'email:' || retl_email WHEN retl_phone_e164 IS NOT NULL THEN 'phone_e164:' || retl_phone_e164 ELSE retl_identity END ELSE retl_identity END AS retl_new FROM "reverse_etl_state".main."snapshot_vip_0a1b2c3d"
) AS n WHERE n.retl_list_id = t.retl_list_id AND n.retl_identity = t.retl_identity;

-- deltas 6
UPDATE "reverse_etl_state".main."deltas_vip_0a1b2c3d" AS t SET retl_identity = n.retl_new FROM (
  SELECT retl_list_id, retl_identity, CASE WHEN ROW_NUMBER() OVER (PARTITION BY retl_list_id, CASE WHEN retl_email IS NOT NULL THEN 'email:' || retl_email WHEN retl_phone_e164 IS NOT NULL THEN 'phone_e164:' || retl_phone_e164 ELSE retl_identity END ORDER BY retl_identity) = 1 THEN CASE WHEN retl_email IS NOT NULL THEN 'email:' || retl_email WHEN retl_phone_e164 IS NOT NULL THEN 'phone_e164:' || retl_phone_e164 ELSE retl_identity END ELSE retl_identity END AS retl_new FROM "reverse_etl_state".main."deltas_vip_0a1b2c3d"
) AS n WHERE n.retl_list_id = t.retl_list_id AND n.retl_identity = t.retl_identity;

-- deltas 7
SELECT retl_list_id, retl_op = 'remove' AS retl_removes, MIN(retl_seq), MAX(retl_seq) FROM "reverse_etl_state".main."deltas_vip_0a1b2c3d"
WHERE retl_run_id = ? GROUP BY retl_list_id, retl_op = 'remove' ORDER BY 3;
-- with ('r1',)

-- deltas 8
SELECT retl_seq, retl_email, retl_phone_e164, "first_name", CAST("spent" AS VARCHAR) AS "spent", "Since", "tags" FROM "reverse_etl_state".main."deltas_vip_0a1b2c3d"
WHERE retl_run_id = ? AND retl_list_id = ? AND retl_op IN ('add', 'update') AND retl_seq BETWEEN ? AND ? ORDER BY retl_seq;
-- with ('r1', 'L1', 1, 9)

-- deltas 9
SELECT retl_seq, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_first_sent_at, retl_in_snapshot FROM "reverse_etl_state".main."deltas_vip_0a1b2c3d"
WHERE retl_run_id = ? AND retl_list_id = ? AND retl_op = 'remove' AND retl_seq BETWEEN ? AND ? ORDER BY retl_seq;
-- with ('r1', 'L1', 10, 19)

-- deltas 10
SELECT retl_seq, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id FROM "reverse_etl_state".main."deltas_vip_0a1b2c3d"
WHERE retl_run_id = ? AND retl_seq BETWEEN ? AND ? ORDER BY retl_seq;
-- with ('r1', 1, 10)

-- deltas 11
SELECT s.retl_email, s.retl_identity, l.retl_list_id,
  (s.retl_problem IS NOT NULL OR x.retl_identity IS NOT NULL OR (d.retl_seq IS NOT NULL AND r.first_seq IS NULL)) AS retl_rejected
FROM memory.main."staged_vip_0a1b2c3d" AS s LEFT JOIN memory.main."lists_vip_0a1b2c3d" AS l ON s.retl_list = l.retl_list
LEFT JOIN (SELECT DISTINCT d.retl_identity FROM "reverse_etl_state".main."deltas_vip_0a1b2c3d" AS d JOIN "reverse_etl_state".main."row_exceptions" AS f ON f.seq = d.retl_seq AND f.run_id = d.retl_run_id WHERE f.run_id = ? AND f.model = ? AND f.kind = 'rejected') AS x ON s.retl_identity = x.retl_identity
LEFT JOIN "reverse_etl_state".main."deltas_vip_0a1b2c3d" AS d ON d.retl_run_id = ? AND d.retl_list_id = ? AND d.retl_op <> 'remove' AND d.retl_identity = s.retl_identity AND d.retl_list_id = l.retl_list_id
LEFT JOIN "reverse_etl_state".main."receipts" AS r ON r.run_id = d.retl_run_id AND r.model = ? AND r.state = 'applied' AND d.retl_seq BETWEEN r.first_seq AND r.last_seq
WHERE s.retl_email IN (?, ?)
AND ((s.retl_problem IS NOT NULL OR x.retl_identity IS NOT NULL OR (d.retl_seq IS NOT NULL AND r.first_seq IS NULL)) OR s.retl_email IS NOT NULL);
-- with ('r1', 'vip', 'r1', 'L1', 'vip', 'a@example.com', 'b@example.com')

-- deltas 12
DELETE FROM "reverse_etl_state".main."deltas_vip_0a1b2c3d" WHERE NOT retl_uncertain AND retl_run_id = ? AND retl_seq NOT IN (
  SELECT d.retl_seq FROM "reverse_etl_state".main."deltas_vip_0a1b2c3d" AS d JOIN "reverse_etl_state".main."receipts" AS r
  ON d.retl_seq BETWEEN r.first_seq AND r.last_seq
  WHERE d.retl_run_id = ? AND r.run_id = ? AND r.model = ? AND r.state IN ('accepted', 'unknown')
  AND d.retl_seq NOT IN (SELECT f.seq FROM "reverse_etl_state".main."row_exceptions" AS f WHERE f.run_id = ? AND f.model = ? AND f.kind = 'held'))
AND retl_seq NOT IN (SELECT f.seq FROM "reverse_etl_state".main."row_exceptions" AS f WHERE f.run_id = ? AND f.model = ? AND f.kind = 'unknown');
-- with ('r1', 'r1', 'r1', 'vip', 'r1', 'vip', 'r1', 'vip')

-- deltas 13
INSERT INTO "reverse_etl_state".main."deltas_vip_0a1b2c3d" (retl_run_id, retl_seq, retl_op, retl_in_snapshot, retl_uncertain, retl_list_id, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_first_sent_at, "first_name", "spent", "Since", "tags")
SELECT '', 0, 'update', TRUE, TRUE, s.retl_list_id, s.retl_identity, s.retl_email, s.retl_phone_e164, s.retl_external_id, s.retl_klaviyo_profile_id, s.retl_first_sent_at, s."first_name", s."spent", s."Since", s."tags" FROM "reverse_etl_state".main."snapshot_vip_0a1b2c3d" AS s
WHERE s.retl_list_id IN (?, ?) AND NOT EXISTS (SELECT 1 FROM "reverse_etl_state".main."deltas_vip_0a1b2c3d" AS d WHERE d.retl_list_id = s.retl_list_id AND d.retl_identity = s.retl_identity);
-- with ('L1', 'L2')

-- deltas 14
INSERT INTO "reverse_etl_state".main."deltas_vip_0a1b2c3d" (retl_run_id, retl_seq, retl_op, retl_in_snapshot, retl_uncertain, retl_list_id, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_first_sent_at, "first_name", "spent", "Since", "tags")
SELECT '', 0, 'update', TRUE, TRUE, s.retl_list_id, s.retl_identity, s.retl_email, s.retl_phone_e164, s.retl_external_id, s.retl_klaviyo_profile_id, s.retl_first_sent_at, s."first_name", s."spent", s."Since", s."tags" FROM "reverse_etl_state".main."snapshot_vip_0a1b2c3d" AS s
WHERE EXISTS (SELECT 1 FROM memory.main."planned_vip_0a1b2c3d" AS p WHERE NOT (p.retl_op NOT IN ('held', 'deferred')) AND p.retl_list_id = s.retl_list_id AND p.retl_identity = s.retl_identity) AND NOT EXISTS (SELECT 1 FROM "reverse_etl_state".main."deltas_vip_0a1b2c3d" AS d WHERE d.retl_list_id = s.retl_list_id AND d.retl_identity = s.retl_identity);

-- deltas 15
UPDATE "reverse_etl_state".main."deltas_vip_0a1b2c3d" SET retl_run_id = '', retl_seq = 0, retl_op = 'update', retl_uncertain = TRUE
WHERE retl_op = 'remove' AND NOT retl_uncertain AND retl_run_id = ? AND retl_seq NOT IN (
  SELECT d.retl_seq FROM "reverse_etl_state".main."deltas_vip_0a1b2c3d" AS d JOIN "reverse_etl_state".main."receipts" AS r
  ON d.retl_seq BETWEEN r.first_seq AND r.last_seq
  WHERE d.retl_run_id = ? AND r.run_id = ? AND r.model = ? AND r.state IN ('accepted', 'unknown')
  AND d.retl_seq NOT IN (SELECT f.seq FROM "reverse_etl_state".main."row_exceptions" AS f WHERE f.run_id = ? AND f.model = ? AND f.kind = 'held'))
AND retl_seq NOT IN (SELECT f.seq FROM "reverse_etl_state".main."row_exceptions" AS f WHERE f.run_id = ? AND f.model = ? AND f.kind = 'unknown');
-- with ('r1', 'r1', 'r1', 'vip', 'r1', 'vip', 'r1', 'vip')

-- deltas 16
UPDATE "reverse_etl_state".main."deltas_vip_0a1b2c3d" SET retl_run_id = '', retl_seq = 0, retl_op = 'update', retl_uncertain = TRUE
WHERE retl_op = 'remove' AND retl_uncertain AND retl_in_snapshot AND retl_run_id = ? AND retl_seq NOT IN (
  SELECT d.retl_seq FROM "reverse_etl_state".main."deltas_vip_0a1b2c3d" AS d JOIN "reverse_etl_state".main."receipts" AS r
  ON d.retl_seq BETWEEN r.first_seq AND r.last_seq
  WHERE d.retl_run_id = ? AND r.run_id = ? AND r.model = ? AND r.state IN ('accepted', 'unknown')
  AND d.retl_seq NOT IN (SELECT f.seq FROM "reverse_etl_state".main."row_exceptions" AS f WHERE f.run_id = ? AND f.model = ? AND f.kind = 'held'))
AND retl_seq NOT IN (SELECT f.seq FROM "reverse_etl_state".main."row_exceptions" AS f WHERE f.run_id = ? AND f.model = ? AND f.kind = 'unknown');
-- with ('r1', 'r1', 'r1', 'vip', 'r1', 'vip', 'r1', 'vip')

-- deltas 17
UPDATE "reverse_etl_state".main."deltas_vip_0a1b2c3d" AS t SET retl_first_sent_at = LEAST(t.retl_first_sent_at, h.retl_since)
FROM (
  WITH sent AS (
  SELECT retl_list_id, retl_identity, retl_email, retl_external_id, retl_klaviyo_profile_id, retl_first_sent_at FROM "reverse_etl_state".main."snapshot_vip_0a1b2c3d" WHERE retl_list_id IN (?, ?)
  UNION ALL SELECT retl_list_id, retl_identity, retl_email, retl_external_id, retl_klaviyo_profile_id, retl_first_sent_at FROM "reverse_etl_state".main."deltas_vip_0a1b2c3d" WHERE retl_list_id IN (?, ?)
  )
  SELECT retl_list_id, retl_identity, MIN(retl_first_sent_at) AS retl_since FROM (
    SELECT d.retl_list_id, d.retl_identity, f.retl_first_sent_at FROM "reverse_etl_state".main."deltas_vip_0a1b2c3d" AS d JOIN sent AS f ON d.retl_list_id = f.retl_list_id AND d.retl_identity = f.retl_identity WHERE d.retl_run_id = ?
    UNION ALL SELECT d.retl_list_id, d.retl_identity, f.retl_first_sent_at FROM "reverse_etl_state".main."deltas_vip_0a1b2c3d" AS d JOIN sent AS f ON d.retl_list_id = f.retl_list_id AND d.retl_email = f.retl_email WHERE d.retl_run_id = ?
    UNION ALL SELECT d.retl_list_id, d.retl_identity, f.retl_first_sent_at FROM "reverse_etl_state".main."deltas_vip_0a1b2c3d" AS d JOIN sent AS f ON d.retl_list_id = f.retl_list_id AND d.retl_external_id = f.retl_external_id WHERE d.retl_run_id = ?
    UNION ALL SELECT d.retl_list_id, d.retl_identity, f.retl_first_sent_at FROM "reverse_etl_state".main."deltas_vip_0a1b2c3d" AS d JOIN sent AS f ON d.retl_list_id = f.retl_list_id AND d.retl_klaviyo_profile_id = f.retl_klaviyo_profile_id WHERE d.retl_run_id = ?
  ) AS m GROUP BY retl_list_id, retl_identity
) AS h WHERE t.retl_run_id = ? AND h.retl_list_id = t.retl_list_id AND h.retl_identity = t.retl_identity;
-- with ('L1', 'L2', 'L1', 'L2', 'r1', 'r1', 'r1', 'r1', 'r1')

-- deltas 18
UPDATE "reverse_etl_state".main."snapshot_vip_0a1b2c3d" AS t SET retl_first_sent_at = LEAST(t.retl_first_sent_at, h.retl_since)
FROM (VALUES (?, ?, ?)) AS h (retl_list_id, retl_identity, retl_since) WHERE h.retl_list_id = t.retl_list_id AND h.retl_identity = t.retl_identity;
-- with ('L1', 'email:a@example.com', '2026-01-01T00:00:00.000Z')

-- deltas 19
UPDATE "reverse_etl_state".main."deltas_vip_0a1b2c3d" AS t SET retl_first_sent_at = LEAST(t.retl_first_sent_at, h.retl_since)
FROM (VALUES (?, ?, ?)) AS h (retl_list_id, retl_identity, retl_since) WHERE h.retl_list_id = t.retl_list_id AND h.retl_identity = t.retl_identity;
-- with ('L1', 'email:a@example.com', '2026-01-01T00:00:00.000Z')
