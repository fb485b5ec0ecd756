"""Acts on many evaluations at once, and what became of each."""

from alembic import op

from siklus.activities.store.roles import APP

revision = "0014"
down_revision = "0012"
branch_labels = None
depends_on = None

OWN_AGENCY = "agency = (SELECT current_setting('siklus.agency', true))"
TABLES = {
    "operation": """
        agency varchar, operation varchar,
        cycle varchar,
        command varchar NOT NULL,
        body text NOT NULL,
        selection text NOT NULL,
        asked bytea NOT NULL,
        reason varchar NOT NULL,
        state varchar NOT NULL,
        pace integer NOT NULL,
        total integer NOT NULL,
        created_by varchar,
        created_at timestamptz NOT NULL,
        finished_at timestamptz,
        PRIMARY KEY (agency, operation)
    """,
    "operation_item": """
        agency varchar, operation varchar, cycle varchar, person varchar, segment integer,
        outcome varchar NOT NULL,
        revision integer,
        reason varchar,
        message varchar,
        done_at timestamptz,
        PRIMARY KEY (agency, operation, cycle, person, segment),
        CONSTRAINT operation_item_agency_operation_fkey
            FOREIGN KEY (agency, operation) REFERENCES operation (agency, operation)
    """,
}
INDEXES = (
    "operation_agency_created_at_operation_idx ON operation (agency, created_at, operation)",
    "operation_item_agency_operation_outcome_idx ON operation_item"
    " (agency, operation, outcome, cycle, person, segment)",
)


def upgrade() -> None:
    """Make the tables; no row of them ever goes."""
    for table, columns in TABLES.items():
        op.execute(f"CREATE TABLE {table} ({columns})")
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY own_agency ON {table} USING ({OWN_AGENCY}) WITH CHECK ({OWN_AGENCY})"
        )
        op.execute(f"GRANT SELECT, INSERT ON {table} TO {APP}")
    for index in INDEXES:
        op.execute(f"CREATE INDEX {index}")
    op.execute(f"GRANT UPDATE (state, total, finished_at) ON operation TO {APP}")
    op.execute(
        f"GRANT UPDATE (outcome, revision, reason, message, done_at) ON operation_item TO {APP}"
    )


def downgrade() -> None:
    """Drop them: what was done stays in the events."""
    for table in reversed(TABLES):
        op.execute(f"DROP TABLE {table}")
