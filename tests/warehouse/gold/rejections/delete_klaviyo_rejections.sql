-- delete_klaviyo_rejections 1
DELETE FROM state.rejected_vip_0a1b2c3d;
DELETE FROM state.rejections WHERE account_id = ? AND project = ? AND model = ? AND source = ?;
-- with ('acc', 'shop', 'vip', 'klaviyo')
