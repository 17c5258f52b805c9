"""The loop over cells: executors, scheduling, run folders."""
