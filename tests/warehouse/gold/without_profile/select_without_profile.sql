-- select_without_profile 1
SELECT retl_list_id, retl_looked_up_at FROM state.without_profile_known_6f7a8b9c
WHERE retl_identity IN (?) ORDER BY 1, 2;
-- with ('email:ann@example.com',)
