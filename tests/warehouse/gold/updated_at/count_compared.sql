-- count_compared 1
SELECT COUNT(*) FROM temp.compared_changed_3c4d5e6f;
