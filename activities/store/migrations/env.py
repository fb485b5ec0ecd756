"""What Alembic runs: it uses the connection that `migrate` opened and locked."""

from alembic import context

from siklus.activities.store.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table="schema_version",
    compare_type=True,
    compare_server_default=True,
)
with context.begin_transaction():
    context.run_migrations()
