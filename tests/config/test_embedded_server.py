"""The embedded server, started for real in folders of every kind of misfortune."""

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.embedded import (
    EmbeddedPostgres,
    EmbeddedPostgresError,
    UnusableDataFolder,
    running_server,
)
from config.embedded.cluster import answers, server_processes
from tests.config.processes import wait_for_end

PROJECT = Path(__file__).resolve().parents[2]
LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a feature of Linux")
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")

START_AND_DIE = """
import os, signal, sys
from pathlib import Path
from config.embedded import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]), fast=True)
server.start()
print(server.pid, flush=True)
sys.stdin.readline()
os.kill(os.getpid(), signal.SIGKILL)
"""

START_AND_TELL = """
import os, sys
from pathlib import Path
import psycopg
from config.embedded import EmbeddedPostgres
for _ in range(2):
    with EmbeddedPostgres(Path(sys.argv[1]), fast=True) as server:
        with psycopg.connect(server.superuser_url) as connection:
            (major,) = connection.execute("SELECT 18 * 10000 <= current_setting("
                "'server_version_num')::int").fetchone()
        print(os.geteuid(), major, flush=True)
"""

# Runs a command as root of a namespace with every user in it but without further namespaces,
# as many containers do.
WITHOUT_NAMESPACES = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
here, there = os.pipe(), os.pipe()
child = os.fork()
if child == 0:
    if libc.unshare(0x10000000) != 0:
        os._exit(99)
    os.write(here[1], b"x")
    os.read(there[0], 1)
    os.setgid(0)
    os.setuid(0)
    with open("/proc/sys/user/max_user_namespaces", "w") as limit:
        limit.write("0")
    os.execv(sys.argv[1], sys.argv[1:])
os.close(here[1])
if os.read(here[0], 1):
    for name in ("gid_map", "uid_map"):
        with open(f"/proc/{child}/{name}", "w") as mapping:
            mapping.write("0 0 100000")
    os.write(there[1], b"x")
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder whose server ran once and stopped in order, with a table `kept` of one row."""
    folder = tmp_path_factory.mktemp("pristine") / "data"
    with EmbeddedPostgres(folder, fast=True) as server, psycopg.connect(server.superuser_url) as db:
        db.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    return folder


@pytest.fixture
def data_dir(pristine: Path, tmp_path: Path) -> Path:
    """A copy of the pristine data folder."""
    return Path(shutil.copytree(pristine, tmp_path / "data"))


@pytest.fixture
def started(data_dir: Path) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(data_dir, fast=True) as server:
        yield server


def answer(server: EmbeddedPostgres) -> object:
    with psycopg.connect(server.superuser_url) as db:
        return db.execute("SELECT answer FROM kept").fetchone()


def command_as_nobody() -> list[str]:
    """Return the beginning of a command that runs Python as nobody; skips where nobody may not."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for python in (sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
        command = [
            *("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"),
            # Else the right to pass through private folders outlives the change of user.
            *("--inh-caps=-all", "--bounding-set=-all", "--"),
            *("sh", "-c", f'exec {python} -B "$@"', "sh"),
        ]
        probe = [*command, "-c", "import psycopg, config.embedded"]
        done = subprocess.run(probe, check=False, capture_output=True, env=import_path())
        if done.returncode == 0:
            return command
    pytest.skip("nobody may read neither this checkout nor a suitable Python")


def import_path() -> dict[str, str]:
    packages = Path(psycopg.__file__).parent.parent
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join([str(PROJECT), str(packages)]),
    }


def test_start_on_an_empty_folder_serves_on_loopback_only(tmp_path: Path) -> None:
    with (
        EmbeddedPostgres(tmp_path / "new", fast=True) as server,
        psycopg.connect(server.superuser_url) as db,
    ):
        settings = db.execute(
            "SELECT name, setting FROM pg_settings WHERE name IN ('listen_addresses', "
            "'unix_socket_directories', 'fsync', 'server_encoding', 'TimeZone')"
        ).fetchall()

    assert dict(settings) == {
        "TimeZone": "UTC",
        "fsync": "off",
        "listen_addresses": "127.0.0.1",
        "server_encoding": "UTF8",
        "unix_socket_directories": "",
    }
    assert {entry.name for entry in (tmp_path / "new").iterdir()} == {"cluster", "server.log"}


def test_start_keeps_the_superuser_password_private(pristine: Path) -> None:
    password = pristine / "cluster" / "superuser.password"

    assert stat.filemode(password.stat().st_mode) == "-rw-------"
    assert len(password.read_text()) == 32
    assert stat.filemode(pristine.stat().st_mode) == "drwx------"


def test_server_refuses_a_wrong_password(started: EmbeddedPostgres) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(started.superuser_url, password="guess")


def test_durable_server_keeps_fsync(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir) as server, psycopg.connect(server.superuser_url) as db:
        assert db.execute("SHOW fsync").fetchone() == ("on",)


