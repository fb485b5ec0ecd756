"""Why a citizen's comment is shown or hidden is sealed, with the texts about the person.

No key is at hand here: reasons in plain text are sealed by the next upkeep, and are read as before
until then. Answers that hold one are forgotten; the same request again moderates again, to the same
end.
"""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for digests."""
    op.execute("ALTER TABLE contact_rating ADD COLUMN moderated_because varchar")
    op.execute(
        "CREATE INDEX contact_rating_plain_idx ON contact_rating (agency)"
        " WHERE moderation_reason IS NOT NULL"
    )
    op.execute("ALTER TABLE request NO FORCE ROW LEVEL SECURITY")
    op.execute("DELETE FROM request WHERE method = 'ModerateComment'")
    op.execute("ALTER TABLE request FORCE ROW LEVEL SECURITY")


def downgrade() -> None:
    """Drop the digests; what is sealed stays sealed, and no reason leads to it."""
    op.execute("DROP INDEX contact_rating_plain_idx")
    op.execute("ALTER TABLE contact_rating DROP COLUMN moderated_because")
