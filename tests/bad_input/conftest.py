"""An organisation that is lived in, served by real processes, and whoever sends it bad input."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from apps.contacts.models import Contact
from apps.contacts.services import create_api_token
from apps.core.clock import now
from apps.core.tenancy import connection, tenant_context
from apps.demo.content import ORGANIZATIONS
from apps.demo.loading import load
from apps.demo.people import open_accounts
from apps.organizations.models import OrgRole
from tests.conftest import organization, point_at
from tests.database import ORG_A, Server
from tests.factories import member
from tests.flows.conftest import HttpClient, Stack
from tests.walls.world import complete_what_the_demo_lacks

DATABASE = "assay_bad_input"


@dataclass
class Served:
    """A running installation, and the token of an owner of organisation A."""

    stack: Stack
    owner: Contact
    secret: str

    def client(self) -> HttpClient:
        return self.stack.client(self.secret)


@pytest.fixture(scope="module")
def served(
    server: Server,
    django_db_setup: None,
    django_db_blocker: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Served]:
    """Organisation A full of the demo's rows, behind a real web process; inside A."""
    with server.clone(DATABASE) as name, django_db_blocker.unblock():
        point_at(server, name)
        stack = Stack(server, name, tmp_path_factory.mktemp("served"))
        try:
            stack.start_web()
            plan = ORGANIZATIONS[0]
            open_accounts(one.email for one in plan.members)
            with tenant_context(organization(ORG_A)):
                load(plan, now=now(), drain=True, say=lambda line: None)
                complete_what_the_demo_lacks()
                owner = member(OrgRole.OWNER)
                _row, secret = create_api_token(contact=owner, name="bad input")
                yield Served(stack, owner, secret)
        finally:
            stack.stop()
            connection.forget_tenant()
            connection.close()
            point_at(server, "assay_test")


@dataclass(frozen=True)
class Answer:
    """What came back, as far as it tells a refusal."""

    status: int
    problem: str

    @classmethod
    def of(cls, response: requests.Response) -> Answer:
        """Return status and the last word of the problem's type; "" for what is no problem."""
        problem = ""
        if response.headers.get("Content-Type", "").startswith("application/problem+json"):
            told = response.json()
            assert told["status"] == response.status_code, told
            assert told["title"], told
            problem = told["type"].removeprefix("urn:assay:problem:")
        return cls(response.status_code, problem)
