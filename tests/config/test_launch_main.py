"""The launcher's command line, as a process of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import takewhile
from pathlib import Path

import psycopg
import pytest

from config.embedded import EmbeddedPostgres, running_server
from config.launch.console import LaunchError
from config.launch.demo import require_free, wait_for_answer
from config.launch.installation import SECRETS, Installation

PROJECT = Path(__file__).resolve().parents[2]
TELL = (
    "import json, os; names = ('DATABASE_URL', 'DATABASE_OWNER_URL', 'BROKER_URL', 'DEVELOPMENT',"
    "'PORT', 'PUBLIC_PORT', 'OBJECT_STORE', 'SECRET_KEY');"
    "print(json.dumps({name: os.environ[name] for name in names}))"
)


def environment(folder: Path, **variables: str) -> dict[str, str]:
    ours = {*SECRETS, "DATABASE_URL", "DATABASE_OWNER_URL", "BROKER_URL", "DEVELOPMENT", "PORT"}
    rest = {name: value for name, value in os.environ.items() if name not in ours}
    return {**rest, "ASSAY_VAR": str(folder), **variables}


def launch(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "config.launch", *arguments],
        capture_output=True,
        check=False,
        cwd=PROJECT,
        env=environment(folder, **variables),
        text=True,
        timeout=120,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation that has run before."""
    folder = tmp_path_factory.mktemp("installation") / "var"
    done = launch(folder, "run", "--", "true")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return folder


def test_run_gives_the_command_the_environment_and_a_database(folder: Path) -> None:
    source = f"{TELL}; import psycopg; print(psycopg.connect(os.environ['DATABASE_URL']).info.user)"
    done = launch(folder, "run", "--", sys.executable, "-c", source, PORT="8123")

    told, user = done.stdout.splitlines()
    given = json.loads(told)
    assert user == "assay_app"
    assert [given[name].partition(":")[0] for name in ("DATABASE_URL", "BROKER_URL")] == [
        "postgresql",
        "pgmq",
    ]
    assert given["OBJECT_STORE"] == str(folder / "objects")
    assert f"SECRET_KEY={given['SECRET_KEY']}\n" in (folder / "secrets.env").read_text()
    assert (given["DEVELOPMENT"], given["PORT"], given["PUBLIC_PORT"]) == (
        "1",
        "8123",
        "8123",
    )
    assert running_server(folder / "postgres") is None


def test_run_returns_the_commands_status(folder: Path) -> None:
    statuses = [
        launch(folder, "run", "--", "sh", "-c", command).returncode
        for command in ("exit 7", "kill -TERM $$")
    ]

    assert statuses == [7, 143]


def test_run_uses_a_server_that_already_runs_and_leaves_it_running(folder: Path) -> None:
    with EmbeddedPostgres(folder / "postgres", fast=True) as server:
        done = launch(folder, "run", "--", sys.executable, "-c", TELL)

        given = json.loads(done.stdout)
        assert f"@127.0.0.1:{server.port}/assay" in given["DATABASE_URL"]
        with psycopg.connect(given["DATABASE_OWNER_URL"]) as db:
            assert db.execute("SELECT current_user").fetchone() == ("assay_owner",)


def test_run_beside_a_demo_takes_its_port(folder: Path) -> None:
    Installation(folder).remember_port(8123)
    with EmbeddedPostgres(folder / "postgres", fast=True):
        beside, told = (
            json.loads(launch(folder, "run", "--", sys.executable, "-c", TELL, **given).stdout)
            for given in ({}, {"PORT": "8124"})
        )
    alone = json.loads(launch(folder, "run", "--", sys.executable, "-c", TELL).stdout)

    assert [found["PUBLIC_PORT"] for found in (beside, told, alone)] == ["8123", "8124", "8000"]


def test_run_of_an_unknown_program_says_so(folder: Path) -> None:
    done = launch(folder, "run", "--", "no-such-program")

    assert (done.returncode, done.stderr) == (1, "\nThere is no program 'no-such-program'.\n")


