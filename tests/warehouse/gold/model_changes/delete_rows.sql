-- delete_rows 1
DELETE FROM state.snapshot_friends_7d8e9f0a WHERE retl_list_id = ?;
-- with ('L1',)

-- delete_rows 2
DELETE FROM state.snapshot_friends_7d8e9f0a;
