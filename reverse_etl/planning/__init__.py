"""Stage, diff and guard: what a run would send."""
