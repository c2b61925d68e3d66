"""The host chooses the organisation, or there is none."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory

from apps.core.tenancy import connection
from apps.organizations.middleware import OrganizationMiddleware
from apps.organizations.models import Organization, OrganizationStatus
from tests.clients import api, browser, problem_of
from tests.factories import member

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("host", ["nobody.localhost", "127.0.0.1", "a.localhost.evil.example"])
def test_an_unknown_host_is_not_found(host: str) -> None:
    response = Client(SERVER_NAME=host).get("/v1/me")

    assert problem_of(response) == (404, "urn:assay:problem:unknown-host")


def test_an_unknown_host_is_told_so_on_a_page_with_its_stylesheet() -> None:
    client = Client(SERVER_NAME="nobody.localhost")

    assert "No organisation lives at this address." in client.get("/").content.decode()
    assert client.get("/static/assay.css").status_code == 200
    assert client.get("/static/nothing.css").status_code == 404


@pytest.mark.parametrize("host", ["localhost", "a.localhost"])
def test_browsers_find_an_icon_at_the_usual_place(host: str) -> None:
    assert Client(SERVER_NAME=host).get("/favicon.ico")["Location"] == "/static/assay.svg"


def test_the_platforms_host_serves_its_own_pages_only() -> None:
    client = Client(SERVER_NAME="localhost")

    assert client.get("/").status_code == 200
    assert client.get("/status/").json() == {"database": "ok"}
    assert client.get("/admin/").status_code == client.get("/v1/me").status_code == 404
    assert "Go to the start page" in client.get("/admin/").content.decode()


def test_a_request_leaves_the_connection_without_an_organisation(org_a: Organization) -> None:
    Client(SERVER_NAME="a.localhost").get("/v1/me")

    assert connection.tenant is None


def test_a_session_of_one_organisation_is_none_in_another(
    org_a: Organization, org_b: Organization
) -> None:
    signed_in = browser(member())
    cookie = signed_in.cookies["assay_session"].value
    foreign = Client(SERVER_NAME="b.localhost")
    foreign.cookies["assay_session"] = cookie

    assert signed_in.get("/v1/me").status_code == 200
    assert foreign.get("/v1/me").status_code == 401


def test_a_token_of_one_organisation_is_none_in_another(
    org_a: Organization, org_b: Organization
) -> None:
    client = api(member())

    assert client.get("/v1/me").status_code == 200
    assert client.get("/v1/me", SERVER_NAME="b.localhost").status_code == 401


def test_a_suspended_organisation_answers_403_and_still_verifies(
    org_a: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.organizations.middleware.REMEMBER_SECONDS", 0.0)
    client = api(member())
    with connection.platform():
        Organization.objects.filter(pk=org_a.pk).update(status=OrganizationStatus.SUSPENDED)

    assert problem_of(client.get("/v1/me")) == (403, "urn:assay:problem:organization-suspended")
    page = Client(SERVER_NAME="a.localhost").get("/")
    assert (page.status_code, "suspended" in page.content.decode()) == (403, True)
    assert "/accounts/login/" not in page.content.decode()


def test_a_host_is_looked_up_once_in_a_few_seconds(org_a: Organization) -> None:
    middleware = OrganizationMiddleware(lambda request: None)  # type: ignore[arg-type,return-value]
    first = middleware._organization("a.localhost")

    assert middleware._organization("a.localhost") is first


def test_an_entrance_knows_at_once_what_the_organisation_decided(
    org_a: Organization, rf: RequestFactory
) -> None:
    known: list[Any] = []
    middleware = OrganizationMiddleware(
        lambda request: known.append(connection.tenant.name) or HttpResponse()  # type: ignore[func-returns-value]
    )

    def ask(path: str) -> None:
        middleware(rf.get(path, SERVER_NAME="a.localhost"))

    ask("/account")
    with connection.platform():
        Organization.objects.filter(pk=org_a.pk).update(name="Renamed")
    for path in ("/account", "/accounts/login/", "/account"):
        ask(path)

    assert known == [org_a.name, org_a.name, "Renamed", "Renamed"]
