"""What a workflow task wrote before it was lost steps aside for what was decided instead."""

from alembic import op

from siklus.activities.store.roles import APP

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

OWN_AGENCY = "agency = (SELECT current_setting('siklus.agency', true))"
COLUMNS = (
    "agency, cycle, person, segment, number, kind, occurred_at, recorded_at, actor, principal,"
    " mandate, request_key, command_digest, body, hash, run"
)

TABLE = """
CREATE TABLE superseded (
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
    hash varchar,
    run varchar NOT NULL,
    superseded_at timestamptz NOT NULL,
    PRIMARY KEY (agency, cycle, person, segment, number, hash)
)
"""
GUARD = """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Within `make_way` alone, where somebody else acts as the owner.
    IF TG_OP = 'DELETE' AND TG_TABLE_NAME = 'event'
        AND current_setting('siklus.making_way', true) = 'yes'
        AND current_user <> session_user
        AND current_user = (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID)
    THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'the table % only ever grows', TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$
"""
# A lock of its own: an evaluation that is being opened has no row to lock yet. The later time of
# recording is the later attempt: one that was lost and still writes finds itself overtaken. Another
# run's events were never lost, or that run could not have gone on: they do not make way.
MAKE_WAY = f"""
CREATE FUNCTION make_way(
    of_agency text, of_cycle text, of_person text, of_segment integer, entries json
) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    rival record;
    gone_events integer;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(
        concat_ws('/', of_agency, of_cycle, of_person, of_segment), 0));
    SELECT known.number, known.recorded_at < new.recorded_at AND known.run = new.run AS is_older
        INTO rival
        FROM json_to_recordset(entries)
            AS new (number int, hash text, recorded_at timestamptz, run text)
        JOIN event AS known ON known.agency = of_agency AND known.cycle = of_cycle
            AND known.person = of_person AND known.segment = of_segment
            AND known.number = new.number AND known.hash <> new.hash
        ORDER BY known.number LIMIT 1;
    IF NOT FOUND OR NOT rival.is_older THEN
        RETURN 0;
    END IF;
    PERFORM set_config('siklus.making_way', 'yes', true);
    WITH gone AS (
        DELETE FROM event WHERE agency = of_agency AND cycle = of_cycle AND person = of_person
            AND segment = of_segment AND number >= rival.number
        RETURNING {COLUMNS}
    )
    INSERT INTO superseded ({COLUMNS}, superseded_at) SELECT gone.*, now() FROM gone
    ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS gone_events = ROW_COUNT;
    PERFORM set_config('siklus.making_way', 'no', true);
    DELETE FROM notice WHERE agency = of_agency AND cycle = of_cycle AND person = of_person
        AND segment = of_segment AND number >= rival.number AND state = 'PLANNED';
    UPDATE evaluation SET revision = rival.number - 1 WHERE agency = of_agency
        AND cycle = of_cycle AND person = of_person AND segment = of_segment;
    RETURN gone_events;
END $$
"""  # noqa: S608 - constants alone
SIGNATURE = "make_way(text, text, text, integer, json)"
FORMER_GUARD = (
    "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$"
    " BEGIN RAISE EXCEPTION 'the table % only ever grows', TG_TABLE_NAME"
    " USING ERRCODE = 'insufficient_privilege'; END $$"
)


def upgrade() -> None:
    """Make the table aside, and the one door through which events reach it."""
    op.execute("ALTER TABLE event ADD COLUMN run varchar NOT NULL DEFAULT ''")
    op.execute("ALTER TABLE event ALTER COLUMN run DROP DEFAULT")
    op.execute(TABLE)
    op.execute("ALTER TABLE superseded ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE superseded FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY own_agency ON superseded USING ({OWN_AGENCY}) WITH CHECK ({OWN_AGENCY})"
    )
    op.execute(f"GRANT SELECT ON superseded TO {APP}")
    op.execute(
        "CREATE TRIGGER only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON superseded"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute(GUARD)
    op.execute(MAKE_WAY)
    op.execute(f"REVOKE ALL ON FUNCTION {SIGNATURE} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {SIGNATURE} TO {APP}")


def downgrade() -> None:
    """Close the door; what stepped aside is dropped."""
    op.execute(f"DROP FUNCTION {SIGNATURE}")
    op.execute(FORMER_GUARD)
    op.execute("DROP TABLE superseded")
    op.execute("ALTER TABLE event DROP COLUMN run")
