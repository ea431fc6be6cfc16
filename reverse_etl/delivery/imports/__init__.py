"""Import profiles, and follow the jobs to their end: rows of profiles and of lists."""
