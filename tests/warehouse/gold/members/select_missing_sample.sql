-- select_missing_sample 1
SELECT retl_identity FROM temp.missing_vip_0a1b2c3d ORDER BY retl_identity LIMIT 3;
