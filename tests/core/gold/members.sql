-- members 1
CREATE OR REPLACE TABLE memory.main."members_vip_0a1b2c3d" (retl_email VARCHAR, retl_phone_e164 VARCHAR, retl_external_id VARCHAR, retl_klaviyo_profile_id VARCHAR, retl_joined_at VARCHAR, retl_joined_late VARCHAR);

-- members 2
INSERT INTO memory.main."members_vip_0a1b2c3d" VALUES (?, ?, ?, ?, ?, ?);
-- with ('a@example.com', None, None, 'P1', '2026-01-01T00:00:00.000Z', '2026-01-01T00:01:00.000Z')

-- members 3
CREATE OR REPLACE TABLE memory.main."met_vip_0a1b2c3d" AS
WITH rows_sent AS (
  SELECT retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id FROM "reverse_etl_state".main."snapshot_vip_0a1b2c3d" WHERE retl_list_id = 'L1'
  UNION SELECT retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id FROM "reverse_etl_state".main."deltas_vip_0a1b2c3d" WHERE retl_list_id = 'L1'
)
  SELECT r.retl_identity, m.retl_klaviyo_profile_id, m.retl_joined_at, m.retl_joined_late, TRUE AS retl_sure
  FROM rows_sent AS r JOIN memory.main."members_vip_0a1b2c3d" AS m ON r.retl_email = m.retl_email
  UNION SELECT r.retl_identity, m.retl_klaviyo_profile_id, m.retl_joined_at, m.retl_joined_late, r.retl_identity = 'phone_e164:' || r.retl_phone_e164 AS retl_sure
  FROM rows_sent AS r JOIN memory.main."members_vip_0a1b2c3d" AS m ON r.retl_phone_e164 = m.retl_phone_e164
  UNION SELECT r.retl_identity, m.retl_klaviyo_profile_id, m.retl_joined_at, m.retl_joined_late, TRUE AS retl_sure
  FROM rows_sent AS r JOIN memory.main."members_vip_0a1b2c3d" AS m ON r.retl_external_id = m.retl_external_id
  UNION SELECT r.retl_identity, m.retl_klaviyo_profile_id, m.retl_joined_at, m.retl_joined_late, TRUE AS retl_sure
  FROM rows_sent AS r JOIN memory.main."members_vip_0a1b2c3d" AS m ON r.retl_klaviyo_profile_id = m.retl_klaviyo_profile_id;

-- members 4
CREATE OR REPLACE TABLE memory.main."missing_vip_0a1b2c3d" AS
SELECT s.retl_list_id, s.retl_identity FROM "reverse_etl_state".main."snapshot_vip_0a1b2c3d" AS s WHERE s.retl_list_id = 'L1'
AND NOT EXISTS (SELECT 1 FROM memory.main."met_vip_0a1b2c3d" AS t WHERE t.retl_sure AND t.retl_identity = s.retl_identity)
AND NOT EXISTS (SELECT 1 FROM "reverse_etl_state".main."deltas_vip_0a1b2c3d" AS d WHERE d.retl_list_id = s.retl_list_id AND d.retl_identity = s.retl_identity);

-- members 5
CREATE OR REPLACE TABLE memory.main."others_vip_0a1b2c3d" AS
SELECT CAST(CASE WHEN m.retl_email IS NOT NULL THEN 'email:' || m.retl_email WHEN m.retl_phone_e164 IS NOT NULL THEN 'phone_e164:' || m.retl_phone_e164 ELSE 'klaviyo_profile_id:' || m.retl_klaviyo_profile_id END AS VARCHAR) AS retl_identity, m.* FROM memory.main."members_vip_0a1b2c3d" AS m
WHERE NOT EXISTS (SELECT 1 FROM memory.main."met_vip_0a1b2c3d" AS t WHERE t.retl_klaviyo_profile_id = m.retl_klaviyo_profile_id)
QUALIFY ROW_NUMBER() OVER (PARTITION BY CASE WHEN m.retl_email IS NOT NULL THEN 'email:' || m.retl_email WHEN m.retl_phone_e164 IS NOT NULL THEN 'phone_e164:' || m.retl_phone_e164 ELSE 'klaviyo_profile_id:' || m.retl_klaviyo_profile_id END ORDER BY m.retl_joined_at, m.retl_klaviyo_profile_id) = 1;

