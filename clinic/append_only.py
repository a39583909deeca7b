"""Tables that only grow: the database itself refuses to change what was written.

SQLite forgets triggers when Django rebuilds a table, so they are put back after every migration,
and `check --database default` looks for them.
"""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Tags, Warning, register
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.signals import post_migrate

_tables: list[str] = []

_POSTGRESQL_FUNCTION = """
    CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$
"""
_POSTGRESQL_TRIGGER = """
    CREATE OR REPLACE TRIGGER {table}_no_{act} BEFORE {act} ON {table}
    FOR EACH {each} EXECUTE FUNCTION refuse_change()
"""
_SQLITE_TRIGGER = """
    CREATE TRIGGER IF NOT EXISTS {table}_no_{act} BEFORE {act} ON {table}
    BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END
"""
_ACTS = {"sqlite": ("update", "delete"), "postgresql": ("update", "delete", "truncate")}


def protect(table: str, config: AppConfig) -> None:
    """Make `table` append-only. For the `ready` of the app that owns it."""
    _tables.append(table)
    post_migrate.connect(_put_back, sender=config, dispatch_uid=f"append-only {table}")


def tables() -> tuple[str, ...]:
    return tuple(_tables)


def triggers(table: str, vendor: str) -> list[str]:
    """The names of the triggers that guard `table`."""
    return [f"{table}_no_{act}" for act in _ACTS[vendor]]


def missing(connection: BaseDatabaseWrapper) -> list[str]:
    """Tables that stand in this database without all their triggers."""
    standing = set(connection.introspection.table_names())
    return [table for table in _tables if table in standing and not _guarded(connection, table)]


def _put_back(using: str, **kwargs: Any) -> None:
    connection = connections[using]
    for table in missing(connection):
        with connection.cursor() as cursor:
            for statement in _statements(connection.vendor, table):
                cursor.execute(statement)


def _statements(vendor: str, table: str) -> Sequence[str]:
    if vendor == "sqlite":
        return [_SQLITE_TRIGGER.format(table=table, act=act) for act in _ACTS[vendor]]
    each = {"update": "ROW", "delete": "ROW", "truncate": "STATEMENT"}
    return [
        _POSTGRESQL_FUNCTION,
        *(
            _POSTGRESQL_TRIGGER.format(table=table, act=act, each=each[act])
            for act in _ACTS[vendor]
        ),
    ]


def _guarded(connection: BaseDatabaseWrapper, table: str) -> bool:
    if connection.vendor == "sqlite":
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s"
    else:
        query = "SELECT tgname FROM pg_trigger WHERE tgrelid = to_regclass(%s) AND tgenabled <> 'D'"
    with connection.cursor() as cursor:
        cursor.execute(query, [table])
        found = {name for (name,) in cursor.fetchall()}
    return set(triggers(table, connection.vendor)) <= found


@register(Tags.database)
def append_only_tables_are_guarded(
    databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """A warning, not an error: `migrate` runs this check too, and is what heals it."""
    return [
        Warning(
            f"{table} can be changed: its append-only triggers are missing",
            hint="Run `manage.py migrate`.",
            id="clinic.W001",
        )
        for alias in databases or ()
        for table in missing(connections[alias])
    ]
