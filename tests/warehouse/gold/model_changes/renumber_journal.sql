-- renumber_journal 1
UPDATE state.journal AS j SET seq = j.seq + SIGN(j.seq) * m.last_seq
FROM (SELECT run_id, MAX(ABS(seq)) AS last_seq FROM state.journal WHERE account_id = ? AND project = ? AND model = ? GROUP BY run_id) AS m
WHERE m.run_id = j.run_id AND j.account_id = ? AND j.project = ? AND j.model = ?;
-- with ('acc', 'shop', 'vip', 'acc', 'shop', 'old_name')
