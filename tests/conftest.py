"""The database of the tests: real PostgreSQL, the application's role, organisation A by default."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection, connections
from django.test import override_settings

from apps.core.tenancy import tenant_context
from apps.organizations.models import Organization
from tests.database import ORG_A, ORG_B, Server, running_server

_counter = itertools.count()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The run's PostgreSQL."""
    with running_server(tmp_path_factory.mktemp("postgres") / "cluster") as running:
        yield running


def point_at(server: Server, database: str) -> None:
    """Let this process's connection lead to `database`, as the application's role."""
    connections["default"].close()
    target = {
        "HOST": "127.0.0.1",
        "PORT": str(server.port),
        "NAME": database,
        "USER": "assay_app",
        "PASSWORD": "test",
    }
    settings.DATABASES["default"].update(target)
    connections["default"].settings_dict.update(target)


@pytest.fixture(scope="session")
def django_db_setup(server: Server, django_db_blocker: Any) -> Iterator[None]:
    """Replaces pytest-django's: the test database is a clone of the migrated one."""
    with server.clone("assay_test"), django_db_blocker.unblock():
        point_at(server, "assay_test")
        yield
        connections["default"].close()


@pytest.fixture(scope="session", autouse=True)
def _objects_of_the_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Objects lie in a folder of the run, not among those of a demo in this checkout."""
    with override_settings(MEDIA_ROOT=tmp_path_factory.mktemp("objects")):
        yield


@pytest.fixture(autouse=True)
def _django_db_marker(request: pytest.FixtureRequest) -> None:
    """Replaces pytest-django's: a test with a database of its own is not put in a transaction."""
    marked = request.node.get_closest_marker("django_db")
    if marked and "own_database" not in request.fixturenames:
        request.getfixturevalue("_django_db_helper")


@pytest.fixture(autouse=True)
def _hosts_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the statements of a request the same however slow the machine is."""
    monkeypatch.setattr("apps.organizations.middleware.REMEMBER_SECONDS", 3600.0)


def organization(organization_id: Any) -> Organization:
    with connection.platform():
        found = Organization.objects.get(pk=organization_id)
    found.domain_url = f"{found.slug}.localhost"
    return found


@pytest.fixture
def org_a(request: pytest.FixtureRequest) -> Organization:
    """The organisation that tests work in."""
    _require_database(request)
    return organization(ORG_A)


@pytest.fixture
def org_b(request: pytest.FixtureRequest) -> Organization:
    """A foreign organisation; enter it with `tenant_context(org_b)`."""
    _require_database(request)
    return organization(ORG_B)


def _require_database(request: pytest.FixtureRequest) -> None:
    if "own_database" not in request.fixturenames:
        request.getfixturevalue("db")


@pytest.fixture(autouse=True)
def _inside_organization_a(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every test with a database runs inside organisation A; none starts with a warm cache."""
    uses_database = "db" in request.fixturenames or request.node.get_closest_marker("django_db")
    if not uses_database or "own_database" in request.fixturenames:
        yield
        return
    request.getfixturevalue("db")
    cache.clear()
    with tenant_context(organization(ORG_A)):
        yield
    connection.forget_tenant()


@pytest.fixture
def own_database(server: Server, django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """A database of the test's own, where transactions really commit; inside organisation A.

    For tests with several connections, threads or processes: history can't be cleaned up, so the
    whole database is dropped afterwards.
    """
    with server.clone(f"assay_flow_{next(_counter)}") as name, django_db_blocker.unblock():
        point_at(server, name)
        cache.clear()
        try:
            with tenant_context(organization(ORG_A)):
                yield name
        finally:
            connection.forget_tenant()
            connections.close_all()
            point_at(server, "assay_test")
