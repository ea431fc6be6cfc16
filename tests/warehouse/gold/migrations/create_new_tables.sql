-- create_new_tables 1

-- create_new_tables 2
