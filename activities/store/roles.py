"""The roles the schema grants to. An operator creates them; Siklus only checks."""

from sqlalchemy import Connection, text

APP = "siklus_app"
"""Services and workers: reads and writes within one agency at a time."""
FEED = "siklus_feed"
"""The watch feed and the doctor: reads the order of events across agencies."""


class RoleNotReady(Exception):  # noqa: N818 - it says what is so
    """A role is missing, or may do what would tear the walls down; the message says which."""


def require_roles(connection: Connection) -> None:
    """Raise `RoleNotReady` unless both roles are there and row-level security binds them.

    It must bind who migrates too: as the owner of what is made, whose functions others call.
    """
    query = text(
        "SELECT rolname, rolsuper OR rolbypassrls FROM pg_roles"
        " WHERE rolname IN (:app, :feed, current_user)"
    )
    found: dict[str, bool] = {
        name: exempt for name, exempt in connection.execute(query, {"app": APP, "feed": FEED})
    }
    for role in (APP, FEED):
        if role not in found:
            raise RoleNotReady(
                f"the role {role} does not exist; as an administrator of the database:"
                f" CREATE ROLE {role} LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD '...'"
            )
    for role, exempt in found.items():
        if exempt:
            raise RoleNotReady(
                f"the role {role} passes row-level security, so it would read every agency;"
                f" as an administrator of the database: ALTER ROLE {role} NOSUPERUSER NOBYPASSRLS"
            )
