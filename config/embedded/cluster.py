"""What a PostgreSQL data folder says about itself, read without starting anything."""

import os
import socket
import struct
import sys
from dataclasses import dataclass
from pathlib import Path

LOOPBACK = "127.0.0.1"
SUPERUSER = "postgres"
CLUSTER = "cluster"
PASSWORD_FILE = "superuser.password"  # noqa: S105  the name of a file, not a password
LOCK_FILE = "postmaster.pid"

SSL_REQUEST = struct.pack("!ii", 8, 80877103)
ANSWER_SECONDS = 1.0


class EmbeddedPostgresError(Exception):
    """The embedded server cannot do what was asked; the message is one line for a person."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class UnusableDataFolder(EmbeddedPostgresError):
    """The data folder is damaged or was made by another version of PostgreSQL."""


@dataclass(frozen=True)
class RunningServer:
    """A server that is alive on a data folder, whoever started it."""

    pid: int
    port: int
    superuser_url: str


def superuser_url(cluster: Path, *, port: int) -> str:
    """Return the superuser's connection URL for a server of this cluster on a port."""
    password = read_text(cluster / PASSWORD_FILE)
    return f"postgresql://{SUPERUSER}:{password}@{LOOPBACK}:{port}/postgres"


def running_server(data_dir: Path) -> RunningServer | None:
    """Return the live server of a data folder, or None.

    Raises EmbeddedPostgresError when it runs but its password file cannot be read.
    """
    cluster = data_dir.resolve() / CLUSTER
    lock = _read_lock(cluster)
    if lock is None:
        return None
    pid, port = lock
    if pid not in server_processes(cluster):
        return None
    return RunningServer(pid=pid, port=port, superuser_url=superuser_url(cluster, port=port))


def answers(port: int) -> bool:
    """Whether a PostgreSQL server, in whatever state, answers on a loopback port.

    Asks for encryption (PostgreSQL documentation, "SSL Session Encryption"): that is answered by
    a byte before any login, and no longer by a server that is being killed.
    """
    try:
        with socket.create_connection((LOOPBACK, port), timeout=ANSWER_SECONDS) as connection:
            connection.sendall(SSL_REQUEST)
            return connection.recv(1) in {b"N", b"S"}
    except OSError:
        return False


def is_ready(cluster: Path, *, pid: int) -> bool:
    """Whether the server with this pid has announced that it accepts connections."""
    lines = _lock_lines(cluster)
    return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"


def server_processes(cluster: Path) -> frozenset[int]:
    """Return the pids of live PostgreSQL processes, server or backend, of this cluster.

    Every such process has the cluster as its working directory. That tells them from an
    unrelated process that was given the pid in a stale lock file, and from a zombie, which has
    none. Elsewhere than on Linux the lock file's own pid is believed when it is alive.
    """
    if not sys.platform.startswith("linux"):
        lock = _read_lock(cluster)
        return frozenset({lock[0]}) if lock and _is_alive(lock[0]) else frozenset()
    return frozenset(
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and _is_server_process(entry, cluster)
    )


def require_sound(cluster: Path, *, version: str) -> None:
    """Check what must be there before a start is tried.

    Raises UnusableDataFolder naming what is missing, or the version that made the folder.
    """
    for name in ("PG_VERSION", "global/pg_control", PASSWORD_FILE):
        if not (cluster / name).is_file():
            raise UnusableDataFolder(f"The data folder {cluster} is damaged: {name} is missing.")
    found = read_text(cluster / "PG_VERSION")
    if found != version:
        raise UnusableDataFolder(
            f"The data folder {cluster} was made by PostgreSQL {found or '(empty)'}, "
            f"but PostgreSQL {version} is installed."
        )


def discard_stale_lock(cluster: Path) -> None:
    """Remove the lock file of a server that died, once none of its processes is left.

    PostgreSQL trusts any live pid in that file, also one that now belongs to another program.
    """
    if not server_processes(cluster):
        (cluster / LOCK_FILE).unlink(missing_ok=True)


def read_text(path: Path) -> str:
    """Return a small file's stripped text. Raises EmbeddedPostgresError when it is unreadable."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise EmbeddedPostgresError(f"Cannot read {path}: {error}.") from error


def _lock_lines(cluster: Path) -> list[str]:
    try:
        return (cluster / LOCK_FILE).read_text(encoding="utf-8", errors="replace").splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise EmbeddedPostgresError(f"Cannot read {cluster / LOCK_FILE}: {error}.") from error


def _read_lock(cluster: Path) -> tuple[int, int] | None:
    """Return (pid, port) of the lock file, or None when there is none or it is incomplete."""
    lines = _lock_lines(cluster)
    if len(lines) < 4 or not (lines[0].isdigit() and lines[3].isdigit()):
        return None
    return int(lines[0]), int(lines[3])


def _is_server_process(entry: Path, cluster: Path) -> bool:
    try:
        return (entry / "cwd").readlink() == cluster and (
            (entry / "exe").readlink().name.startswith("postgres")
        )
    except OSError:
        # Ended meanwhile, a zombie, or somebody else's.
        return False


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
