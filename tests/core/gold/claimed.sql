-- claimed 1
CREATE OR REPLACE TABLE memory.main."claimed_phone_e164_vip_0a1b2c3d" AS
WITH upserts AS (
  SELECT s.retl_identity, CASE WHEN s.retl_omits_phone_e164 THEN NULL ELSE s.retl_phone_e164 END AS retl_phone_e164 FROM memory.main."staged_vip_0a1b2c3d" AS s
  JOIN memory.main."lists_vip_0a1b2c3d" AS l ON s.retl_list = l.retl_list
  JOIN memory.main."planned_vip_0a1b2c3d" AS p ON s.retl_identity = p.retl_identity AND l.retl_list_id = p.retl_list_id
  WHERE p.retl_op IN ('add', 'update') AND s.retl_problem IS NULL
  AND s.retl_identity <> 'phone_e164:' || s.retl_phone_e164
),
known AS (
SELECT retl_identity, retl_email, retl_phone_e164 FROM "reverse_etl_state".main."snapshot_vip_0a1b2c3d"
  WHERE retl_phone_e164 IS NOT NULL AND retl_list_id IN (SELECT retl_list_id FROM memory.main."lists_vip_0a1b2c3d")
UNION ALL SELECT retl_identity, retl_email, retl_phone_e164 FROM "reverse_etl_state".main."deltas_vip_0a1b2c3d"
  WHERE retl_phone_e164 IS NOT NULL AND retl_list_id IN (SELECT retl_list_id FROM memory.main."lists_vip_0a1b2c3d")
)
SELECT s.retl_identity FROM upserts AS s JOIN known AS k ON k.retl_phone_e164 = s.retl_phone_e164 AND k.retl_identity <> s.retl_identity
  JOIN memory.main."staged_vip_0a1b2c3d" AS d ON d.retl_identity = k.retl_identity AND d.retl_identity <> s.retl_identity
UNION SELECT s.retl_identity FROM upserts AS s JOIN known AS k ON k.retl_phone_e164 = s.retl_phone_e164 AND k.retl_identity <> s.retl_identity
  JOIN memory.main."staged_vip_0a1b2c3d" AS d ON d.retl_email = k.retl_email AND d.retl_identity <> s.retl_identity
;

-- claimed 2
CREATE OR REPLACE TABLE memory.main."claimed_phone_e164_vip_0a1b2c3d" AS
WITH upserts AS (
  SELECT s.retl_identity, CASE WHEN s.retl_omits_phone_e164 THEN NULL ELSE s.retl_phone_e164 END AS retl_phone_e164 FROM memory.main."staged_vip_0a1b2c3d" AS s
  JOIN memory.main."lists_vip_0a1b2c3d" AS l ON s.retl_list = l.retl_list
  JOIN memory.main."planned_vip_0a1b2c3d" AS p ON s.retl_identity = p.retl_identity AND l.retl_list_id = p.retl_list_id
  WHERE p.retl_op IN ('add', 'update') AND s.retl_problem IS NULL
  AND s.retl_identity <> 'phone_e164:' || s.retl_phone_e164
),
known AS (
SELECT CASE WHEN ROW_NUMBER() OVER (PARTITION BY retl_list_id, CASE WHEN retl_email IS NOT NULL THEN 'email:' || retl_email WHEN retl_phone_e164 IS NOT NULL THEN 'phone_e164:' || retl_phone_e164 ELSE retl_identity END ORDER BY retl_identity) = 1 THEN CASE WHEN retl_email IS NOT NULL THEN 'email:' || retl_email WHEN retl_phone_e164 IS NOT NULL THEN 'phone_e164:' || retl_phone_e164 ELSE retl_identity END ELSE retl_identity END AS retl_identity, retl_email, retl_phone_e164 FROM "reverse_etl_state".main."snapshot_vip_0a1b2c3d"
  WHERE retl_phone_e164 IS NOT NULL AND retl_list_id IN (SELECT retl_list_id FROM memory.main."lists_vip_0a1b2c3d")
UNION ALL SELECT CASE WHEN ROW_NUMBER() OVER (PARTITION BY retl_list_id, CASE WHEN retl_email IS NOT NULL THEN 'email:' || retl_email WHEN retl_phone_e164 IS NOT NULL THEN 'phone_e164:' || retl_phone_e164 ELSE retl_identity END ORDER BY retl_identity) = 1 THEN CASE WHEN retl_email IS NOT NULL THEN 'email:' || retl_email WHEN retl_phone_e164 IS NOT NULL THEN 'phone_e164:' || retl_phone_e164 ELSE retl_identity END ELSE retl_identity END AS retl_identity, retl_email, retl_phone_e164 FROM "reverse_etl_state".main."deltas_vip_0a1b2c3d"
  WHERE retl_phone_e164 IS NOT NULL AND retl_list_id IN (SELECT retl_list_id FROM memory.main."lists_vip_0a1b2c3d")
)
SELECT s.retl_identity FROM upserts AS s JOIN known AS k ON k.retl_phone_e164 = s.retl_phone_e164 AND k.retl_identity <> s.retl_identity
  JOIN memory.main."staged_vip_0a1b2c3d" AS d ON d.retl_identity = k.retl_identity AND d.retl_identity <> s.retl_identity
UNION SELECT s.retl_identity FROM upserts AS s JOIN known AS k ON k.retl_phone_e164 = s.retl_phone_e164 AND k.retl_identity <> s.retl_identity
  JOIN memory.main."staged_vip_0a1b2c3d" AS d ON d.retl_email = k.retl_email AND d.retl_identity <> s.retl_identity
;

-- claimed 3
SELECT COUNT(*) FROM memory.main."claimed_phone_e164_vip_0a1b2c3d";

-- claimed 4
UPDATE memory.main."staged_vip_0a1b2c3d" SET retl_omits_phone_e164 = TRUE
WHERE retl_problem IS NULL AND retl_identity IN (SELECT retl_identity FROM memory.main."claimed_phone_e164_vip_0a1b2c3d");
