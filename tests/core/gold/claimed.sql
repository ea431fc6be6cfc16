-- claimed 1
CREATE OR REPLACE TABLE memory.main."claimed_phone_e164_vip_0a1b2c3d" AS
SELECT DISTINCT s.retl_identity FROM memory.main."planned_vip_0a1b2c3d" AS p
JOIN (
  SELECT l.retl_list_id, s.retl_identity, s.retl_phone_e164 FROM memory.main."staged_vip_0a1b2c3d" AS s JOIN memory.main."lists_vip_0a1b2c3d" AS l ON s.retl_list = l.retl_list
  WHERE s.retl_problem IS NULL AND s.retl_identity <> 'phone_e164:' || s.retl_phone_e164
) AS s ON s.retl_identity = p.retl_identity
JOIN (SELECT retl_identity, retl_phone_e164 FROM "reverse_etl_state".main."snapshot_vip_0a1b2c3d" WHERE retl_phone_e164 IS NOT NULL UNION ALL SELECT retl_identity, retl_phone_e164 FROM "reverse_etl_state".main."deltas_vip_0a1b2c3d" WHERE retl_phone_e164 IS NOT NULL) AS k ON k.retl_phone_e164 = s.retl_phone_e164 AND k.retl_identity <> s.retl_identity
WHERE p.retl_op IN ('add', 'update') AND k.retl_identity IN (SELECT retl_identity FROM memory.main."staged_vip_0a1b2c3d");

-- claimed 2
SELECT COUNT(*) FROM memory.main."claimed_phone_e164_vip_0a1b2c3d";

-- claimed 3
UPDATE memory.main."staged_vip_0a1b2c3d" SET retl_phone_e164 = NULL
WHERE retl_problem IS NULL AND retl_identity IN (SELECT retl_identity FROM memory.main."claimed_phone_e164_vip_0a1b2c3d");
