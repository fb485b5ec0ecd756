"""What follows from final results, and the plans that it opens."""

from alembic import op

from siklus.activities.store.roles import APP

revision = "0019"
down_revision = "0013"
branch_labels = None
depends_on = None

OWN_AGENCY = "agency = (SELECT current_setting('siklus.agency', true))"
TABLES = {
    "outcome": """
        agency varchar, cycle varchar, person varchar, segment integer,
        revision integer, code varchar,
        kind varchar NOT NULL,
        unit varchar NOT NULL,
        document text NOT NULL,
        drawn_at timestamptz NOT NULL,
        PRIMARY KEY (agency, cycle, person, segment, revision, code)
    """,
    "improvement_plan": """
        agency varchar, cycle varchar, person varchar, segment integer, code varchar,
        state varchar NOT NULL,
        supervisor varchar NOT NULL,
        revision integer NOT NULL,
        document text NOT NULL,
        opened_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        PRIMARY KEY (agency, cycle, person, segment, code)
    """,
}


def upgrade() -> None:
    """Make the tables: what was drawn never changes, a plan does."""
    for table, columns in TABLES.items():
        op.execute(f"CREATE TABLE {table} ({columns})")
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY own_agency ON {table} USING ({OWN_AGENCY}) WITH CHECK ({OWN_AGENCY})"
        )
        op.execute(f"GRANT SELECT, INSERT ON {table} TO {APP}")
    op.execute(
        "GRANT UPDATE (state, supervisor, revision, document, opened_at, updated_at)"
        f" ON improvement_plan TO {APP}"
    )


def downgrade() -> None:
    """Drop them: results and rules stay, from which they can be drawn again; plans are lost."""
    for table in reversed(TABLES):
        op.execute(f"DROP TABLE {table}")
