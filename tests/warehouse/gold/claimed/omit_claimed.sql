-- omit_claimed 1
UPDATE temp.staged_vip_0a1b2c3d SET retl_omits_phone_e164 = TRUE
WHERE retl_problem IS NULL AND retl_identity IN (SELECT retl_identity FROM temp.claimed_phone_e164_vip_0a1b2c3d);
