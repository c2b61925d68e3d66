"""Creates the database, its roles and its queue schema on a server that we may administer."""

from dataclasses import dataclass

import psycopg
from pgmq import install_pgmq_from_sql
from psycopg import sql

EXTENSIONS = ("pg_trgm", "citext", "btree_gist")


@dataclass(frozen=True)
class DatabaseRoles:
    """The three logins of an installation; none of them is a superuser."""

    owner: str = "assay_owner"
    """Owns the database and everything in it; migrates and provisions, in its own process."""
    app: str = "assay_app"
    """What web and worker log in as: owns nothing, holds only what it is granted."""
    broker: str = "assay_broker"
    """Owns the schema of the queues and sees nothing else."""


def prepare_database(
    superuser_url: str,
    *,
    name: str,
    owner_password: str,
    app_password: str,
    broker_password: str,
    roles: DatabaseRoles = DatabaseRoles(),
) -> None:
    """Make the roles, the database and the queues; what is there already stays, with its data.

    Passwords and attributes of the roles are set again each time. Raises psycopg.Error when the
    server refuses.
    """
    with psycopg.connect(superuser_url, autocommit=True) as server:
        _ensure_role(server, roles.owner, owner_password, "CREATEROLE INHERIT")
        _ensure_role(server, roles.app, app_password, "NOCREATEROLE NOINHERIT")
        _ensure_role(server, roles.broker, broker_password, "NOCREATEROLE INHERIT")
        _ensure_database(server, name, roles)
    with psycopg.connect(superuser_url, dbname=name) as database:
        _own_public_schema(database, roles)
        _install_extensions(database)
        _install_queues(database, name, roles)


def _ensure_role(server: psycopg.Connection, role: str, password: str, attributes: str) -> None:
    found = server.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
    # Hashed here, so that no password can reach the server's log.
    verifier = server.pgconn.encrypt_password(
        password.encode(), role.encode(), b"scram-sha-256"
    ).decode()
    server.execute(
        sql.SQL(
            "{verb} ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOREPLICATION NOBYPASSRLS "
            "{attributes} PASSWORD {verifier}"
        ).format(
            verb=sql.SQL("ALTER" if found else "CREATE"),
            role=sql.Identifier(role),
            attributes=sql.SQL(attributes),
            verifier=sql.Literal(verifier),
        )
    )


def _ensure_database(server: psycopg.Connection, name: str, roles: DatabaseRoles) -> None:
    names = {
        "name": sql.Identifier(name),
        "owner": sql.Identifier(roles.owner),
        "app": sql.Identifier(roles.app),
        "broker": sql.Identifier(roles.broker),
    }
    found = server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
    if not found:
        server.execute(
            sql.SQL(
                "CREATE DATABASE {name} OWNER {owner} ENCODING 'UTF8' TEMPLATE template0"
            ).format(**names)
        )
    for statement in (
        "REVOKE ALL ON DATABASE {name} FROM PUBLIC",
        "GRANT CONNECT ON DATABASE {name} TO {app}, {broker}",
    ):
        server.execute(sql.SQL(statement).format(**names))


def _own_public_schema(database: psycopg.Connection, roles: DatabaseRoles) -> None:
    for statement in (
        "ALTER SCHEMA public OWNER TO {owner}",
        "REVOKE ALL ON SCHEMA public FROM PUBLIC",
        "GRANT USAGE ON SCHEMA public TO {app}",
    ):
        database.execute(
            sql.SQL(statement).format(
                owner=sql.Identifier(roles.owner), app=sql.Identifier(roles.app)
            )
        )


def _install_extensions(database: psycopg.Connection) -> None:
    available = database.execute(
        "SELECT name FROM pg_available_extensions WHERE name = ANY(%s)", [list(EXTENSIONS)]
    ).fetchall()
    for (extension,) in available:
        database.execute(
            sql.SQL("CREATE EXTENSION IF NOT EXISTS {} SCHEMA public").format(
                sql.Identifier(extension)
            )
        )


def _install_queues(database: psycopg.Connection, name: str, roles: DatabaseRoles) -> None:
    """Install pgmq's SQL as the broker, once: its script cannot run twice."""
    if database.execute("SELECT to_regnamespace('pgmq') IS NOT NULL").fetchone() == (True,):
        return
    names = {"name": sql.Identifier(name), "broker": sql.Identifier(roles.broker)}

    def execute(statement: str) -> None:
        database.execute(sql.SQL(statement).format(**names))

    execute("CREATE SCHEMA pgmq AUTHORIZATION {broker}")
    # The script's own CREATE SCHEMA IF NOT EXISTS asks for the right before it looks.
    execute("GRANT CREATE ON DATABASE {name} TO {broker}")
    execute("SET LOCAL ROLE {broker}")
    install_pgmq_from_sql(conn=database)
    execute("RESET ROLE")
    execute("REVOKE CREATE ON DATABASE {name} FROM {broker}")
