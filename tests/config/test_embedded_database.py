"""What each role may do is what the server itself answers."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from kombu import Connection
from psycopg import errors
from psycopg.conninfo import make_conninfo

from config.embedded import DatabaseRoles, EmbeddedPostgres, prepare_database

PASSWORDS = {
    "owner_password": "owner's secret",
    "app_password": "app-secret %@:/?",
    "broker_password": "broker-secret",
}


@dataclass(frozen=True)
class Prepared:
    """A server with a prepared database `assay`."""

    superuser_url: str
    log_file: Path

    def connect(self, role: str, password: str) -> psycopg.Connection:
        return psycopg.connect(
            make_conninfo(self.superuser_url, dbname="assay", user=role, password=password),
            autocommit=True,
        )

    def as_owner(self) -> psycopg.Connection:
        return self.connect("assay_owner", PASSWORDS["owner_password"])

    def as_app(self) -> psycopg.Connection:
        return self.connect("assay_app", PASSWORDS["app_password"])

    def as_broker(self) -> psycopg.Connection:
        return self.connect("assay_broker", PASSWORDS["broker_password"])

    def as_superuser(self, database: str = "assay") -> psycopg.Connection:
        return psycopg.connect(self.superuser_url, dbname=database, autocommit=True)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepared]:
    with EmbeddedPostgres(tmp_path_factory.mktemp("roles") / "data", fast=True) as server:
        prepare_database(server.superuser_url, name="assay", **PASSWORDS)
        yield Prepared(server.superuser_url, server.log_file)


def catalog(prepared: Prepared) -> list[tuple[object, ...]]:
    """Everything that prepare_database decides, as the catalog has it."""
    with prepared.as_superuser() as db:
        return [
            *db.execute(
                "SELECT rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin,"
                " rolreplication, rolbypassrls FROM pg_roles WHERE oid >= 16384 ORDER BY 1"
            ),
            *db.execute("SELECT datname, datdba::regrole::text, datacl::text FROM pg_database"),
            *db.execute(
                "SELECT nspname, nspowner::regrole::text, nspacl::text FROM pg_namespace ORDER BY 1"
            ),
            *db.execute(
                "SELECT oid::regclass::text, relowner::regrole::text, relacl::text FROM pg_class"
                " WHERE oid >= 16384 ORDER BY 1"
            ),
            *db.execute("SELECT extname, extowner::regrole::text FROM pg_extension ORDER BY 1"),
            *db.execute(
                "SELECT roleid::regrole::text, member::regrole::text FROM pg_auth_members"
                " WHERE member >= 16384 ORDER BY 1, 2"
            ),
        ]


def test_prepare_database_makes_three_roles_none_of_them_mighty(prepared: Prepared) -> None:
    with prepared.as_superuser() as db:
        roles = db.execute(
            "SELECT rolname, rolcanlogin, rolinherit, rolcreaterole,"
            " rolsuper OR rolcreatedb OR rolreplication OR rolbypassrls"
            " FROM pg_roles WHERE rolname LIKE 'assay%' ORDER BY 1"
        ).fetchall()

    assert roles == [
        ("assay_app", True, False, False, False),
        ("assay_broker", True, True, False, False),
        ("assay_owner", True, True, True, False),
    ]


def test_prepare_database_twice_changes_nothing_and_keeps_data(prepared: Prepared) -> None:
    with prepared.as_owner() as db:
        db.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    with prepared.as_broker() as db:
        db.execute("SELECT pgmq.create('kept')")
        db.execute("SELECT pgmq.send('kept', '{\"answer\": 42}')")
    before = catalog(prepared)

    prepare_database(prepared.superuser_url, name="assay", **PASSWORDS)

    assert catalog(prepared) == before
    with prepared.as_owner() as db:
        assert db.execute("SELECT answer FROM kept").fetchall() == [(42,)]
    with prepared.as_broker() as db:
        assert db.execute("SELECT message FROM pgmq.pop('kept')").fetchall() == [({"answer": 42},)]


def test_prepare_database_again_replaces_the_passwords(prepared: Prepared) -> None:
    prepare_database(
        prepared.superuser_url, name="assay", **(PASSWORDS | {"app_password": "another"})
    )
    try:
        with prepared.connect("assay_app", "another") as db:
            assert db.execute("SELECT current_user").fetchone() == ("assay_app",)
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            prepared.as_app()
    finally:
        prepare_database(prepared.superuser_url, name="assay", **PASSWORDS)


def test_prepare_database_writes_no_password_to_the_log(prepared: Prepared) -> None:
    with prepared.as_superuser("postgres") as server:
        server.execute("ALTER SYSTEM SET log_statement = 'all'")
        server.execute("SELECT pg_reload_conf()")
    prepare_database(prepared.superuser_url, name="assay", **PASSWORDS)
    with prepared.as_superuser("postgres") as server:
        server.execute("ALTER SYSTEM RESET log_statement")
        server.execute("SELECT pg_reload_conf()")

    log = prepared.log_file.read_text()
    assert 'ALTER ROLE "assay_owner" LOGIN' in log
    assert [password for password in PASSWORDS.values() if password in log] == []


def test_prepare_database_beside_another_with_roles_of_its_own(prepared: Prepared) -> None:
    roles = DatabaseRoles(owner="other_owner", app="other app", broker="other-broker")
    prepare_database(prepared.superuser_url, name="other db", roles=roles, **PASSWORDS)

    with prepared.as_superuser("other db") as db:
        owners = db.execute(
            "SELECT nspname, nspowner::regrole::text FROM pg_namespace"
            " WHERE nspname IN ('public', 'pgmq') ORDER BY 1"
        ).fetchall()
    assert owners == [("pgmq", '"other-broker"'), ("public", "other_owner")]
    with pytest.raises(psycopg.OperationalError, match='permission denied for database "other db"'):
        psycopg.connect(
            prepared.superuser_url,
            dbname="other db",
            user="assay_app",
            password=PASSWORDS["app_password"],
        )


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE public.mine (id int)",
        "CREATE TABLE pgmq.mine (id int)",
        "CREATE SCHEMA mine",
        "CREATE TEMPORARY TABLE mine (id int)",
        "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE EXTENSION hstore",
        "CREATE ROLE mine",
        "CREATE DATABASE mine",
        "SELECT * FROM pgmq.meta",
        "SELECT pgmq.create('mine')",
        "SET ROLE assay_owner",
        "SET ROLE assay_broker",
        "ALTER SCHEMA public OWNER TO assay_app",
        "GRANT assay_owner TO assay_app",
        "SELECT rolpassword FROM pg_authid",
        "SELECT pg_read_file('PG_VERSION')",
        "COPY (SELECT 1) TO PROGRAM 'cat'",
    ],
)
def test_app_role_is_refused(prepared: Prepared, statement: str) -> None:
    with prepared.as_app() as db, pytest.raises(errors.InsufficientPrivilege):
        db.execute(statement)


def test_app_role_owns_nothing_and_reads_only_what_it_is_granted(prepared: Prepared) -> None:
    with prepared.as_owner() as db:
        db.execute("CREATE TABLE ledger AS SELECT 1 AS id")
    with prepared.as_app() as db:
        with pytest.raises(errors.InsufficientPrivilege):
            db.execute("SELECT id FROM ledger")
        with prepared.as_owner() as owner:
            owner.execute("GRANT SELECT ON ledger TO assay_app")
        assert db.execute("SELECT id FROM ledger").fetchall() == [(1,)]
        owned = db.execute(
            "SELECT classid::regclass::text, objid FROM pg_shdepend"
            " WHERE refobjid = 'assay_app'::regrole AND deptype = 'o'"
        ).fetchall()
    assert owned == []


def test_owner_provisions_schemas_roles_and_memberships(prepared: Prepared) -> None:
    with prepared.as_owner() as db:
        db.execute("CREATE SCHEMA org_one")
        db.execute("CREATE TABLE org_one.row AS SELECT 1 AS id")
        db.execute("CREATE ROLE org_one")
        db.execute("GRANT org_one TO assay_app WITH INHERIT FALSE, SET TRUE")
        db.execute("GRANT USAGE ON SCHEMA org_one TO org_one")
        db.execute("GRANT SELECT ON org_one.row TO org_one")

    with prepared.as_app() as db:
        with pytest.raises(errors.InsufficientPrivilege):
            db.execute("SELECT id FROM org_one.row")
        db.execute("SET ROLE org_one")
        assert db.execute("SELECT id FROM org_one.row").fetchall() == [(1,)]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM pgmq.meta",
        "SET ROLE assay_broker",
        "SET ROLE postgres",
        "GRANT postgres TO assay_owner",
        "GRANT assay_broker TO assay_owner",
        "ALTER ROLE assay_owner SUPERUSER",
    ],
)
def test_owner_is_refused(prepared: Prepared, statement: str) -> None:
    with prepared.as_owner() as db, pytest.raises(errors.InsufficientPrivilege):
        db.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE SCHEMA mine",
        "CREATE TABLE public.mine (id int)",
        "CREATE TEMPORARY TABLE mine (id int)",
        "SET ROLE assay_owner",
        "CREATE ROLE mine",
    ],
)
def test_broker_is_refused(prepared: Prepared, statement: str) -> None:
    with prepared.as_broker() as db, pytest.raises(errors.InsufficientPrivilege):
        db.execute(statement)


def test_broker_cannot_read_the_owners_tables(prepared: Prepared) -> None:
    with prepared.as_owner() as db:
        db.execute("CREATE TABLE private AS SELECT 1 AS id")
    with prepared.as_broker() as db, pytest.raises(errors.InsufficientPrivilege):
        db.execute("SELECT id FROM public.private")


def test_broker_owns_the_queues_and_nothing_else(prepared: Prepared) -> None:
    with prepared.as_superuser() as db:
        schemas = db.execute(
            "SELECT DISTINCT relowner::regrole::text, relnamespace::regnamespace::text"
            " FROM pg_class WHERE relowner = 'assay_broker'::regrole"
            " OR relnamespace = 'pgmq'::regnamespace"
        ).fetchall()
    assert {row for row in schemas if row[1] != "pg_toast"} == {("assay_broker", "pgmq")}


def test_broker_carries_messages_for_celery(prepared: Prepared) -> None:
    with prepared.as_broker() as db:
        port = db.info.port
    url = f"pgmq://assay_broker:{PASSWORDS['broker_password']}@127.0.0.1:{port}/assay"
    with Connection(url, transport_options={"init_extension": False}) as connection:
        queue = connection.SimpleQueue("letters")
        queue.put({"greeting": "grüß dich"})
        message = queue.get(timeout=10)
        message.ack()
        queue.close()

    assert message.payload == {"greeting": "grüß dich"}


def test_strangers_cannot_connect(prepared: Prepared) -> None:
    with prepared.as_superuser() as db:
        db.execute("CREATE ROLE stranger LOGIN PASSWORD 'stranger'")
    with pytest.raises(psycopg.OperationalError, match='permission denied for database "assay"'):
        prepared.connect("stranger", "stranger")


def test_extensions_are_there_for_migrations(prepared: Prepared) -> None:
    with prepared.as_owner() as db:
        db.execute("CREATE TABLE titled (title text, tag citext)")
        db.execute("CREATE INDEX ON titled USING gin (title gin_trgm_ops)")
        db.execute(
            "CREATE TABLE booked (room int, period tstzrange,"
            " EXCLUDE USING gist (room WITH =, period WITH &&))"
        )
        found = db.execute("SELECT 'Exam'::citext = 'EXAM'").fetchone()
    assert found == (True,)
