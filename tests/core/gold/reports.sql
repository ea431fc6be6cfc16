-- reports 1
SELECT run_id, model, list_id, list_name, counts, reason FROM "reverse_etl_state".main."run_lists" WHERE run_id IN (?, ?) ORDER BY run_id, model, list_name, list_id, reason;
-- with ('r1', 'r2')

-- reports 2
SELECT model, list_id, op, state, COUNT(*), SUM(row_count) FROM "reverse_etl_state".main."receipts" WHERE run_id = ?
GROUP BY model, list_id, op, state ORDER BY model, list_id, op, state;
-- with ('r1',)

-- reports 3
SELECT model, list_id, op, job_id, row_count, state, recorded_at, detail, may_have_duplicate FROM (
  SELECT model, list_id, op, job_id, row_count, state, recorded_at, detail, may_have_duplicate, ROW_NUMBER() OVER (
    PARTITION BY model, list_id, op ORDER BY CASE WHEN state = 'applied' THEN 1 ELSE 0 END, first_seq) AS nth
  FROM "reverse_etl_state".main."receipts" WHERE run_id = ?
) AS c WHERE nth <= 25 ORDER BY model, list_id, op, nth;
-- with ('r1',)

-- reports 4
SELECT model, list_id, identity, recorded_at, COUNT(*) OVER () FROM "reverse_etl_state".main."unmatched_removals" WHERE account_id = ? AND project = ? AND run_id = ?
ORDER BY model, list_id, identity LIMIT 50;
-- with ('acc', 'shop', 'r1')
