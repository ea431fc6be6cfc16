-- replace_check_rejections 1
DELETE FROM state.rejections WHERE account_id = ? AND project = ? AND model = ? AND source = 'check';
-- with ('acc', 'shop', 'vip')
INSERT INTO state.rejections
SELECT ?, ?, ?, list_id, row_key, 'check', code, '', detail, first_run_id, row_count
FROM temp.checks_vip_0a1b2c3d;
-- with ('acc', 'shop', 'vip')
