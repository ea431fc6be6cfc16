-- count_completed 1
SELECT COUNT(*) FROM temp.completed_changed_3c4d5e6f;
