"""The tables of rosters, rules, cycles, evaluations, tasks, texts and notices."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# In the order they depend on each other.
TABLES = """
CREATE TABLE agency (
    agency varchar PRIMARY KEY,
    name varchar NOT NULL,
    created_at timestamptz NOT NULL
);

CREATE TABLE unit (
    agency varchar, code varchar,
    name varchar NOT NULL,
    parent varchar,
    zone varchar NOT NULL,
    weekdays integer[] NOT NULL,
    approver varchar,
    PRIMARY KEY (agency, code)
);

CREATE TABLE person (
    agency varchar, person varchar,
    nip varchar NOT NULL,
    name varchar NOT NULL,
    email varchar NOT NULL,
    unit varchar NOT NULL,
    position varchar NOT NULL,
    supervisor varchar,
    top boolean NOT NULL,
    language varchar NOT NULL,
    joined_on date,
    ref varchar,
    active boolean NOT NULL,
    PRIMARY KEY (agency, person),
    UNIQUE (agency, nip),
    UNIQUE (agency, ref),
    FOREIGN KEY (agency, unit) REFERENCES unit (agency, code)
);
CREATE INDEX person_agency_unit_person_idx ON person (agency, unit, person);
CREATE INDEX person_agency_supervisor_person_idx ON person (agency, supervisor, person);

CREATE TABLE holiday (
    agency varchar, unit varchar, day_on date, name varchar,
    PRIMARY KEY (agency, unit, day_on, name)
);

CREATE TABLE policy (
    agency varchar, name varchar, version integer,
    source varchar NOT NULL,
    compiled jsonb NOT NULL,
    digest varchar NOT NULL,
    published_at timestamptz NOT NULL,
    published_by varchar NOT NULL,
    PRIMARY KEY (agency, name, version)
);

CREATE TABLE calendar (
    agency varchar, digest varchar,
    snapshot jsonb NOT NULL,
    PRIMARY KEY (agency, digest)
);

CREATE TABLE request (
    agency varchar, principal varchar, method varchar, request_id varchar,
    body_digest varchar NOT NULL,
    response bytea NOT NULL,
    answered_at timestamptz NOT NULL,
    PRIMARY KEY (agency, principal, method, request_id)
);

CREATE TABLE cycle (
    agency varchar, cycle varchar,
    title varchar NOT NULL,
    year integer NOT NULL,
    policy varchar NOT NULL,
    policy_version integer NOT NULL,
    units text[] NOT NULL,
    top_rater varchar,
    state varchar NOT NULL,
    created_at timestamptz NOT NULL,
    launched_at timestamptz,
    PRIMARY KEY (agency, cycle),
    FOREIGN KEY (agency, policy, policy_version) REFERENCES policy (agency, name, version)
);

CREATE TABLE member (
    agency varchar, cycle varchar, person varchar,
    outcome varchar NOT NULL,
    reason varchar,
    started_at timestamptz,
    PRIMARY KEY (agency, cycle, person),
    FOREIGN KEY (agency, cycle) REFERENCES cycle (agency, cycle)
);

CREATE TABLE evaluation (
    agency varchar, cycle varchar, person varchar, segment integer,
    unit varchar NOT NULL,
    supervisor varchar NOT NULL,
    participants text[] NOT NULL,
    stage varchar NOT NULL,
    revision integer NOT NULL,
    predicate varchar,
    policy varchar NOT NULL,
    policy_version integer NOT NULL,
    zone varchar NOT NULL,
    next_due_at timestamptz,
    ended boolean NOT NULL,
    opened_at timestamptz,
    updated_at timestamptz NOT NULL,
    document varchar NOT NULL,
    PRIMARY KEY (agency, cycle, person, segment)
);
CREATE INDEX evaluation_agency_person_cycle_segment_idx
    ON evaluation (agency, person, cycle, segment);
CREATE INDEX evaluation_agency_supervisor_cycle_person_segment_idx
    ON evaluation (agency, supervisor, cycle, person, segment);
CREATE INDEX evaluation_agency_unit_cycle_person_segment_idx
    ON evaluation (agency, unit, cycle, person, segment);
CREATE INDEX evaluation_agency_stage_cycle_person_segment_idx
    ON evaluation (agency, stage, cycle, person, segment);
CREATE INDEX evaluation_agency_cycle_stage_unit_next_due_at_idx
    ON evaluation (agency, cycle, stage, unit, next_due_at);
