-- select_upserts 1
SELECT retl_seq, retl_email, retl_phone_e164, "first_name", CAST("spent" AS VARCHAR) AS "spent", "Since", "tags" FROM state.deltas_vip_0a1b2c3d
WHERE retl_run_id = ? AND retl_list_id = ? AND retl_op IN ('add', 'update') AND retl_seq BETWEEN ? AND ? ORDER BY retl_seq;
-- with ('r1', 'L1', 1, 9)