def test_start_knows_letters_beyond_ascii(started: EmbeddedPostgres) -> None:
    with psycopg.connect(started.superuser_url) as db:
        found = db.execute("SELECT lower('ÄÉ'), to_tsvector('simple', 'Übung macht')").fetchone()

    assert found == ("äé", "'macht':2 'übung':1")


def test_restart_keeps_the_data(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir, fast=True) as server:
        assert answer(server) == (42,)
    with EmbeddedPostgres(data_dir, fast=True) as server:
        assert answer(server) == (42,)


def test_stop_ends_every_process(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir, fast=True) as server, psycopg.connect(server.superuser_url):
        assert server_processes(data_dir / "cluster") >= {server.pid}
        server.stop()
        assert server_processes(data_dir / "cluster") == frozenset()
        assert server.pid is None


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_start_after_kill_9_recovers_while_the_dead_one_is_unreaped(data_dir: Path) -> None:
    killed = EmbeddedPostgres(data_dir)
    killed.start()
    with psycopg.connect(killed.superuser_url) as db:
        db.execute("UPDATE kept SET answer = 43")
    assert killed.pid is not None
    os.kill(killed.pid, signal.SIGKILL)

    with EmbeddedPostgres(data_dir) as server:
        assert answer(server) == (43,)
    killed.stop()


