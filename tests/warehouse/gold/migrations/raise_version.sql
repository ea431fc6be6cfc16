-- raise_version 1
UPDATE state.meta SET version = 2, migrating_to = NULL;
