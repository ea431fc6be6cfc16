-- drop_table 1
DROP TABLE IF EXISTS state.snapshot_friends_7d8e9f0a;
