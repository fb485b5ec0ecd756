"""What colleagues say when they are asked, and notes between employee and supervisor."""

from alembic import op

from siklus.activities.store.roles import APP

revision = "0021"
down_revision = "0015"
branch_labels = None
depends_on = None

TABLES = (
    """
    CREATE TABLE feedback_round (
        agency varchar, round varchar,
        cycle varchar NOT NULL,
        person varchar NOT NULL,
        segment integer NOT NULL,
        grouping varchar NOT NULL,
        anonymous boolean NOT NULL,
        invited integer NOT NULL,
        min_answers integer NOT NULL,
        invited_by varchar NOT NULL,
        closes_at timestamptz NOT NULL,
        closed_at timestamptz,
        PRIMARY KEY (agency, round),
        CONSTRAINT feedback_round_agency_cycle_person_segment_grouping_key
            UNIQUE (agency, cycle, person, segment, grouping)
    )
    """,
    """
    CREATE TABLE feedback_invitation (
        agency varchar, round varchar, invitee varchar,
        answered boolean NOT NULL,
        request_mark varchar,
        PRIMARY KEY (agency, round, invitee)
    )
    """,
    """
    CREATE TABLE feedback_answer (
        agency varchar, answer varchar,
        round varchar NOT NULL,
        score integer NOT NULL,
        week_on date NOT NULL,
        comment varchar,
        author varchar,
        PRIMARY KEY (agency, answer)
    )
    """,
    """
    CREATE TABLE feedback_note (
        agency varchar, note varchar,
        cycle varchar NOT NULL,
        person varchar NOT NULL,
        segment integer NOT NULL,
        kind varchar NOT NULL,
        author varchar NOT NULL,
        other varchar NOT NULL,
        team boolean NOT NULL,
        text varchar NOT NULL,
        written_at timestamptz NOT NULL,
        PRIMARY KEY (agency, note)
    )
    """,
)
INDEXES = (
    "feedback_invitation_agency_invitee_round_idx ON feedback_invitation (agency, invitee, round)",
    "feedback_answer_agency_round_idx ON feedback_answer (agency, round)",
    "feedback_note_agency_cycle_person_segment_written_at_note_idx"
    " ON feedback_note (agency, cycle, person, segment, written_at, note)",
)
GRANTS = {
    "feedback_round": "SELECT, INSERT, UPDATE",
    "feedback_invitation": "SELECT, INSERT, UPDATE",
    # Written anew when the round closes, in another order.
    "feedback_answer": "SELECT, INSERT, DELETE",
    "feedback_note": "SELECT, INSERT",
}
OWN_AGENCY = "agency = (SELECT current_setting('siklus.agency', true))"


def upgrade() -> None:
    """Make them, behind walls."""
    for table in TABLES:
        op.execute(table)
    for index in INDEXES:
        op.execute(f"CREATE INDEX {index}")
    for name, granted in GRANTS.items():
        op.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY own_agency ON {name} USING ({OWN_AGENCY}) WITH CHECK ({OWN_AGENCY})"
        )
        op.execute(f"GRANT {granted} ON {name} TO {APP}")


def downgrade() -> None:
    """Drop them."""
    for name in GRANTS:
        op.execute(f"DROP TABLE {name}")
