-- delete_uncertain_upserts 1
DELETE FROM state.deltas_vip_0a1b2c3d WHERE retl_op <> 'remove';
