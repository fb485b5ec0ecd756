"""A statement that fails, with all of its transaction, when something does not hold."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the function; the code of its error is Siklus's own."""
    op.execute(
        "CREATE FUNCTION must_agree(agrees boolean) RETURNS void LANGUAGE plpgsql AS $$"
        " BEGIN IF agrees IS NOT TRUE THEN RAISE EXCEPTION 'another history is on record'"
        " USING ERRCODE = 'SK001'; END IF; END $$"
    )


def downgrade() -> None:
    """Drop it."""
    op.execute("DROP FUNCTION must_agree(boolean)")
