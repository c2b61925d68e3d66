"""Secrets, environment and reset of an installation in a folder of its own."""

import base64
import stat
from pathlib import Path

import pytest

from config.embedded import EmbeddedPostgres
from config.launch.console import LaunchError
from config.launch.installation import SECRETS, Installation


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        *SECRETS,
        "DATABASE_URL",
        "DATABASE_OWNER_URL",
        "BROKER_URL",
        "DEVELOPMENT",
        "PORT",
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return Installation(tmp_path / "var")


def test_secrets_are_made_once_and_kept_private(installation: Installation) -> None:
    first = installation.secrets()

    assert installation.secrets() == first
    assert list(first) == list(SECRETS)
    assert len(set(first.values())) == len(first)
    assert len(base64.b64decode(first["ASSAY_KEY"], validate=True)) == 32
    assert stat.filemode(installation.secrets_file.stat().st_mode) == "-rw-------"
    assert [entry.name for entry in installation.folder.iterdir()] == ["secrets.env"]


def test_secrets_differ_between_installations(tmp_path: Path) -> None:
    one, other = Installation(tmp_path / "one").secrets(), Installation(tmp_path / "two").secrets()

    assert set(one.values()) & set(other.values()) == set()


def test_secrets_add_what_is_missing_and_keep_the_rest(installation: Installation) -> None:
    installation.folder.mkdir()
    installation.secrets_file.write_text("# ours\nSECRET_KEY=a=b#c\n\nFLAVOUR=vanilla\n")

    found = installation.secrets()

    assert (found["SECRET_KEY"], found["FLAVOUR"]) == ("a=b#c", "vanilla")
    assert installation.secrets() == found
    assert set(found) == {*SECRETS, "FLAVOUR"}


def test_secrets_of_the_environment_come_first_and_are_not_stored(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "from outside")

    assert installation.secrets()["SECRET_KEY"] == "from outside"
    assert "from outside" not in installation.secrets_file.read_text()


def test_running_with_a_database_of_ones_own_starts_none(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    urls = {
        "DATABASE_URL": "postgresql://app@db.example/assay",
        "DATABASE_OWNER_URL": "postgresql://owner@db.example/assay",
        "BROKER_URL": "amqp://queue.example",
    }
    for name, value in urls.items():
        monkeypatch.setenv(name, value)

    with installation.running() as running:
        assert running.server is None
        assert {name: running.environment[name] for name in urls} == urls
    assert not installation.postgres.exists()


def test_running_with_half_a_database_of_ones_own_names_the_other_half(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://app@db.example/assay")

    with pytest.raises(LaunchError) as refused, installation.running():
        pass

    assert str(refused.value) == (
        "A database of your own needs DATABASE_URL, DATABASE_OWNER_URL, BROKER_URL; "
        "not set: DATABASE_OWNER_URL, BROKER_URL."
    )
    assert not installation.folder.exists()


def test_running_without_the_secrets_of_existing_data_is_refused(
    installation: Installation,
) -> None:
    (installation.postgres / "cluster").mkdir(parents=True)

    with pytest.raises(LaunchError) as refused, installation.running():
        pass

    assert str(refused.value) == (
        f"{installation.secrets_file} is missing, and the keys stored in {installation.postgres} "
        "are sealed with it. Restore it, or start afresh with: make demo-reset"
    )


def test_reset_removes_database_and_files_and_keeps_the_secrets(
    installation: Installation,
) -> None:
    installation.secrets()
    for part in (installation.postgres, installation.objects):
        (part / "deep").mkdir(parents=True)
    installation.beat_schedule.touch()

    installation.reset()

    assert list(installation.folder.iterdir()) == [installation.secrets_file]


def test_reset_of_nothing_does_nothing(installation: Installation) -> None:
    installation.reset()

    assert not installation.folder.exists()


def test_reset_while_the_database_runs_is_refused(installation: Installation) -> None:
    with EmbeddedPostgres(installation.postgres, fast=True) as server:
        with pytest.raises(LaunchError) as refused:
            installation.reset()

        assert str(refused.value) == (
            f"The demo is running (its PostgreSQL has pid {server.pid}): stop it first."
        )
        assert (installation.postgres / "cluster" / "PG_VERSION").is_file()
