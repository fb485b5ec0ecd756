"""Rows of feedback may be written anew, and what was closed before this is closed once more."""

from alembic import op

from siklus.activities.store.roles import APP

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

INDEXES = (
    "service_ticket_linked_idx ON service_ticket (agency, used_on)"
    " WHERE request_digest IS NOT NULL",
    "contact_rating_agency_rated_on_idx ON contact_rating (agency, rated_on)",
    "feedback_round_open_idx ON feedback_round (agency, closes_at) WHERE closed_at IS NULL",
)
REWRITTEN = ("contact_rating", "feedback_invitation")


def upgrade() -> None:
    """Let them; the next upkeep closes the old rounds again, their texts too this time."""
    for index in INDEXES:
        op.execute(f"CREATE INDEX {index}")
    for name in REWRITTEN:
        op.execute(f"GRANT DELETE ON {name} TO {APP}")
    op.execute("ALTER TABLE feedback_round NO FORCE ROW LEVEL SECURITY")
    op.execute("UPDATE feedback_round SET closed_at = NULL")
    op.execute("ALTER TABLE feedback_round FORCE ROW LEVEL SECURITY")


def downgrade() -> None:
    """Take it back; what was written anew stays so."""
    for name in REWRITTEN:
        op.execute(f"REVOKE DELETE ON {name} FROM {APP}")
    for index in INDEXES:
        op.execute(f"DROP INDEX {index.split()[0]}")
