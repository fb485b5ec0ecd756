"""Changes of the roster with effect dates, what each did to evaluations, and days of leave."""

from alembic import op

from siklus.activities.store.roles import APP

revision = "0013"
down_revision = "0014"
branch_labels = None
depends_on = None

OWN_AGENCY = "agency = (SELECT current_setting('siklus.agency', true))"
CHANGE = """
CREATE TABLE roster_change (
    agency varchar, change varchar,
    person varchar NOT NULL,
    kind varchar NOT NULL,
    effective_on date NOT NULL,
    facts jsonb NOT NULL,
    reason varchar NOT NULL,
    state varchar NOT NULL,
    created_at timestamptz NOT NULL,
    created_by varchar NOT NULL,
    applied_at timestamptz,
    problem varchar,
    PRIMARY KEY (agency, change)
)
"""
EFFECT = """
CREATE TABLE roster_change_effect (
    agency varchar, change varchar, cycle varchar, person varchar, segment integer,
    command varchar NOT NULL,
    outcome varchar NOT NULL,
    reason varchar,
    settled_at timestamptz,
    PRIMARY KEY (agency, change, cycle, person, segment),
    FOREIGN KEY (agency, change) REFERENCES roster_change (agency, change)
)
"""
LEAVE = """
CREATE TABLE person_leave (
    agency varchar, person varchar, from_on date,
    to_on date NOT NULL,
    kind varchar NOT NULL,
    change varchar NOT NULL,
    PRIMARY KEY (agency, person, from_on)
)
"""
TABLES = {"roster_change": CHANGE, "roster_change_effect": EFFECT, "person_leave": LEAVE}
INDEXES = (
    "roster_change_agency_effective_on_change_idx ON roster_change (agency, effective_on, change)",
    "roster_change_agency_person_effective_on_idx ON roster_change (agency, person, effective_on)",
    "roster_change_open_idx ON roster_change (agency, effective_on)"
    " WHERE state IN ('PLANNED', 'APPLYING')",
    "roster_change_effect_waiting_idx ON roster_change_effect"
    " (agency, change, cycle, person, segment) WHERE outcome = 'WAITING'",
    "person_agency_gone_idx ON person (agency, person) WHERE NOT active",
)


def upgrade() -> None:
    """Make the tables: of a change its state alone may be written, and no row of it ever goes."""
    for name, table in TABLES.items():
        op.execute(table)
        op.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY own_agency ON {name} USING ({OWN_AGENCY}) WITH CHECK ({OWN_AGENCY})"
        )
        op.execute(f"GRANT SELECT, INSERT ON {name} TO {APP}")
    for index in INDEXES:
        op.execute(f"CREATE INDEX {index}")
    op.execute(f"GRANT UPDATE (state, applied_at, problem) ON roster_change TO {APP}")
    op.execute(f"GRANT UPDATE (outcome, reason, settled_at) ON roster_change_effect TO {APP}")
    op.execute(f"GRANT UPDATE (to_on, kind, change) ON person_leave TO {APP}")
    op.execute(f"GRANT DELETE ON person_leave TO {APP}")


def downgrade() -> None:
    """Drop them: what became of evaluations stays in their events."""
    op.execute("DROP INDEX person_agency_gone_idx")
    for name in reversed(TABLES):
        op.execute(f"DROP TABLE {name}")
