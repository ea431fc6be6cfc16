-- replace_compared 1
DELETE FROM temp.staged_changed_3c4d5e6f WHERE retl_identity IS NULL AND retl_list IN (SELECT retl_list FROM temp.lists_changed_3c4d5e6f);
DELETE FROM temp.staged_changed_3c4d5e6f AS retl_s WHERE EXISTS (
  SELECT 1 FROM temp.completed_changed_3c4d5e6f AS c WHERE c.retl_list = retl_s.retl_list AND c.retl_identity = retl_s.retl_identity);
UPDATE temp.staged_changed_3c4d5e6f SET retl_problem = 'changed_while_read'
WHERE retl_problem IS NULL AND retl_identity IN (SELECT retl_identity FROM temp.compared_changed_3c4d5e6f);
INSERT INTO temp.staged_changed_3c4d5e6f (retl_list, retl_identity, retl_problem, retl_detail, retl_digest, retl_unchanged, retl_left_out, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_updated_at, "first_name", "spent", "Since", "tags")
SELECT retl_list, retl_identity, retl_problem, retl_detail, retl_digest, retl_unchanged, retl_left_out, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_updated_at, "first_name", "spent", "Since", "tags" FROM temp.completed_changed_3c4d5e6f
WHERE retl_list IN (SELECT retl_list FROM temp.lists_changed_3c4d5e6f);

-- replace_compared 2
DELETE FROM temp.staged_equal_0a1b2c3d AS retl_s WHERE EXISTS (
  SELECT 1 FROM temp.completed_equal_0a1b2c3d AS c WHERE c.retl_list = retl_s.retl_list AND c.retl_identity = retl_s.retl_identity);
UPDATE temp.staged_equal_0a1b2c3d SET retl_problem = 'changed_while_read'
WHERE retl_problem IS NULL AND retl_identity IN (SELECT retl_identity FROM temp.compared_equal_0a1b2c3d);
INSERT INTO temp.staged_equal_0a1b2c3d (retl_list, retl_identity, retl_problem, retl_detail, retl_digest, retl_unchanged, retl_left_out, retl_known, retl_first_sent_at, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_updated_at, "first_name", "spent", "Since", "tags")
SELECT retl_list, retl_identity, retl_problem, retl_detail, retl_digest, retl_unchanged, retl_left_out, retl_known, retl_first_sent_at, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_updated_at, "first_name", "spent", "Since", "tags" FROM temp.completed_equal_0a1b2c3d
WHERE retl_list IN (SELECT retl_list FROM temp.lists_equal_0a1b2c3d);