@LINUX
def test_server_ends_when_its_parent_is_killed(data_dir: Path) -> None:
    command = [sys.executable, "-c", START_AND_DIE, str(data_dir)]
    with subprocess.Popen(
        command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdin is not None
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.stdin.close()
        assert parent.wait(20) == -signal.SIGKILL

    wait_for_end(pid)
    with EmbeddedPostgres(data_dir, fast=True) as server:
        assert answer(server) == (42,)


@LINUX
def test_start_ignores_a_stale_lock_whose_pid_is_another_programs(data_dir: Path) -> None:
    lock = f"{os.getpid()}\n{data_dir}/cluster\n1700000000\n5432\n\n127.0.0.1\n 1 1\nready\n"
    (data_dir / "cluster" / "postmaster.pid").write_text(lock)

    assert running_server(data_dir) is None
    with EmbeddedPostgres(data_dir, fast=True) as server:
        assert answer(server) == (42,)


def test_start_removes_what_a_killed_initdb_left(data_dir: Path) -> None:
    (data_dir / "initdb-x1" / "cluster").mkdir(parents=True)

    with EmbeddedPostgres(data_dir, fast=True):
        assert {entry.name for entry in data_dir.iterdir()} == {"cluster", "server.log"}


def test_start_beside_a_running_server_names_its_address_and_pid(
    started: EmbeddedPostgres, data_dir: Path
) -> None:
    with pytest.raises(EmbeddedPostgresError) as refused:
        EmbeddedPostgres(data_dir).start()

    assert refused.value.message == (
        f"PostgreSQL already runs on {data_dir} at 127.0.0.1:{started.port} "
        f"(pid {started.pid}): stop it first."
    )
    assert answer(started) == (42,)


def test_running_server_is_the_one_that_runs(started: EmbeddedPostgres, data_dir: Path) -> None:
    running = running_server(data_dir)

    assert running is not None
    assert (running.pid, running.port, running.superuser_url) == (
        started.pid,
        started.port,
        started.superuser_url,
    )


def test_running_server_of_a_stopped_or_absent_folder_is_none(
    pristine: Path, tmp_path: Path
) -> None:
    assert [running_server(pristine), running_server(tmp_path / "absent")] == [None, None]


def test_answers_tells_a_postgres_from_silence_and_from_another_program(
    started: EmbeddedPostgres,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        silent = other.getsockname()[1]
        found = [answers(started.port), answers(silent)]
    found.append(answers(silent))

    assert found == [True, False, False]


def test_start_twice_is_refused(started: EmbeddedPostgres, data_dir: Path) -> None:
    with pytest.raises(EmbeddedPostgresError) as refused:
        started.start()

    assert refused.value.message == f"PostgreSQL on {data_dir} is already started."


def test_superuser_url_before_start_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedPostgresError) as refused:
        _ = EmbeddedPostgres(tmp_path).superuser_url

    assert refused.value.message == f"PostgreSQL on {tmp_path} is not started."


@pytest.mark.parametrize("name", ["PG_VERSION", "global/pg_control", "superuser.password"])
def test_start_names_the_file_that_is_missing(data_dir: Path, name: str) -> None:
    (data_dir / "cluster" / name).unlink()

    with pytest.raises(UnusableDataFolder) as refused:
        EmbeddedPostgres(data_dir).start()

    assert refused.value.message == (
        f"The data folder {data_dir}/cluster is damaged: {name} is missing."
    )


def test_start_says_what_postgres_finds_damaged(data_dir: Path) -> None:
    control = data_dir / "cluster" / "global" / "pg_control"
    content = control.read_bytes()
    control.write_bytes(content[:40] + bytes([content[40] ^ 1]) + content[41:])

    with pytest.raises(UnusableDataFolder) as refused:
        EmbeddedPostgres(data_dir).start()

    assert refused.value.message == (
        f"PostgreSQL did not start on {data_dir}/cluster: incorrect checksum in control file"
    )
    assert running_server(data_dir) is None


def test_start_names_the_version_that_made_the_folder(data_dir: Path) -> None:
    (data_dir / "cluster" / "PG_VERSION").write_text("15\n")

    with pytest.raises(UnusableDataFolder) as refused:
        EmbeddedPostgres(data_dir).start()

    assert refused.value.message == (
        f"The data folder {data_dir}/cluster was made by PostgreSQL 15, "
        "but PostgreSQL 18 is installed."
    )


def test_start_on_a_busy_port_names_it(data_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(EmbeddedPostgresError) as refused:
            EmbeddedPostgres(data_dir, port=port).start()

    assert refused.value.message == f"Port {port} on 127.0.0.1 is used by another program."
    with EmbeddedPostgres(data_dir, port=port, fast=True) as server:
        assert server.port == port


def test_start_leaves_a_strangers_folder_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()

    with pytest.raises(EmbeddedPostgresError) as refused:
        EmbeddedPostgres(tmp_path).start()

    assert refused.value.message == (
        f"The folder {tmp_path} is not empty and holds no cluster of ours (found thesis.tex): "
        "use another folder."
    )
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.tex"]


def test_start_on_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(EmbeddedPostgresError) as refused:
        EmbeddedPostgres(tmp_path / "file").start()

    assert refused.value.message == (
        f"Cannot use the data folder {tmp_path}/file: File exists ({tmp_path}/file)."
    )


@AS_ROOT
def test_start_as_root_refuses_somebody_elses_folder(data_dir: Path) -> None:
    os.chown(data_dir / "cluster", 12345, 12345)

    with pytest.raises(EmbeddedPostgresError) as refused:
        EmbeddedPostgres(data_dir).start()

    assert refused.value.message == (
        f"The data folder {data_dir}/cluster belongs to user 12345, "
        "but this is root: run as that user or use another folder."
    )


@LINUX
@AS_ROOT
def test_start_as_root_without_namespaces_runs_as_nobody_in_a_private_folder(
    tmp_path: Path,
) -> None:
    parents = {path: path.stat().st_mode for path in (tmp_path, *tmp_path.parents)}
    done = subprocess.run(
        [
            *(sys.executable, "-c", WITHOUT_NAMESPACES),
            *(sys.executable, "-c", START_AND_TELL, str(tmp_path / "data")),
        ],
        capture_output=True,
        check=False,
        cwd=PROJECT,
        text=True,
        timeout=120,
    )
    if done.returncode == 99:
        pytest.skip("this machine itself allows no namespaces")

    assert (done.returncode, done.stdout) == (0, "0 True\n0 True\n"), done.stderr
    assert (tmp_path / "data" / "cluster").owner() == "nobody"
    assert parents == {path: path.stat().st_mode for path in parents}


@LINUX
@AS_ROOT
def test_start_as_an_ordinary_user(data_dir: Path) -> None:
    nobody = command_as_nobody()
    # pytest's own folders are root's alone.
    with tempfile.TemporaryDirectory() as folder:
        shutil.chown(folder, "nobody")
        done = subprocess.run(
            [*nobody, "-c", START_AND_TELL, f"{folder}/data"],
            capture_output=True,
            check=False,
            env=import_path(),
            text=True,
            timeout=120,
        )
        owner = Path(folder, "data", "cluster").owner()
        refused = subprocess.run(
            [*nobody, "-c", START_AND_TELL, str(data_dir)],
            capture_output=True,
            check=False,
            env=import_path(),
            text=True,
            timeout=120,
        )

    assert (done.returncode, done.stdout, owner) == (0, "65534 True\n65534 True\n", "nobody")
    assert refused.returncode == 1
    assert refused.stderr.splitlines()[-1] == (
        "config.embedded.cluster.EmbeddedPostgresError: "
        f"Cannot use the data folder {data_dir}: Permission denied ({data_dir})."
    )


def test_start_says_what_postgres_finds_incompatible(data_dir: Path) -> None:
    control = data_dir / "cluster" / "global" / "pg_control"
    control.write_bytes(bytes(len(control.read_bytes())))

    with pytest.raises(UnusableDataFolder) as refused:
        EmbeddedPostgres(data_dir).start()

    assert refused.value.message.startswith(
        f"PostgreSQL did not start on {data_dir}/cluster: database files are incompatible with "
        "server (The database cluster was initialized with PG_CONTROL_VERSION 0"
    )
    assert "\n" not in refused.value.message


@given(content=st.binary(max_size=200))
def test_running_server_survives_any_lock_file(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    data_dir = tmp_path_factory.mktemp("locked")
    (data_dir / "cluster").mkdir()
    (data_dir / "cluster" / "postmaster.pid").write_bytes(content)

    assert running_server(data_dir) is None
