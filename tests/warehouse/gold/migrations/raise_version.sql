-- raise_version 1
UPDATE state.meta SET version = 4, migrating_to = NULL;
