"""Webhooks: who gets what, and what became of it."""

from alembic import op

from siklus.activities.store.roles import APP, FEED

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TABLES = (
    """
    CREATE TABLE subscription (
        agency varchar, subscription varchar,
        url varchar NOT NULL,
        kinds text[] NOT NULL,
        cycle varchar,
        state varchar NOT NULL,
        created_at timestamptz NOT NULL,
        keyring_key varchar NOT NULL,
        secret bytea NOT NULL,
        old_keyring_key varchar,
        old_secret bytea,
        old_secret_until timestamptz,
        PRIMARY KEY (agency, subscription)
    )
    """,
    """
    CREATE TABLE subscription_turn (
        agency varchar, subscription varchar,
        position bigint NOT NULL,
        due_at timestamptz,
        PRIMARY KEY (agency, subscription),
        CONSTRAINT subscription_turn_agency_subscription_fkey FOREIGN KEY (agency, subscription)
            REFERENCES subscription (agency, subscription)
    )
    """,
    """
    CREATE TABLE delivery (
        agency varchar, subscription varchar, delivery varchar,
        position bigint NOT NULL,
        cycle varchar NOT NULL,
        person varchar NOT NULL,
        segment integer NOT NULL,
        number integer NOT NULL,
        kind varchar NOT NULL,
        recorded_at timestamptz NOT NULL,
        body varchar NOT NULL,
        state varchar NOT NULL,
        attempts integer NOT NULL,
        next_attempt_at timestamptz,
        last_status integer NOT NULL,
        last_error varchar NOT NULL,
        ended_at timestamptz,
        PRIMARY KEY (agency, subscription, delivery),
        CONSTRAINT delivery_agency_subscription_fkey FOREIGN KEY (agency, subscription)
            REFERENCES subscription (agency, subscription)
    )
    """,
)
INDEXES = (
    "delivery_due_idx ON delivery (agency, subscription, next_attempt_at, position)"
    " WHERE state = 'PENDING'",
    "delivery_order_idx ON delivery (agency, subscription, cycle, person, segment, position)"
    " WHERE state = 'PENDING'",
    "delivery_agency_subscription_position_idx ON delivery (agency, subscription, position)",
    "delivery_agency_subscription_state_position_idx"
    " ON delivery (agency, subscription, state, position)",
)
NAMES = ("subscription", "subscription_turn", "delivery")
OWN_AGENCY = "agency = (SELECT current_setting('siklus.agency', true))"


def upgrade() -> None:
    """Make them, behind walls; workers see of every agency whose turn it is and no more."""
    for table in TABLES:
        op.execute(table)
    for index in INDEXES:
        op.execute(f"CREATE INDEX {index}")
    for name in NAMES:
        op.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY own_agency ON {name} USING ({OWN_AGENCY}) WITH CHECK ({OWN_AGENCY})"
        )
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {name} TO {APP}")
    op.execute(f"CREATE POLICY every_agency ON subscription_turn FOR SELECT TO {FEED} USING (true)")
    op.execute(f"GRANT SELECT ON subscription_turn TO {FEED}")


def downgrade() -> None:
    """Drop them."""
    for name in reversed(NAMES):
        op.execute(f"DROP TABLE {name}")
