"""Who uses whose say, by which letter, on which days."""

from alembic import op

from siklus.activities.store.roles import APP

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

OWN_AGENCY = "agency = (SELECT current_setting('siklus.agency', true))"
TABLE = """
CREATE TABLE mandate (
    agency varchar, mandate varchar,
    principal varchar NOT NULL,
    delegate varchar NOT NULL,
    kind varchar NOT NULL,
    letter varchar NOT NULL,
    from_on date NOT NULL,
    to_on date NOT NULL,
    last_on date NOT NULL,
    scope text[] NOT NULL,
    created_at timestamptz NOT NULL,
    created_by varchar NOT NULL,
    ended_at timestamptz,
    ended_by varchar,
    end_reason varchar,
    PRIMARY KEY (agency, mandate)
)
"""
INDEXES = (
    "mandate_agency_delegate_last_on_idx ON mandate (agency, delegate, last_on)",
    "mandate_agency_principal_last_on_idx ON mandate (agency, principal, last_on)",
    "mandate_agency_from_on_mandate_idx ON mandate (agency, from_on, mandate)",
)


def upgrade() -> None:
    """Make the table: of a row its early end alone may be written, and no row ever goes."""
    op.execute(TABLE)
    for index in INDEXES:
        op.execute(f"CREATE INDEX {index}")
    op.execute("ALTER TABLE mandate ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE mandate FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY own_agency ON mandate USING ({OWN_AGENCY}) WITH CHECK ({OWN_AGENCY})"
    )
    op.execute(f"GRANT SELECT, INSERT ON mandate TO {APP}")
    op.execute(f"GRANT UPDATE (last_on, ended_at, ended_by, end_reason) ON mandate TO {APP}")


def downgrade() -> None:
    """Drop it: who acted by which mandate stays in the events."""
    op.execute("DROP TABLE mandate")
