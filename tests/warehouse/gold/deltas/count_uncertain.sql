-- count_uncertain 1
SELECT COUNT(*) FROM state.deltas_vip_0a1b2c3d;
