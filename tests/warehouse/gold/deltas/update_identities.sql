-- update_identities 1
UPDATE state.snapshot_vip_0a1b2c3d AS t SET retl_identity = n.retl_new
FROM (
  SELECT retl_list_id, retl_identity, CASE WHEN ROW_NUMBER() OVER (PARTITION BY retl_list_id, CASE WHEN retl_email IS NOT NULL THEN 'email:' || retl_email WHEN retl_phone_e164 IS NOT NULL THEN 'phone_e164:' || retl_phone_e164 ELSE retl_identity END ORDER BY retl_identity) = 1 THEN CASE WHEN retl_email IS NOT NULL THEN 'email:' || retl_email WHEN retl_phone_e164 IS NOT NULL THEN 'phone_e164:' || retl_phone_e164 ELSE retl_identity END ELSE retl_identity END AS retl_new FROM state.snapshot_vip_0a1b2c3d
) AS n WHERE n.retl_list_id = t.retl_list_id AND n.retl_identity = t.retl_identity;
UPDATE state.deltas_vip_0a1b2c3d AS t SET retl_identity = n.retl_new
FROM (
  SELECT retl_list_id, retl_identity, CASE WHEN ROW_NUMBER() OVER (PARTITION BY retl_list_id, CASE WHEN retl_email IS NOT NULL THEN 'email:' || retl_email WHEN retl_phone_e164 IS NOT NULL THEN 'phone_e164:' || retl_phone_e164 ELSE retl_identity END ORDER BY retl_identity) = 1 THEN CASE WHEN retl_email IS NOT NULL THEN 'email:' || retl_email WHEN retl_phone_e164 IS NOT NULL THEN 'phone_e164:' || retl_phone_e164 ELSE retl_identity END ELSE retl_identity END AS retl_new FROM state.deltas_vip_0a1b2c3d
) AS n WHERE n.retl_list_id = t.retl_list_id AND n.retl_identity = t.retl_identity;
