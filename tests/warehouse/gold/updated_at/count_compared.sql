-- count_compared 1
SELECT COUNT(*) FROM temp.compared_changed_3c4d5e6f;

-- count_compared 2
SELECT COUNT(*) FROM temp.compared_equal_0a1b2c3d;
