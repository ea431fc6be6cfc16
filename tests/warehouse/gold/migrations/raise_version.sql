-- raise_version 1
UPDATE state.meta SET version = 5, migrating_to = NULL;