CREATE INDEX evaluation_overdue_idx
    ON evaluation (agency, next_due_at, cycle, person, segment) WHERE next_due_at IS NOT NULL;

CREATE TABLE participant (
    agency varchar, participant varchar, cycle varchar, person varchar, segment integer,
    PRIMARY KEY (agency, participant, cycle, person, segment)
);

CREATE TABLE event (
    agency varchar, cycle varchar, person varchar, segment integer, number integer,
    kind varchar NOT NULL,
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    actor varchar NOT NULL,
    principal varchar,
    mandate varchar,
    request_key varchar,
    command_digest varchar,
    body varchar NOT NULL,
    hash varchar NOT NULL,
    PRIMARY KEY (agency, cycle, person, segment, number)
);
CREATE INDEX event_request_idx ON event (agency, cycle, person, segment, request_key)
    WHERE request_key IS NOT NULL;

CREATE TABLE feed (
    agency varchar NOT NULL,
    position bigint PRIMARY KEY,
    cycle varchar NOT NULL,
    person varchar NOT NULL,
    segment integer NOT NULL,
    number integer NOT NULL,
    UNIQUE (agency, cycle, person, segment, number)
);

CREATE TABLE task (
    agency varchar, cycle varchar, person varchar, segment integer, task varchar,
    kind varchar NOT NULL,
    number integer NOT NULL,
    unit varchar NOT NULL,
    zone varchar NOT NULL,
    holder varchar,
    may_act text[] NOT NULL,
    opened_at timestamptz NOT NULL,
    due_at timestamptz,
    due_on date,
    rule varchar,
    flagged boolean NOT NULL,
    rungs integer[] NOT NULL,
    remind_on date[] NOT NULL,
    next_remind_on date,
    PRIMARY KEY (agency, cycle, person, segment, task)
);
CREATE INDEX task_agency_zone_next_remind_on_idx ON task (agency, zone, next_remind_on);

CREATE TABLE task_actor (
    agency varchar, actor varchar, due_at timestamptz,
    cycle varchar, person varchar, segment integer, task varchar,
    kind varchar NOT NULL,
    PRIMARY KEY (agency, actor, due_at, cycle, person, segment, task)
);
CREATE INDEX task_actor_evaluation_idx ON task_actor (agency, cycle, person, segment, task);

CREATE TABLE data_key (
    agency varchar, cycle varchar, person varchar, segment integer,
    id varchar NOT NULL,
    keyring_key varchar NOT NULL,
    wrapped bytea NOT NULL,
    PRIMARY KEY (agency, cycle, person, segment)
);

CREATE TABLE prose (
    agency varchar, cycle varchar, person varchar, segment integer, digest varchar,
    data_key varchar NOT NULL,
    nonce bytea NOT NULL,
    ciphertext bytea NOT NULL,
    PRIMARY KEY (agency, cycle, person, segment, digest)
);

CREATE TABLE notice (
    agency varchar, notice uuid DEFAULT gen_random_uuid(),
    kind varchar NOT NULL,
    recipient varchar NOT NULL,
    cycle varchar NOT NULL,
    person varchar NOT NULL,
    segment integer NOT NULL,
    task varchar,
    task_opened_at timestamptz,
    rung integer,
    number integer,
    due_at timestamptz,
    channel varchar NOT NULL,
    planned_on date NOT NULL,
    state varchar NOT NULL,
    attempts integer NOT NULL,
    held_until timestamptz,
    sent_at timestamptz,
    mail_key varchar,
    last_error_code varchar,
    PRIMARY KEY (agency, notice)
);
CREATE UNIQUE INDEX notice_reminder_key ON notice
    (agency, cycle, person, segment, task, task_opened_at, rung, recipient, channel)
    WHERE task IS NOT NULL;
CREATE UNIQUE INDEX notice_event_key ON notice
    (agency, cycle, person, segment, number, kind, recipient, channel)
    WHERE number IS NOT NULL;
CREATE INDEX notice_planned_idx ON notice (agency, recipient, notice) WHERE state = 'PLANNED';
"""

NAMES = (
    "notice, prose, data_key, task_actor, task, feed, event, participant, evaluation, member,"
    " cycle, request, calendar, policy, holiday, person, unit, agency"
)


def upgrade() -> None:
    """Make the tables."""
    op.execute(TABLES)


def downgrade() -> None:
    """Drop them with everything in them."""
    op.execute(f"DROP TABLE {NAMES}")
