-- restore_values 1
UPDATE temp.staged_vip_0a1b2c3d AS s SET retl_unchanged = FALSE, retl_left_out = FALSE, "first_name" = CASE WHEN s.retl_left_out THEN k."first_name" ELSE s."first_name" END, "spent" = CASE WHEN s.retl_left_out THEN k."spent" ELSE s."spent" END, "Since" = CASE WHEN s.retl_left_out THEN k."Since" ELSE s."Since" END, "tags" = CASE WHEN s.retl_left_out THEN k."tags" ELSE s."tags" END
FROM state.snapshot_vip_0a1b2c3d AS k
WHERE s.retl_unchanged AND k.retl_list_id = ? AND k.retl_identity = s.retl_identity;
-- with ('L1',)
