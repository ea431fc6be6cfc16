-- select_upserts_with_uncertainty 1
SELECT retl_seq, retl_uncertain, retl_email, "unique_id", "time", "metric" FROM state.deltas_orders_2a3b4c5d
WHERE retl_run_id = ? AND retl_list_id = ? AND retl_op IN ('add', 'update') AND retl_seq BETWEEN ? AND ? ORDER BY retl_seq;
-- with ('r1', '', 1, 8)
