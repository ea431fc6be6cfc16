-- claimed 1
CREATE OR REPLACE TEMPORARY TABLE "SHOP"."REVERSE_ETL"."TEMP_CLAIMED_PHONE_E164_VIP_0A1B2C3D" AS
SELECT DISTINCT s.retl_identity FROM "SHOP"."REVERSE_ETL"."TEMP_PLANNED_VIP_0A1B2C3D" AS p
JOIN (
  SELECT l.retl_list_id, s.retl_identity, CASE WHEN s.retl_omits_phone_e164 THEN NULL ELSE s.retl_phone_e164 END AS retl_phone_e164 FROM "SHOP"."REVERSE_ETL"."TEMP_STAGED_VIP_0A1B2C3D" AS s JOIN "SHOP"."REVERSE_ETL"."TEMP_LISTS_VIP_0A1B2C3D" AS l ON s.retl_list = l.retl_list
  WHERE s.retl_problem IS NULL AND s.retl_identity <> 'phone_e164:' || s.retl_phone_e164
) AS s ON s.retl_identity = p.retl_identity
JOIN (SELECT retl_identity AS retl_identity, retl_phone_e164 FROM "SHOP"."REVERSE_ETL"."SNAPSHOT_VIP_0A1B2C3D" WHERE retl_phone_e164 IS NOT NULL AND retl_list_id IN (SELECT retl_list_id FROM "SHOP"."REVERSE_ETL"."TEMP_LISTS_VIP_0A1B2C3D") UNION ALL SELECT retl_identity AS retl_identity, retl_phone_e164 FROM "SHOP"."REVERSE_ETL"."DELTAS_VIP_0A1B2C3D" WHERE retl_phone_e164 IS NOT NULL AND retl_list_id IN (SELECT retl_list_id FROM "SHOP"."REVERSE_ETL"."TEMP_LISTS_VIP_0A1B2C3D")) AS k ON k.retl_phone_e164 = s.retl_phone_e164 AND k.retl_identity <> s.retl_identity
WHERE p.retl_op IN ('add', 'update') AND k.retl_identity IN (SELECT retl_identity FROM "SHOP"."REVERSE_ETL"."TEMP_STAGED_VIP_0A1B2C3D");

-- claimed 2
CREATE OR REPLACE TEMPORARY TABLE "SHOP"."REVERSE_ETL"."TEMP_CLAIMED_PHONE_E164_VIP_0A1B2C3D" AS
SELECT DISTINCT s.retl_identity FROM "SHOP"."REVERSE_ETL"."TEMP_PLANNED_VIP_0A1B2C3D" AS p
JOIN (
  SELECT l.retl_list_id, s.retl_identity, CASE WHEN s.retl_omits_phone_e164 THEN NULL ELSE s.retl_phone_e164 END AS retl_phone_e164 FROM "SHOP"."REVERSE_ETL"."TEMP_STAGED_VIP_0A1B2C3D" AS s JOIN "SHOP"."REVERSE_ETL"."TEMP_LISTS_VIP_0A1B2C3D" AS l ON s.retl_list = l.retl_list
  WHERE s.retl_problem IS NULL AND s.retl_identity <> 'phone_e164:' || s.retl_phone_e164
) AS s ON s.retl_identity = p.retl_identity
JOIN (SELECT CASE WHEN ROW_NUMBER() OVER (PARTITION BY retl_list_id, CASE WHEN retl_email IS NOT NULL THEN 'email:' || retl_email WHEN retl_phone_e164 IS NOT NULL THEN 'phone_e164:' || retl_phone_e164 ELSE retl_identity END ORDER BY retl_identity) = 1 THEN CASE WHEN retl_email IS NOT NULL THEN 'email:' || retl_email WHEN retl_phone_e164 IS NOT NULL THEN 'phone_e164:' || retl_phone_e164 ELSE retl_identity END ELSE retl_identity END AS retl_identity, retl_phone_e164 FROM "SHOP"."REVERSE_ETL"."SNAPSHOT_VIP_0A1B2C3D" WHERE retl_phone_e164 IS NOT NULL AND retl_list_id IN (SELECT retl_list_id FROM "SHOP"."REVERSE_ETL"."TEMP_LISTS_VIP_0A1B2C3D") UNION ALL SELECT CASE WHEN ROW_NUMBER() OVER (PARTITION BY retl_list_id, CASE WHEN retl_email IS NOT NULL THEN 'email:' || retl_email WHEN retl_phone_e164 IS NOT NULL THEN 'phone_e164:' || retl_phone_e164 ELSE retl_identity END ORDER BY retl_identity) = 1 THEN CASE WHEN retl_email IS NOT NULL THEN 'email:' || retl_email WHEN retl_phone_e164 IS NOT NULL THEN 'phone_e164:' || retl_phone_e164 ELSE retl_identity END ELSE retl_identity END AS retl_identity, retl_phone_e164 FROM "SHOP"."REVERSE_ETL"."DELTAS_VIP_0A1B2C3D" WHERE retl_phone_e164 IS NOT NULL AND retl_list_id IN (SELECT retl_list_id FROM "SHOP"."REVERSE_ETL"."TEMP_LISTS_VIP_0A1B2C3D")) AS k ON k.retl_phone_e164 = s.retl_phone_e164 AND k.retl_identity <> s.retl_identity
WHERE p.retl_op IN ('add', 'update') AND k.retl_identity IN (SELECT retl_identity FROM "SHOP"."REVERSE_ETL"."TEMP_STAGED_VIP_0A1B2C3D");

-- claimed 3
SELECT COUNT(*) FROM "SHOP"."REVERSE_ETL"."TEMP_CLAIMED_PHONE_E164_VIP_0A1B2C3D";

-- claimed 4
UPDATE "SHOP"."REVERSE_ETL"."TEMP_STAGED_VIP_0A1B2C3D" SET retl_omits_phone_e164 = TRUE
WHERE retl_problem IS NULL AND retl_identity IN (SELECT retl_identity FROM "SHOP"."REVERSE_ETL"."TEMP_CLAIMED_PHONE_E164_VIP_0A1B2C3D");
