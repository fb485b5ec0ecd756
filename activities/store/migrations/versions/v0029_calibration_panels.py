"""Panels of calibrations: their members, the votes, and the operation that a close begins."""

from alembic import op

from siklus.activities.store.roles import APP

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

OWN_AGENCY = "agency = (SELECT current_setting('siklus.agency', true))"


def upgrade() -> None:
    """Add them; a vote is a row of its own, and the newest of a member counts."""
    op.execute("""
        ALTER TABLE calibration
            ADD COLUMN members text[] NOT NULL DEFAULT '{}',
            ADD COLUMN quorum integer NOT NULL DEFAULT 0,
            ADD COLUMN operation varchar
    """)
    for column in ("members", "quorum"):
        op.execute(f"ALTER TABLE calibration ALTER COLUMN {column} DROP DEFAULT")
    op.execute("""
        CREATE TABLE calibration_vote (
            agency varchar, calibration varchar, number integer, vote integer,
            member varchar NOT NULL,
            agreed boolean NOT NULL,
            reason varchar NOT NULL,
            voted_at timestamptz NOT NULL,
            PRIMARY KEY (agency, calibration, number, vote),
            CONSTRAINT calibration_vote_agency_calibration_number_fkey
                FOREIGN KEY (agency, calibration, number)
                REFERENCES calibration_proposal (agency, calibration, number)
        )
    """)
    op.execute("ALTER TABLE calibration_vote ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE calibration_vote FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY own_agency ON calibration_vote"
        f" USING ({OWN_AGENCY}) WITH CHECK ({OWN_AGENCY})"
    )
    op.execute(f"GRANT SELECT, INSERT ON calibration_vote TO {APP}")
    op.execute(f"GRANT UPDATE (operation) ON calibration TO {APP}")


def downgrade() -> None:
    """Drop them; what was decided stays in the proposals."""
    op.execute("DROP TABLE calibration_vote")
    for column in ("members", "quorum", "operation"):
        op.execute(f"ALTER TABLE calibration DROP COLUMN {column}")
