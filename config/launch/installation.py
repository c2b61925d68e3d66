"""One installation on this machine: its folder, its secrets, its database, its environment."""

import base64
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from config.embedded import (
    DatabaseRoles,
    EmbeddedPostgres,
    prepare_database,
    running_server,
)
from config.embedded.cluster import CLUSTER, answers
from config.launch.console import LaunchError, say

PROJECT = Path(__file__).resolve().parent.parent.parent
DATABASE = "assay"
ROLES = DatabaseRoles()

# Whoever brings a database of their own brings all of it.
EXTERNAL = ("DATABASE_URL", "DATABASE_OWNER_URL", "BROKER_URL")

SECRETS: dict[str, Callable[[], str]] = {
    "SECRET_KEY": lambda: secrets.token_urlsafe(48),
    "ASSAY_KEY": lambda: base64.b64encode(secrets.token_bytes(32)).decode(),
    "ASSAY_OWNER_PASSWORD": lambda: secrets.token_urlsafe(24),
    "ASSAY_APP_PASSWORD": lambda: secrets.token_urlsafe(24),
    "ASSAY_BROKER_PASSWORD": lambda: secrets.token_urlsafe(24),
}


@dataclass(frozen=True)
class Running:
    """An installation whose database runs; `server` is the embedded one that was started for it."""

    environment: dict[str, str]
    server: EmbeddedPostgres | None = None


@dataclass(frozen=True)
class Installation:
    """Where everything of one installation lies; by default `var/` of the project."""

    folder: Path

    @classmethod
    def here(cls) -> "Installation":
        """Return the installation of this checkout, or the one that ASSAY_VAR names."""
        return cls(Path(os.environ.get("ASSAY_VAR") or PROJECT / "var").resolve())

    @property
    def postgres(self) -> Path:
        return self.folder / "postgres"

    @property
    def objects(self) -> Path:
        return self.folder / "objects"

    @property
    def secrets_file(self) -> Path:
        return self.folder / "secrets.env"

    @property
    def port_file(self) -> Path:
        return self.folder / "port"

    @property
    def beat_schedule(self) -> Path:
        return self.folder / "beat.schedule"

    def uses_embedded_database(self) -> bool:
        """Whether the database is ours to start. Raises LaunchError on half an answer."""
        given = {name for name in EXTERNAL if os.environ.get(name)}
        if not given & {"DATABASE_URL", "DATABASE_OWNER_URL"}:
            return True
        missing = [name for name in EXTERNAL if name not in given]
        if missing:
            raise LaunchError(
                f"A database of your own needs {', '.join(EXTERNAL)}; "
                f"not set: {', '.join(missing)}."
            )
        return False

    def require_unused(self) -> None:
        """Raise LaunchError while the database of this installation runs, not while it dies."""
        other = running_server(self.postgres) if self.uses_embedded_database() else None
        if other is not None and answers(other.port):
            raise LaunchError(
                f"The database in {self.postgres} runs already (pid {other.pid}), for a demo or "
                "for a command such as make shell. Stop that first, with Ctrl-C where it runs."
            )

    @contextmanager
    def running(self, *, attach: bool = False) -> Iterator[Running]:
        """Give the environment for the processes of this installation, its database running.

        With `attach` a server that already runs is used and left running. Raises LaunchError,
        EmbeddedPostgresError or psycopg.Error.
        """
        if not self.uses_embedded_database():
            yield Running(self._variables(self.secrets()))
            return
        if (self.postgres / CLUSTER).exists() and not self.secrets_file.exists():
            raise LaunchError(
                f"{self.secrets_file} is missing, and the keys stored in {self.postgres} are "
                "sealed with it. Restore it, or start afresh with: make demo-reset"
            )
        found = self.secrets()
        other = running_server(self.postgres) if attach else None
        if other is not None:
            yield Running(self._variables(found, port=other.port, web=self._used_port()))
            return
        with EmbeddedPostgres(self.postgres) as server:
            prepare_database(
                server.superuser_url,
                name=DATABASE,
                owner_password=found["ASSAY_OWNER_PASSWORD"],
                app_password=found["ASSAY_APP_PASSWORD"],
                broker_password=found["ASSAY_BROKER_PASSWORD"],
                roles=ROLES,
            )
            yield Running(self._variables(found, port=server.port), server)

    def secrets(self) -> dict[str, str]:
        """Return the secrets, making those that are missing; the environment's own come first."""
        stored = self._stored_secrets()
        missing = {name: make() for name, make in SECRETS.items() if name not in stored}
        if missing:
            self.folder.mkdir(parents=True, exist_ok=True)
            draft = self.secrets_file.with_suffix(".new")
            draft.unlink(missing_ok=True)
            draft.touch(mode=0o600)
            lines = [f"{name}={value}\n" for name, value in (stored | missing).items()]
            draft.write_text("".join(lines), encoding="utf-8")
            draft.replace(self.secrets_file)
        found = stored | missing
        return found | {name: os.environ[name] for name in found if os.environ.get(name)}

    def reset(self) -> None:
        """Remove database and files. Raises LaunchError while the database is in use."""
        running = running_server(self.postgres)
        if running is not None:
            raise LaunchError(
                f"The demo is running (its PostgreSQL has pid {running.pid}): stop it first."
            )
        for part in (self.postgres, self.objects):
            if part.exists():
                shutil.rmtree(part)
                say(f"Removed {part}")
        self.beat_schedule.unlink(missing_ok=True)

    def remember_port(self, port: int) -> None:
        """Keep the port on which web answers, for the commands that come to a running demo."""
        self.port_file.write_text(f"{port}\n", encoding="ascii")

    def _used_port(self) -> str:
        if os.environ.get("PORT") or not self.port_file.exists():
            return web_port()
        return self.port_file.read_text(encoding="ascii").strip()

    def _stored_secrets(self) -> dict[str, str]:
        if not self.secrets_file.exists():
            return {}
        lines = self.secrets_file.read_text(encoding="utf-8").splitlines()
        pairs = [line.partition("=") for line in lines if line.strip() and line[0] != "#"]
        return {name.strip(): value.strip() for name, _, value in pairs}

    def _variables(
        self, found: dict[str, str], *, port: int | None = None, web: str = ""
    ) -> dict[str, str]:
        """Return the environment, with the embedded database's URLs when its port is given.

        What the caller's environment sets wins.
        """
        variables = {
            "DEVELOPMENT": "1",
            "OBJECT_STORE": str(self.objects),
            "PORT": web or web_port(),
            "PUBLIC_PORT": web or web_port(),
            "PYTHONUNBUFFERED": "1",
            "SECRET_KEY": found["SECRET_KEY"],
            "ASSAY_KEY": found["ASSAY_KEY"],
        }
        if port is not None:
            address = f"127.0.0.1:{port}/{DATABASE}"
            owner, app, broker = (
                f"{role}:{quote(found[password], safe='')}@{address}"
                for role, password in (
                    (ROLES.owner, "ASSAY_OWNER_PASSWORD"),
                    (ROLES.app, "ASSAY_APP_PASSWORD"),
                    (ROLES.broker, "ASSAY_BROKER_PASSWORD"),
                )
            )
            variables |= {
                "DATABASE_OWNER_URL": f"postgresql://{owner}",
                "DATABASE_URL": f"postgresql://{app}",
                "BROKER_URL": f"pgmq://{broker}",
            }
        return variables | {name: value for name, value in os.environ.items() if value}


def web_port() -> str:
    """Return the port of the web process, as it was given."""
    return os.environ.get("PORT") or "8000"