def test_demo_on_a_busy_port_names_it_and_leaves_nothing_running(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = launch(folder, "demo", PORT=str(port))

    assert done.returncode == 1
    assert done.stderr == (
        f"\nPort {port} on 127.0.0.1 cannot be used: Address already in use. Stop the program "
        "that uses it, or choose another port: make demo PORT=8001\n"
    )
    assert running_server(folder / "postgres") is None


def test_demo_beside_a_running_one_says_so(folder: Path) -> None:
    with EmbeddedPostgres(folder / "postgres", fast=True) as server:
        done = launch(folder, "demo")

        assert (done.returncode, done.stderr) == (
            1,
            f"\nThe database in {folder}/postgres runs already (pid {server.pid}), for a demo or "
            "for a command such as make shell. Stop that first, with Ctrl-C where it runs.\n",
        )


def processes_of(folder: Path) -> set[int]:
    """Return the processes that were started for an installation."""
    mark = f"ASSAY_VAR={folder}\0".encode()
    found = set()
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if mark in (entry / "environ").read_bytes():
                found.add(int(entry.name))
    return found


@pytest.mark.flow
def test_demo_interrupted_while_it_makes_a_schema_leaves_nothing_behind(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
    demo = subprocess.Popen(
        [sys.executable, "-m", "config.launch", "demo"],
        cwd=PROJECT,
        env=environment(tmp_path, PORT=str(port)),
        start_new_session=True,
        stderr=subprocess.STDOUT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert demo.stdout is not None
    told = list(takewhile(lambda line: "making its schema" not in line, demo.stdout))

    demo.send_signal(signal.SIGINT)
    rest, _ = demo.communicate(timeout=60)

    assert told[0] == "• Starting the database …\n"
    assert rest.splitlines() == ["", "Stopping web, beat, worker and the database …", "Stopped."]
    assert processes_of(tmp_path) == set()


def test_demo_on_a_damaged_folder_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "secrets.env").touch()
    cluster = tmp_path / "postgres" / "cluster"
    cluster.mkdir(parents=True)

    done = launch(tmp_path, "demo")

    assert (done.returncode, done.stderr) == (
        1,
        f"\nThe data folder {cluster} is damaged: PG_VERSION is missing.\n"
        "To start afresh, losing the demo's data: make demo-reset\n",
    )


def test_reset_then_run_starts_afresh(tmp_path: Path) -> None:
    (tmp_path / "secrets.env").touch()
    (tmp_path / "postgres" / "cluster").mkdir(parents=True)

    reset = launch(tmp_path, "reset")
    again = launch(tmp_path, "run", "--", "true")

    assert (reset.returncode, reset.stdout) == (0, f"Removed {tmp_path}/postgres\n")
    assert (again.returncode, again.stderr) == (0, "")


def test_demo_on_a_port_that_is_no_number_says_so(folder: Path) -> None:
    done = launch(folder, "demo", PORT="eight")

    assert (done.returncode, done.stderr) == (1, "\nPORT is a number below 65536, not 'eight'.\n")


def test_require_free_passes_a_free_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(LaunchError):
            require_free(port)
    require_free(port)


@contextmanager
def web_server(status: int) -> Iterator[int]:
    """Serve one status on a port of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def test_wait_for_answer_takes_any_answer_that_is_no_server_error() -> None:
    with web_server(404) as port:
        wait_for_answer(port)


def test_wait_for_answer_reports_a_server_error() -> None:
    with web_server(500) as port, pytest.raises(LaunchError) as failed:
        wait_for_answer(port)

    assert str(failed.value) == f"web answers with status 500 on 127.0.0.1:{port}."


def test_wait_for_answer_reports_silence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
    with pytest.raises(LaunchError, match=f"web does not answer on 127.0.0.1:{port}"):
        wait_for_answer(port)
