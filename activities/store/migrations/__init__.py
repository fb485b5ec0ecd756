"""The schema's history, applied by `siklus.activities.store.migrate`."""
