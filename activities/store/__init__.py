"""The record that people read, in PostgreSQL: the only place with SQL."""
