-- drop_temp_tables 1
DROP TABLE IF EXISTS temp.applied_vip_0a1b2c3d;