-- members 6
SELECT (SELECT COUNT(*) FROM "reverse_etl_state".main."snapshot_vip_0a1b2c3d" WHERE retl_list_id = ?),
  (SELECT COUNT(*) FROM "reverse_etl_state".main."deltas_vip_0a1b2c3d" WHERE retl_list_id = ?),
  (SELECT COUNT(*) FROM (SELECT DISTINCT retl_klaviyo_profile_id FROM memory.main."members_vip_0a1b2c3d") AS m),
  (SELECT COUNT(*) FROM memory.main."missing_vip_0a1b2c3d"),
  (SELECT COUNT(*) FROM memory.main."others_vip_0a1b2c3d"),
  (SELECT COUNT(*) FROM "reverse_etl_state".main."snapshot_vip_0a1b2c3d" AS s WHERE s.retl_list_id = ? AND EXISTS (SELECT 1 FROM memory.main."met_vip_0a1b2c3d" AS t WHERE t.retl_sure AND t.retl_identity = s.retl_identity AND t.retl_joined_late < s.retl_first_sent_at));
-- with ('L1', 'L1', 'L1')

-- members 7
SELECT retl_identity FROM memory.main."missing_vip_0a1b2c3d" ORDER BY retl_identity LIMIT 3;

-- members 8
SELECT retl_identity FROM memory.main."others_vip_0a1b2c3d" ORDER BY retl_identity LIMIT 3;

-- members 9
WITH unmatched AS (
  SELECT identity FROM "reverse_etl_state".main."unmatched_removals" WHERE account_id = ? AND project = ? AND model = ? AND list_id = ?
)
SELECT g.identity FROM unmatched AS g JOIN memory.main."others_vip_0a1b2c3d" AS o ON g.identity = 'email:' || o.retl_email
UNION SELECT g.identity FROM unmatched AS g JOIN memory.main."others_vip_0a1b2c3d" AS o ON g.identity = 'phone_e164:' || o.retl_phone_e164
UNION SELECT g.identity FROM unmatched AS g JOIN memory.main."others_vip_0a1b2c3d" AS o ON g.identity = 'external_id:' || o.retl_external_id
UNION SELECT g.identity FROM unmatched AS g JOIN memory.main."others_vip_0a1b2c3d" AS o ON g.identity = 'klaviyo_profile_id:' || o.retl_klaviyo_profile_id
ORDER BY 1;
-- with ('acc', 'shop', 'vip', 'L1')

-- members 10
INSERT INTO "reverse_etl_state".main."deltas_vip_0a1b2c3d" (retl_run_id, retl_seq, retl_op, retl_in_snapshot, retl_uncertain, retl_list_id, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_first_sent_at, "first_name", "spent", "Since", "tags")
SELECT '', 0, 'update', TRUE, TRUE, s.retl_list_id, s.retl_identity, s.retl_email, s.retl_phone_e164, s.retl_external_id, s.retl_klaviyo_profile_id, s.retl_first_sent_at, s."first_name", s."spent", s."Since", s."tags" FROM "reverse_etl_state".main."snapshot_vip_0a1b2c3d" AS s
WHERE EXISTS (SELECT 1 FROM memory.main."missing_vip_0a1b2c3d" AS m WHERE m.retl_list_id = s.retl_list_id AND m.retl_identity = s.retl_identity) AND NOT EXISTS (SELECT 1 FROM "reverse_etl_state".main."deltas_vip_0a1b2c3d" AS d WHERE d.retl_list_id = s.retl_list_id AND d.retl_identity = s.retl_identity);

-- members 11
UPDATE "reverse_etl_state".main."snapshot_vip_0a1b2c3d" AS t SET retl_first_sent_at = LEAST(t.retl_first_sent_at, h.retl_since)
FROM (
  SELECT retl_identity, MIN(retl_joined_at) AS retl_since FROM memory.main."met_vip_0a1b2c3d" WHERE retl_sure GROUP BY retl_identity
) AS h WHERE t.retl_list_id = ? AND t.retl_identity = h.retl_identity;
-- with ('L1',)

-- members 12
UPDATE "reverse_etl_state".main."deltas_vip_0a1b2c3d" AS t SET retl_first_sent_at = LEAST(t.retl_first_sent_at, h.retl_since)
FROM (
  SELECT retl_identity, MIN(retl_joined_at) AS retl_since FROM memory.main."met_vip_0a1b2c3d" WHERE retl_sure GROUP BY retl_identity
) AS h WHERE t.retl_list_id = ? AND t.retl_identity = h.retl_identity;
-- with ('L1',)

-- members 13
INSERT INTO "reverse_etl_state".main."snapshot_vip_0a1b2c3d" (retl_list_id, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_first_sent_at)
SELECT ?, o.retl_identity, o.retl_email, o.retl_phone_e164, o.retl_external_id, o.retl_klaviyo_profile_id, o.retl_joined_at FROM memory.main."others_vip_0a1b2c3d" AS o
WHERE NOT EXISTS (SELECT 1 FROM "reverse_etl_state".main."snapshot_vip_0a1b2c3d" AS s WHERE s.retl_list_id = ? AND s.retl_identity = o.retl_identity);
-- with ('L1', 'L1')
