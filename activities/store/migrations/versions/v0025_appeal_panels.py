"""The panels that were appointed to decide appeals."""

from alembic import op

from siklus.activities.store.roles import APP

revision = "0025"
down_revision = "0023"
branch_labels = None
depends_on = None

OWN_AGENCY = "agency = (SELECT current_setting('siklus.agency', true))"


def upgrade() -> None:
    """Make the table; what was appointed stays as it was said."""
    op.execute(
        """
        CREATE TABLE appeal_panel (
            agency varchar, cycle varchar, number integer,
            unit varchar NOT NULL,
            members text[] NOT NULL,
            reason varchar NOT NULL,
            appointed_by varchar NOT NULL,
            appointed_at timestamptz NOT NULL,
            PRIMARY KEY (agency, cycle, number),
            CONSTRAINT appeal_panel_agency_cycle_fkey
                FOREIGN KEY (agency, cycle) REFERENCES cycle (agency, cycle)
        )
        """
    )
    op.execute("ALTER TABLE appeal_panel ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE appeal_panel FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY own_agency ON appeal_panel USING ({OWN_AGENCY}) WITH CHECK ({OWN_AGENCY})"
    )
    op.execute(f"GRANT SELECT, INSERT ON appeal_panel TO {APP}")
    op.execute(
        "CREATE INDEX appeal_panel_agency_cycle_unit_number_idx ON appeal_panel "
        "(agency, cycle, unit, number)"
    )


def downgrade() -> None:
    """Drop it; who was seated on an appeal stays in the events."""
    op.execute("DROP TABLE appeal_panel")
