"""What a cycle asks of its cohort, how fast it is launched, and what became of each member."""

from alembic import op

from siklus.activities.store.roles import APP

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

OWN_AGENCY = "agency = (SELECT current_setting('siklus.agency', true))"
CYCLE = (
    "positions text[] NOT NULL DEFAULT '{}'",
    "named integer NOT NULL DEFAULT 0",
    "pace integer NOT NULL DEFAULT 0",
    "closed_at timestamptz",
)
MEMBER = (
    "segment integer NOT NULL DEFAULT 1",
    "from_rating boolean NOT NULL DEFAULT false",
    "added_at timestamptz",
)
TABLE = """
CREATE TABLE cohort_person (
    agency varchar, cycle varchar, person varchar,
    named boolean NOT NULL,
    ground varchar,
    from_rating boolean NOT NULL,
    PRIMARY KEY (agency, cycle, person),
    CONSTRAINT cohort_person_agency_cycle_fkey
        FOREIGN KEY (agency, cycle) REFERENCES cycle (agency, cycle)
)
"""
WAITING = (
    "member_waiting_idx ON member (agency, cycle, person)"
    " WHERE outcome = 'INCLUDED' AND started_at IS NULL"
)
OUTCOME = "member_agency_cycle_outcome_person_idx ON member (agency, cycle, outcome, person)"


def upgrade() -> None:
    """Add them; cycles that are there take everybody in their units, as before."""
    op.execute(f"ALTER TABLE cycle {', '.join(f'ADD COLUMN {each}' for each in CYCLE)}")
    op.execute(f"ALTER TABLE member {', '.join(f'ADD COLUMN {each}' for each in MEMBER)}")
    for index in (WAITING, OUTCOME):
        op.execute(f"CREATE INDEX {index}")
    op.execute(TABLE)
    op.execute("ALTER TABLE cohort_person ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE cohort_person FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY own_agency ON cohort_person USING ({OWN_AGENCY}) WITH CHECK ({OWN_AGENCY})"
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON cohort_person TO {APP}")


def downgrade() -> None:
    """Drop them: cycles that were narrowed take in everybody in their units."""
    op.execute("DROP TABLE cohort_person")
    for name in ("member_agency_cycle_outcome_person_idx", "member_waiting_idx"):
        op.execute(f"DROP INDEX {name}")
    for table, columns in (("member", MEMBER), ("cycle", CYCLE)):
        names = [column.split()[0] for column in columns]
        op.execute(f"ALTER TABLE {table} {', '.join(f'DROP COLUMN {each}' for each in names)}")
