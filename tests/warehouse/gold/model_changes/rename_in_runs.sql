-- rename_in_runs 1
UPDATE state.receipts SET model = ? WHERE model = ? AND run_id IN (SELECT run_id FROM state.runs WHERE account_id = ? AND project = ?);
-- with ('vip', 'old_name', 'acc', 'shop')
