"""What is asked of the store, one file per subject; lists go by key, never by offset."""
