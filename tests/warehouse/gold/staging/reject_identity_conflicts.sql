-- reject_identity_conflicts 1
UPDATE temp.staged_vip_0a1b2c3d SET retl_problem = 'identity_is_another_rows_identifier', retl_detail = 'phone_e164'
WHERE retl_problem IS NULL AND retl_identity = 'phone_e164:' || retl_phone_e164
AND retl_phone_e164 IN (SELECT retl_value FROM temp.shared_phone_e164_vip_0a1b2c3d WHERE retl_owner = 1);

-- reject_identity_conflicts 2
UPDATE temp.staged_clubs_4e5f6a7b SET retl_problem = 'identity_is_another_rows_identifier', retl_detail = 'email'
WHERE retl_problem IS NULL AND retl_identity = 'email:' || retl_email
AND retl_email IN (SELECT retl_value FROM temp.shared_email_clubs_4e5f6a7b WHERE retl_owner = 1);
