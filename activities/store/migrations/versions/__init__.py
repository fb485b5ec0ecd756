"""One file per step, in one line without branches."""
