"""Who may read and write what: row-level security, grants, and events that nobody changes."""

from alembic import op

from siklus.activities.store.roles import APP, FEED, require_roles

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# fmt: off
CHANGED = (
    "agency", "unit", "person", "holiday", "policy", "calendar", "request", "cycle", "member",
    "evaluation", "participant", "task", "task_actor", "data_key", "prose", "notice",
)
# fmt: on
APPENDED = ("event",)
READ = ("feed",)

# A sub-select is asked once for a query; the bare function would be asked once for each row.
OWN_AGENCY = "agency = (SELECT current_setting('siklus.agency', true))"


def upgrade() -> None:
    """Raise the walls."""
    require_roles(op.get_bind())
    for table in (*CHANGED, *APPENDED, *READ):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        # Forced, so that the owner meets it too.
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY own_agency ON {table} USING ({OWN_AGENCY}) WITH CHECK ({OWN_AGENCY})"
        )
    op.execute(f"CREATE POLICY every_agency ON feed FOR SELECT TO {FEED} USING (true)")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {', '.join(CHANGED)} TO {APP}")
    op.execute(f"GRANT SELECT, INSERT ON {', '.join(APPENDED)} TO {APP}")
    op.execute(f"GRANT SELECT ON {', '.join(READ)}, schema_version TO {APP}, {FEED}")
    op.execute(
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$"
        " BEGIN RAISE EXCEPTION 'the table % only ever grows', TG_TABLE_NAME"
        " USING ERRCODE = 'insufficient_privilege'; END $$"
    )
    for table in (*APPENDED, *READ):
        op.execute(
            f"CREATE TRIGGER only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    """Take the walls down."""
    op.execute(f"REVOKE ALL ON schema_version FROM {APP}, {FEED}")
    for table in (*APPENDED, *READ):
        op.execute(f"DROP TRIGGER only_grows ON {table}")
    op.execute("DROP FUNCTION refuse_change()")
    op.execute("DROP POLICY every_agency ON feed")
    for table in (*CHANGED, *APPENDED, *READ):
        op.execute(f"REVOKE ALL ON {table} FROM {APP}, {FEED}")
        op.execute(f"DROP POLICY own_agency ON {table}")
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
