-- count_shared 1
SELECT COUNT(*) FROM temp.staged_vip_0a1b2c3d WHERE retl_problem IS NULL AND retl_identity <> 'phone_e164:' || retl_phone_e164
AND retl_phone_e164 IN (SELECT retl_value FROM temp.shared_phone_e164_vip_0a1b2c3d WHERE retl_shared = 1);

-- count_shared 2
SELECT COUNT(*) FROM temp.staged_clubs_4e5f6a7b WHERE retl_problem IS NULL AND retl_identity <> 'email:' || retl_email
AND retl_email IN (SELECT retl_value FROM temp.shared_email_clubs_4e5f6a7b WHERE retl_shared = 1);
