"""Citizens' tickets, and what they say of service contacts."""

from alembic import op

from siklus.activities.store.roles import APP

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

TABLES = (
    """
    CREATE TABLE service_ticket (
        agency varchar, hash varchar,
        reference varchar NOT NULL,
        person varchar NOT NULL,
        unit varchar NOT NULL,
        service varchar NOT NULL,
        served_on date NOT NULL,
        issued_by varchar NOT NULL,
        issued_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        used_on date,
        request_digest varchar,
        PRIMARY KEY (agency, hash),
        UNIQUE (agency, reference)
    )
    """,
    """
    CREATE TABLE contact_rating (
        agency varchar, rating varchar,
        person varchar NOT NULL,
        unit varchar NOT NULL,
        service varchar NOT NULL,
        served_on date NOT NULL,
        score integer NOT NULL,
        rated_on date NOT NULL,
        comment varchar,
        comment_state varchar,
        moderated_by varchar,
        moderated_at timestamptz,
        moderation_reason varchar,
        PRIMARY KEY (agency, rating)
    )
    """,
)
INDEXES = (
    "contact_rating_agency_person_served_on_idx ON contact_rating (agency, person, served_on)",
    "contact_rating_comments_idx ON contact_rating (agency, rated_on, rating)"
    " WHERE comment IS NOT NULL",
)
NAMES = ("service_ticket", "contact_rating")
OWN_AGENCY = "agency = (SELECT current_setting('siklus.agency', true))"


def upgrade() -> None:
    """Make them, behind walls; nothing of them is ever deleted."""
    for table in TABLES:
        op.execute(table)
    for index in INDEXES:
        op.execute(f"CREATE INDEX {index}")
    for name in NAMES:
        op.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY own_agency ON {name} USING ({OWN_AGENCY}) WITH CHECK ({OWN_AGENCY})"
        )
        op.execute(f"GRANT SELECT, INSERT, UPDATE ON {name} TO {APP}")


def downgrade() -> None:
    """Drop them."""
    for name in NAMES:
        op.execute(f"DROP TABLE {name}")
