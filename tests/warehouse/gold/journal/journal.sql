-- journal 1
INSERT INTO state.row_outcomes VALUES (?, ?, ?, ?, ?);
-- with ('r1', 'vip', 1, 3, 'replaced')
SELECT run_id, model, list_id, op, outcome, code, recorded_at, pii, changes FROM state.journal
WHERE account_id = ? AND project = ? AND model IN (?) AND (email IN (?, ?))
ORDER BY recorded_at DESC, run_id DESC, model, list_id, seq LIMIT 20;
-- with ('acc', 'shop', 'vip', 'a@example.com', 'daa460ae3bda82b8bdd054b9d369d07f00f5e172978c194c2fdcaea1ca53d0ed')
