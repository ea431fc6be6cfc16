-- repeat_uncertain_removes 1
UPDATE state.deltas_vip_0a1b2c3d SET retl_op = 'update' WHERE retl_op = 'remove';
