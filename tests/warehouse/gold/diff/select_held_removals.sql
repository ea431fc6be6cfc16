-- select_held_removals 1
SELECT retl_list_id, retl_identity, retl_email, retl_phone_e164, retl_external_id, retl_klaviyo_profile_id FROM temp.planned_vip_0a1b2c3d
WHERE retl_op = 'held' ORDER BY 1, 2;
