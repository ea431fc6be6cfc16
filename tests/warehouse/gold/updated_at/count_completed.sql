-- count_completed 1
SELECT COUNT(*) FROM temp.completed_changed_3c4d5e6f;

-- count_completed 2
SELECT COUNT(*) FROM temp.completed_equal_0a1b2c3d;
