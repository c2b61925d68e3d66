"""One embedded PostgreSQL a run: migrated once, copied for each run, cloned for each flow.

The migrated cluster is kept under `var/test-postgres`, named after everything that shapes it, so
that only a change of models, migrations or walls pays for migrating.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import psycopg
from psycopg import sql

from config.embedded import EmbeddedPostgres, prepare_database

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / "var" / "test-postgres"
TEMPLATE = "assay_template"
PASSWORD = "test"

# Both organisations exist in every run; their rows may share ids, their schemas never.
ORG_A = UUID("0a000000-0000-7000-8000-00000000000a")
ORG_B = UUID("0b000000-0000-7000-8000-00000000000b")


@dataclass(frozen=True)
class Server:
    """A running test server."""

    superuser_url: str

    @property
    def port(self) -> int:
        return urlsplit(self.superuser_url).port or 5432

    def url(self, database: str, *, role: str = "assay_app") -> str:
        return f"postgresql://{role}:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def environment(self, database: str) -> dict[str, str]:
        """Return what a process of the project needs to work on this database."""
        return {
            **os.environ,
            "DATABASE_URL": self.url(database),
            "DATABASE_OWNER_URL": self.url(database, role="assay_owner"),
            "BROKER_URL": "pgmq://"
            + self.url(database, role="assay_broker").removeprefix("postgresql://"),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DEVELOPMENT": "1",
        }

    @contextmanager
    def clone(self, name: str, *, template: str = TEMPLATE) -> Iterator[str]:
        """Yield the name of a new database, a copy of the migrated one; it is dropped after."""
        with psycopg.connect(self.superuser_url, autocommit=True) as admin:
            drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            admin.execute(drop)
            admin.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER assay_owner").format(
                    sql.Identifier(name), sql.Identifier(template)
                )
            )
            for role in ("assay_app", "assay_broker"):
                admin.execute(
                    sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(
                        sql.Identifier(name), sql.Identifier(role)
                    )
                )
            try:
                yield name
            finally:
                admin.execute(drop)


def shape() -> str:
    """Return the name of the migrated cluster: a digest of what it is made from."""
    digest = hashlib.sha256(sys.version.encode())
    sources = [
        *ROOT.glob("apps/*/migrations/*.py"),
        *ROOT.glob("apps/*/models.py"),
        *ROOT.glob("apps/*/models/*.py"),
        *ROOT.glob("apps/*/walls.py"),
        *ROOT.glob("config/embedded/*.py"),
        ROOT / "apps/organizations/provisioning.py",
        ROOT / "config/settings.py",
        ROOT / "requirements.txt",
        Path(__file__),
    ]
    for source in sorted(source for source in sources if source.exists()):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def migrated_cluster() -> Path:
    """Return the folder of the migrated cluster, stopped; make it if it is not there."""
    KEPT.mkdir(parents=True, exist_ok=True)
    folder = KEPT / shape()
    with (KEPT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            for old in sorted(KEPT.glob("[0-9a-f]*"), key=lambda path: path.stat().st_mtime)[:-2]:
                shutil.rmtree(old, ignore_errors=True)
            making = KEPT / "making"
            shutil.rmtree(making, ignore_errors=True)
            _make(making)
            making.rename(folder)
    return folder


def _make(folder: Path) -> None:
    with EmbeddedPostgres(folder, fast=True) as postgres:
        server = Server(postgres.superuser_url)
        prepare_database(
            server.superuser_url,
            name=TEMPLATE,
            owner_password=PASSWORD,
            app_password=PASSWORD,
            broker_password=PASSWORD,
        )
        subprocess.run(
            [sys.executable, "-m", "tests.migrate"],
            cwd=ROOT,
            env={**server.environment(TEMPLATE), "ASSAY_OWNER": "1"},
            check=True,
        )


@contextmanager
def running_server(folder: Path) -> Iterator[Server]:
    """Yield a server on a copy of the migrated cluster."""
    shutil.copytree(migrated_cluster(), folder)
    with EmbeddedPostgres(folder, fast=True) as postgres:
        yield Server(postgres.superuser_url)
