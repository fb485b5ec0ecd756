"""What organisations were rated, and the calibrations of their units' ratings."""

from alembic import op

from siklus.activities.store.roles import APP

revision = "0015"
down_revision = "0020"
branch_labels = None
depends_on = None

OWN_AGENCY = "agency = (SELECT current_setting('siklus.agency', true))"
TABLES = {
    "organisation_rating": """
        agency varchar, cycle varchar, number integer,
        unit varchar NOT NULL,
        predicate varchar NOT NULL,
        reason varchar NOT NULL,
        set_by varchar NOT NULL,
        set_at timestamptz NOT NULL,
        PRIMARY KEY (agency, cycle, number),
        CONSTRAINT organisation_rating_agency_cycle_fkey
            FOREIGN KEY (agency, cycle) REFERENCES cycle (agency, cycle)
    """,
    "calibration": """
        agency varchar, calibration varchar,
        cycle varchar NOT NULL,
        unit varchar NOT NULL,
        chair varchar NOT NULL,
        state varchar NOT NULL,
        reason varchar NOT NULL,
        opened_by varchar NOT NULL,
        opened_at timestamptz NOT NULL,
        closed_by varchar,
        closed_at timestamptz,
        closing varchar,
        PRIMARY KEY (agency, calibration),
        CONSTRAINT calibration_agency_cycle_fkey
            FOREIGN KEY (agency, cycle) REFERENCES cycle (agency, cycle)
    """,
    "calibration_proposal": """
        agency varchar, calibration varchar, number integer,
        cycle varchar NOT NULL,
        person varchar NOT NULL,
        segment integer NOT NULL,
        before varchar,
        revision integer NOT NULL,
        proposed varchar NOT NULL,
        reason varchar NOT NULL,
        proposed_by varchar NOT NULL,
        proposed_at timestamptz NOT NULL,
        state varchar NOT NULL,
        decided_by varchar,
        decided_at timestamptz,
        decision varchar,
        PRIMARY KEY (agency, calibration, number),
        CONSTRAINT calibration_proposal_agency_calibration_fkey
            FOREIGN KEY (agency, calibration) REFERENCES calibration (agency, calibration)
    """,
}
INDEXES = (
    "INDEX organisation_rating_agency_cycle_unit_number_idx ON organisation_rating"
    " (agency, cycle, unit, number)",
    "INDEX calibration_agency_cycle_opened_at_calibration_idx ON calibration"
    " (agency, cycle, opened_at, calibration)",
    "UNIQUE INDEX calibration_open_idx ON calibration (agency, cycle, unit) WHERE state = 'OPEN'",
    "INDEX calibration_proposal_agency_cycle_person_segment_idx ON calibration_proposal"
    " (agency, cycle, person, segment)",
)


def upgrade() -> None:
    """Make the tables; no row of them ever goes, and what was said stays as it was said."""
    for table, columns in TABLES.items():
        op.execute(f"CREATE TABLE {table} ({columns})")
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY own_agency ON {table} USING ({OWN_AGENCY}) WITH CHECK ({OWN_AGENCY})"
        )
        op.execute(f"GRANT SELECT, INSERT ON {table} TO {APP}")
    for index in INDEXES:
        op.execute(f"CREATE {index}")
    op.execute(f"GRANT UPDATE (state, closed_by, closed_at, closing) ON calibration TO {APP}")
    op.execute(
        f"GRANT UPDATE (state, decided_by, decided_at, decision) ON calibration_proposal TO {APP}"
    )


def downgrade() -> None:
    """Drop them; what was sent back stays in the events."""
    for table in reversed(TABLES):
        op.execute(f"DROP TABLE {table}")
