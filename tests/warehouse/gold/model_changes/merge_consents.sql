-- merge_consents 1
DELETE FROM state.consents WHERE account_id = ? AND project = ? AND model = ?
AND list_id || '|' || identity IN (SELECT list_id || '|' || identity FROM state.consents WHERE account_id = ? AND project = ? AND model = ?);
-- with ('acc', 'shop', 'old_name', 'acc', 'shop', 'vip')
UPDATE state.consents SET model = ? WHERE account_id = ? AND project = ? AND model = ?;
-- with ('vip', 'acc', 'shop', 'old_name')
