"""News of what is no event of an evaluation."""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

KEY = (
    "UNIQUE INDEX notice_matter_key ON notice"
    " (agency, cycle, person, segment, matter, kind, recipient) WHERE matter IS NOT NULL"
)


def upgrade() -> None:
    """Let a notice name what it tells of."""
    op.execute("ALTER TABLE notice ADD COLUMN matter varchar")
    op.execute(f"CREATE {KEY}")


def downgrade() -> None:
    """Take the column away; such news would tell of nothing then, and falls away."""
    op.execute("ALTER TABLE notice NO FORCE ROW LEVEL SECURITY")
    op.execute("DELETE FROM notice WHERE matter IS NOT NULL")
    op.execute("ALTER TABLE notice FORCE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE notice DROP COLUMN matter")
