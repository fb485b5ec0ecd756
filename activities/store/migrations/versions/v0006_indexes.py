"""An index for pruning kept answers; one less that nothing asked."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

REQUEST = "request_agency_answered_at_idx ON request (agency, answered_at)"
EVENT = (
    "event_request_idx ON event (agency, cycle, person, segment, request_key)"
    " WHERE request_key IS NOT NULL"
)


def upgrade() -> None:
    """Make the one and drop the other."""
    op.execute(f"CREATE INDEX {REQUEST}")
    op.execute("DROP INDEX event_request_idx")


def downgrade() -> None:
    """The other way round."""
    op.execute(f"CREATE INDEX {EVENT}")
    op.execute("DROP INDEX request_agency_answered_at_idx")
