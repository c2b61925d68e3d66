"""Services are real processes here: short Python programs that behave and misbehave."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from queue import SimpleQueue

import pytest

from config.launch.console import LaunchError
from config.launch.services import Service, ServiceSpec
from tests.config.processes import wait_for_end

WELL_BEHAVED = "import signal; print('up and ready.', flush=True); signal.pause()"
STUBBORN = (
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "print('up and ready.', flush=True)\nwhile True: signal.pause()"
)


@pytest.fixture
def ended() -> SimpleQueue[Service]:
    return SimpleQueue()


@pytest.fixture
def start(ended: SimpleQueue[Service]) -> Iterator[Callable[..., Service]]:
    """Start a service from Python source; every one is gone afterwards."""
    services: list[Service] = []

    def start_service(source: str, **settings: float) -> Service:
        spec = ServiceSpec(
            name="worker",
            command=(sys.executable, "-c", source),
            ready_mark="ready.",
            **settings,
        )
        services.append(Service.start(spec, environment=dict(os.environ), ended=ended))
        return services[-1]

    yield start_service
    for service in services:
        service.kill()
        service.process.wait()


def test_wait_until_ready_returns_at_the_ready_mark(start: Callable[..., Service]) -> None:
    service = start(WELL_BEHAVED)

    service.wait_until_ready()

    assert (list(service.lines), service.process.poll()) == (["up and ready."], None)


def test_wait_until_ready_tells_how_a_service_ended_instead(start: Callable[..., Service]) -> None:
    service = start("print('no settings'); print('bye'); raise SystemExit(3)")

    with pytest.raises(LaunchError) as failed:
        service.wait_until_ready()

    assert str(failed.value) == (
        "worker ended with status 3. Its last lines:\n    no settings\n    bye"
    )


def test_wait_until_ready_gives_up(start: Callable[..., Service]) -> None:
    service = start("import signal; signal.pause()", ready_seconds=0.1)

    with pytest.raises(LaunchError) as failed:
        service.wait_until_ready()

    assert str(failed.value) == "worker was not ready after 0 s."


def test_ended_receives_a_service_that_is_killed(
    start: Callable[..., Service], ended: SimpleQueue[Service]
) -> None:
    service = start(WELL_BEHAVED)
    service.wait_until_ready()

    os.kill(service.process.pid, signal.SIGKILL)

    assert ended.get(timeout=20) is service
    assert service.obituary() == (
        "worker was killed by signal 9. Its last lines:\n    up and ready."
    )


def test_obituary_keeps_the_last_twenty_lines(
    start: Callable[..., Service], ended: SimpleQueue[Service]
) -> None:
    start("print(*range(100), sep='\\n')")

    assert ended.get(timeout=20).obituary().splitlines()[1:] == [
        f"    {number}" for number in range(80, 100)
    ]


def test_stop_asks_first(start: Callable[..., Service], capsys: pytest.CaptureFixture[str]) -> None:
    service = start(WELL_BEHAVED)
    service.wait_until_ready()

    service.stop()

    assert service.process.returncode == -signal.SIGTERM
    assert capsys.readouterr().out == "  worker | up and ready.\n"


def test_stop_ends_a_stubborn_service_by_force(
    start: Callable[..., Service], capsys: pytest.CaptureFixture[str]
) -> None:
    service = start(STUBBORN, stop_seconds=0.1)
    service.wait_until_ready()

    service.stop()

    assert service.process.returncode == -signal.SIGKILL
    assert capsys.readouterr().out.splitlines()[-1] == "worker did not stop and was ended by force."


def test_stop_ends_the_children_of_a_service_that_left_them(
    start: Callable[..., Service],
) -> None:
    service = start(
        "import subprocess, sys;"
        "child = subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()']);"
        "print(child.pid, 'ready.', flush=True)"
    )
    service.wait_until_ready()
    child = int(service.lines[0].split()[0])
    service.process.wait()

    service.stop()

    wait_for_end(child)
