"""Published policies and pinned calendars only ever grow: every fold of a history rests on them."""

from alembic import op

from siklus.activities.store.roles import APP

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

PINNED = ("policy", "calendar")


def upgrade() -> None:
    """Take the right to change them, and refuse it to whoever has it still."""
    op.execute(f"REVOKE UPDATE, DELETE ON {', '.join(PINNED)} FROM {APP}")
    for table in PINNED:
        op.execute(
            f"CREATE TRIGGER only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    """Let them be changed again."""
    for table in PINNED:
        op.execute(f"DROP TRIGGER only_grows ON {table}")
    op.execute(f"GRANT UPDATE, DELETE ON {', '.join(PINNED)} TO {APP}")
