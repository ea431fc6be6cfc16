-- select_list_names 1
SELECT DISTINCT retl_list FROM temp.staged_vip_0a1b2c3d WHERE retl_list IS NOT NULL ORDER BY retl_list;

-- select_list_names 2
SELECT DISTINCT retl_list FROM temp.staged_clubs_4e5f6a7b WHERE retl_list IS NOT NULL ORDER BY retl_list;
