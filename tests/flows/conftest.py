"""Real processes on a database of the test's own: gunicorn, a Celery worker, pgmq."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import requests
from django.conf import settings

from tests.database import ROOT, Server

PATIENCE_SECONDS = 90.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def until(true: Callable[[], bool], *, what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Wait for a condition; fail with its name when it does not come true."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s for: {what}"
        time.sleep(0.05)


class HttpClient(requests.Session):
    """Speaks real HTTP; not every machine resolves names below `localhost`, so the host is told."""

    def __init__(self, port: int, host: str, secret: str) -> None:
        super().__init__()
        self._base = f"http://127.0.0.1:{port}"
        self.headers["Host"] = host
        if secret:
            self.headers["Authorization"] = f"Bearer {secret}"

    def request(self, method: str | bytes, url: str | bytes, **kw: Any) -> requests.Response:  # type: ignore[override]
        kw.setdefault("timeout", 60)
        return super().request(method, f"{self._base}{url!s}", **kw)


class Browser(HttpClient):
    """Signs in by the form, keeps its cookies, sends the CSRF token with each write."""

    def sign_in(self, email: str, password: str) -> None:
        self.get("/accounts/login/")
        answer = self.write("POST", "/accounts/login/", data={"login": email, "password": password})
        assert answer.status_code == 302, answer.status_code

    def write(self, method: str, path: str, **content: Any) -> Any:
        headers = {
            "X-CSRFToken": self.cookies.get("assay_csrf", ""),
            "Referer": f"http://{self.headers['Host']}/",
        }
        return self.request(method, path, headers=headers, allow_redirects=False, **content)


class Stack:
    """The processes of one installation, on one database."""

    def __init__(self, server: Server, database: str, logs: Path) -> None:
        self.port = free_port()
        self.environment = {
            **server.environment(database),
            "PUBLIC_PORT": str(self.port),
            "OUTBOX_SWEEP_SECONDS": "1",
            "API_RATE": "100000/min",
            "OBJECT_STORE": str(settings.MEDIA_ROOT),
        }
        self.logs = logs
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, *command: str, **environment: str) -> subprocess.Popen[bytes]:
        with (self.logs / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", *command],
                cwd=ROOT,
                env={**self.environment, **environment},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.running[name] = process
        return process

    def start_web(self, *, workers: int = 2, **environment: str) -> None:
        self.start(
            "web",
            *("gunicorn", "config.wsgi", "--no-control-socket", "--workers", str(workers)),
            *("--bind", f"127.0.0.1:{self.port}"),
            **environment,
        )
        until(self._answers, what="the web process to answer")

    def start_worker(self) -> None:
        self.start(
            "worker",
            *("celery", "--app", "config", "worker", "--concurrency", "2", "--loglevel", "info"),
        )

    def start_beat(self) -> None:
        schedule = str(self.logs / "beat.schedule")
        self.start("beat", "celery", "--app", "config", "beat", "--schedule", schedule)

    def kill(self, name: str) -> None:
        """End a process and all its children at once, as `kill -9` does."""
        process = self.running.pop(name)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        for name in list(self.running):
            self.kill(name)

    def client(self, secret: str = "", *, organization: str = "a") -> HttpClient:
        """Return a caller of an organisation's host, carrying an API token."""
        return HttpClient(self.port, f"{organization}.localhost:{self.port}", secret)

    def browser(self, *, organization: str = "a") -> Browser:
        """Return a browser on an organisation's host, not signed in."""
        return Browser(self.port, f"{organization}.localhost:{self.port}", "")

    def log(self, name: str) -> str:
        return (self.logs / f"{name}.log").read_text()

    def _answers(self) -> bool:
        try:
            return requests.get(f"http://localhost:{self.port}/status/", timeout=5).ok
        except (requests.ConnectionError, requests.Timeout):
            return False


@pytest.fixture
def stack(server: Server, own_database: str, tmp_path: Path) -> Iterator[Stack]:
    """An installation whose processes the test starts, kills and starts again."""
    running = Stack(server, own_database, tmp_path)
    try:
        yield running
    finally:
        running.stop()
