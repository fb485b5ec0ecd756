"""Effects: the database, mail, calendars. Idempotent, named after their ports."""
