"""Who had whose texts erased, and why."""

from alembic import op

from siklus.activities.store.roles import APP

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

OWN_AGENCY = "agency = (SELECT current_setting('siklus.agency', true))"
TABLE = """
CREATE TABLE erasure (
    agency varchar, person varchar, erasure uuid DEFAULT gen_random_uuid(),
    evaluations integer NOT NULL,
    actor varchar NOT NULL,
    reason varchar NOT NULL,
    erased_at timestamptz NOT NULL,
    PRIMARY KEY (agency, person, erasure)
)
"""


def upgrade() -> None:
    """Make the table: like events, its rows are for good."""
    op.execute(TABLE)
    op.execute("ALTER TABLE erasure ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE erasure FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY own_agency ON erasure USING ({OWN_AGENCY}) WITH CHECK ({OWN_AGENCY})"
    )
    op.execute(f"GRANT SELECT, INSERT ON erasure TO {APP}")
    op.execute(
        "CREATE TRIGGER only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON erasure"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    """Drop it: what was erased stays erased."""
    op.execute("DROP TABLE erasure")
