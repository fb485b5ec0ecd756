"""Reminders that people bear: how each is told, what waits for the morning, what was repeated."""

from alembic import op

from siklus.activities.store.roles import APP

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

OWN_AGENCY = "agency = (SELECT current_setting('siklus.agency', true))"
TABLE = """
CREATE TABLE notice_preference (
    agency varchar, person varchar,
    channel varchar,
    quiet_from time,
    quiet_until time,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (agency, person)
)
"""
COLUMNS = (
    "due_on date",
    "not_before timestamptz",
    "handed_at timestamptz",
    "failed_since timestamptz",
    "repeats integer NOT NULL DEFAULT 0",
)
# A reminder of an open task is known by its date from now on, so that it is not sent once more.
DATED = """
UPDATE notice SET due_on = task.due_on FROM task
WHERE task.agency = notice.agency AND task.cycle = notice.cycle AND task.person = notice.person
    AND task.segment = notice.segment AND task.task = notice.task
    AND task.opened_at = notice.task_opened_at AND task.due_at = notice.due_at
"""
DROPPED = """
UPDATE notice SET state = 'DROPPED'
WHERE state = 'FAILED' AND last_error_code IN ('TASK_CLOSED', 'READER_INACTIVE')
"""
FAILING = """
UPDATE notice SET failed_since = now()
WHERE state IN ('PLANNED', 'FAILED') AND last_error_code IS NOT NULL
"""
# Whatever was under way may have gone out: it is sent again as the same mail.
HANDED = "UPDATE notice SET handed_at = now() WHERE state = 'PLANNED' AND mail_key IS NOT NULL"
KEYS = (
    "UNIQUE INDEX notice_reminder_key ON notice"
    " (agency, cycle, person, segment, task, task_opened_at, rung, due_on, recipient)"
    " WHERE task IS NOT NULL",
    "UNIQUE INDEX notice_event_key ON notice"
    " (agency, cycle, person, segment, number, kind, recipient) WHERE number IS NOT NULL",
)
INDEXES = (
    "notice_agency_recipient_planned_on_notice_idx ON notice"
    " (agency, recipient, planned_on, notice)",
    "notice_failing_idx ON notice (agency, recipient) WHERE failed_since IS NOT NULL",
    "task_agency_next_remind_on_idx ON task (agency, next_remind_on)",
)
FORMER_KEYS = (
    "UNIQUE INDEX notice_reminder_key ON notice"
    " (agency, cycle, person, segment, task, task_opened_at, rung, recipient, channel)"
    " WHERE task IS NOT NULL",
    "UNIQUE INDEX notice_event_key ON notice"
    " (agency, cycle, person, segment, number, kind, recipient, channel)"
    " WHERE number IS NOT NULL",
)
# Two dates of one rung are one row again: the later one stays.
ONE_OF_A_RUNG = """
DELETE FROM notice AS former USING notice AS later
WHERE later.agency = former.agency AND later.cycle = former.cycle
    AND later.person = former.person AND later.segment = former.segment
    AND later.task = former.task AND later.task_opened_at = former.task_opened_at
    AND later.rung = former.rung AND later.recipient = former.recipient
    AND (later.planned_on, later.notice) > (former.planned_on, former.notice)
"""


def upgrade() -> None:
    """Make the table, the columns and the keys; the owner sees every agency's rows meanwhile."""
    op.execute(TABLE)
    op.execute("ALTER TABLE notice_preference ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE notice_preference FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY own_agency ON notice_preference"
        f" USING ({OWN_AGENCY}) WITH CHECK ({OWN_AGENCY})"
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON notice_preference TO {APP}")
    op.execute("ALTER TABLE task ADD COLUMN due_set_at timestamptz")
    for column in COLUMNS:
        op.execute(f"ALTER TABLE notice ADD COLUMN {column}")
    _as_every_agency(DATED, DROPPED, FAILING, HANDED)
    for index in ("notice_reminder_key", "notice_event_key", "task_agency_zone_next_remind_on_idx"):
        op.execute(f"DROP INDEX {index}")
    for key in (*KEYS, *(f"INDEX {index}" for index in INDEXES)):
        op.execute(f"CREATE {key}")


def downgrade() -> None:
    """Take them away; who was told by another way than mail is as if told by mail."""
    for index in ("notice_reminder_key", "notice_event_key"):
        op.execute(f"DROP INDEX {index}")
    for index in INDEXES:
        op.execute(f"DROP INDEX {index.split()[0]}")
    _as_every_agency(
        ONE_OF_A_RUNG,
        "UPDATE notice SET channel = 'mail'",
        "UPDATE notice SET state = 'FAILED' WHERE state = 'DROPPED'",
    )
    for key in FORMER_KEYS:
        op.execute(f"CREATE {key}")
    op.execute(
        "CREATE INDEX task_agency_zone_next_remind_on_idx ON task (agency, zone, next_remind_on)"
    )
    for column in COLUMNS:
        op.execute(f"ALTER TABLE notice DROP COLUMN {column.split()[0]}")
    op.execute("ALTER TABLE task DROP COLUMN due_set_at")
    op.execute("DROP TABLE notice_preference")


def _as_every_agency(*statements: str) -> None:
    for table in ("notice", "task"):
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    for statement in statements:
        op.execute(statement)
    for table in ("notice", "task"):
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
