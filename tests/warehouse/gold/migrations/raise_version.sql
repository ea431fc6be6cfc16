-- raise_version 1
UPDATE state.meta SET version = 3, migrating_to = NULL;
