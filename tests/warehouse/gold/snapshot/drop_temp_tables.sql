-- drop_temp_tables 1
DROP TABLE IF EXISTS temp.taken_vip_0a1b2c3d;
