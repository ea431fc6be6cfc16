-- receipts 1
MERGE INTO state.receipts AS s USING (
  SELECT * FROM (VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?), (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)) AS v (run_id, model, list_id, op, first_seq, last_seq, row_count, state, job_id, recorded_at, detail, may_have_duplicate)
) AS n ON s.run_id = n.run_id AND s.model = n.model AND s.first_seq = n.first_seq
WHEN MATCHED THEN UPDATE SET list_id = n.list_id, op = n.op, last_seq = n.last_seq, row_count = n.row_count, state = n.state, job_id = n.job_id, recorded_at = n.recorded_at, detail = n.detail, may_have_duplicate = n.may_have_duplicate
WHEN NOT MATCHED THEN INSERT (run_id, model, list_id, op, first_seq, last_seq, row_count, state, job_id, recorded_at, detail, may_have_duplicate) VALUES (n.run_id, n.model, n.list_id, n.op, n.first_seq, n.last_seq, n.row_count, n.state, n.job_id, n.recorded_at, n.detail, n.may_have_duplicate);
-- with ('r1', 'vip', 'L1', 'add', 1, 10, 10, 'applied', 'j1', '2026-11-22T12:00:00.000Z', '', False, 'r1', 'vip', 'L1', 'add', 11, 20, 10, 'applied', 'j1', '2026-11-22T12:00:00.000Z', '', False)
INSERT INTO state.row_exceptions VALUES (?, ?, ?, ?, ?, ?, ?);
-- with ('r1', 'vip', 1, 'rejected', 'invalid', 'email', 'No.')
INSERT INTO state.unmatched_removals VALUES (?, ?, ?, ?, ?, ?, ?);
-- with ('acc', 'shop', 'vip', 'L1', 'email:a@example.com', 'r1', '2026-11-22T12:00:00.000Z')
SELECT c.run_id, c.model, c.list_id, c.op, c.first_seq, c.last_seq, c.row_count, c.job_id, c.detail, c.may_have_duplicate, r.klaviyo_time
FROM state.receipts AS c JOIN state.runs AS r ON c.run_id = r.run_id
WHERE r.account_id = ? AND r.project = ? AND c.state = 'accepted' ORDER BY c.run_id, c.model, c.first_seq;
-- with ('acc', 'shop')
SELECT model, list_id, op, state, COUNT(*), SUM(row_count) FROM state.receipts WHERE run_id = ?
GROUP BY model, list_id, op, state ORDER BY model, list_id, op, state;
-- with ('r1',)
SELECT model, list_id, op, job_id, row_count, state, recorded_at, detail, may_have_duplicate FROM (
  SELECT model, list_id, op, job_id, row_count, state, recorded_at, detail, may_have_duplicate, ROW_NUMBER() OVER (
    PARTITION BY model, list_id, op ORDER BY CASE WHEN state = 'applied' THEN 1 ELSE 0 END, first_seq) AS nth
  FROM state.receipts WHERE run_id = ?
) AS c WHERE nth <= 25 ORDER BY model, list_id, op, nth;
-- with ('r1',)
SELECT model, list_id, identity, recorded_at, COUNT(*) OVER () FROM state.unmatched_removals WHERE account_id = ? AND project = ? AND run_id = ? ORDER BY model, list_id, identity LIMIT 50;
-- with ('acc', 'shop', 'r1')
SELECT model, list_id, identity, recorded_at FROM state.unmatched_removals WHERE account_id = ? AND project = ? AND model = ? AND identity IN (?) ORDER BY recorded_at, list_id, identity;
-- with ('acc', 'shop', 'vip', 'email:a@example.com')
SELECT model, list_id, op, job_id, row_count, state, recorded_at, detail, may_have_duplicate FROM state.receipts
WHERE run_id = ? AND model = ? AND first_seq <= ? AND last_seq >= ?
ORDER BY recorded_at DESC, first_seq;
-- with ('r1', 'vip', 3, 3)
SELECT list_id, row_key, source, code, field, detail FROM state.rejections WHERE account_id = ? AND project = ? AND model = ? AND row_key IN (?) AND source = ? ORDER BY list_id, row_key;
-- with ('acc', 'shop', 'vip', 'email:a@example.com', 'klaviyo')
DELETE FROM state.row_exceptions WHERE run_id = ? AND model = ?
AND ABS(seq) NOT IN (SELECT retl_seq FROM state.deltas_vip_0a1b2c3d WHERE retl_run_id = ?);
-- with ('r1', 'vip', 'r1')
