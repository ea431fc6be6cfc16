-- by_list 1
SELECT model, list_id, source, code, field, MODE(detail), SUM(row_count), MIN(CASE WHEN row_key NOT LIKE 'row:%' THEN row_key END), SUM(CASE WHEN first_run_id = ? THEN row_count ELSE 0 END)
FROM state.rejections WHERE account_id = ? AND project = ?
GROUP BY model, list_id, source, code, field ORDER BY model, list_id, source, code, field;
-- with ('r1', 'acc', 'shop')
