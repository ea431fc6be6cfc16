-- delete_changed_rejections 1
DELETE FROM state.rejected_vip_0a1b2c3d AS retl_r WHERE NOT EXISTS (
  SELECT 1 FROM temp.staged_vip_0a1b2c3d AS s JOIN temp.lists_vip_0a1b2c3d AS l ON s.retl_list = l.retl_list
  WHERE s.retl_problem = 'still_rejected' AND s.retl_identity = retl_r.retl_identity AND l.retl_list_id = retl_r.retl_list_id);
DELETE FROM state.rejections AS retl_x WHERE account_id = ? AND project = ? AND model = ? AND source = 'klaviyo' AND NOT EXISTS (
  SELECT 1 FROM state.rejected_vip_0a1b2c3d AS r WHERE r.retl_list_id = retl_x.list_id AND r.retl_identity = retl_x.row_key);
-- with ('acc', 'shop', 'vip')
