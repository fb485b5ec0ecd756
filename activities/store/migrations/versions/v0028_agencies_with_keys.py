"""Who rotates keys learns which agencies keep texts: citizens may have spoken before any record."""

from alembic import op

from siklus.activities.store.roles import FEED

revision = "0028"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Show `siklus_feed` whose data keys there are, and nothing else of them."""
    op.execute(f"CREATE POLICY every_agency ON data_key FOR SELECT TO {FEED} USING (true)")
    op.execute(f"GRANT SELECT (agency) ON data_key TO {FEED}")


def downgrade() -> None:
    """Hide it again."""
    op.execute(f"REVOKE SELECT (agency) ON data_key FROM {FEED}")  # noqa: S608 - constants alone
    op.execute("DROP POLICY every_agency ON data_key")
