-- select_sent_rows 1
SELECT retl_list_id, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id, retl_first_sent_at, "first_name", "spent", "Since", "tags" FROM state.snapshot_vip_0a1b2c3d
WHERE (retl_email = ? OR retl_external_id = ?) ORDER BY 1, 2 LIMIT 20;
-- with ('ann@example.com', '17')
