-- select_upserts_with_op 1
SELECT retl_seq, retl_op, "coupon", CAST("code" AS VARCHAR) AS "code", "percent" FROM state.deltas_codes_8c9d0e1f
WHERE retl_run_id = ? AND retl_list_id = ? AND retl_op IN ('add', 'update') AND retl_seq BETWEEN ? AND ? ORDER BY retl_seq;
-- with ('r1', '', 1, 8)
