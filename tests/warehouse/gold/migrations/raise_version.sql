-- raise_version 1
UPDATE state.meta SET version = 6, migrating_to = NULL;
