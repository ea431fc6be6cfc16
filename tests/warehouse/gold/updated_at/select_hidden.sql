-- select_hidden 1
SELECT l.retl_list_id FROM temp.staged_changed_3c4d5e6f AS s
JOIN temp.lists_changed_3c4d5e6f AS l ON l.retl_list = s.retl_list
JOIN state.snapshot_changed_3c4d5e6f AS k ON k.retl_list_id = l.retl_list_id AND k.retl_identity = s.retl_identity
WHERE k.retl_updated_at = s.retl_updated_at
  AND (s.retl_phone_e164 IS NULL OR s.retl_phone_e164 IS NOT DISTINCT FROM k.retl_phone_e164)
AND s.retl_identity IN (?, ?) ORDER BY 1;
-- with ('email:ann@example.com', 'external_id:17')
