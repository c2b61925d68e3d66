"""The OpenAPI document is true: whatever is sent to an operation, its answer is one it names.

Every operation of /v1 gets data that fit its description and data that do not, as the owner of an
organisation that is lived in, and with the ids of that organisation's own rows. Each call is taken
back, so that all of them meet the same state.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
import schemathesis
from django.core.cache import cache
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from apps.contacts.services import create_api_token
from apps.core.clock import now
from apps.core.tenancy import connection, tenant_context
from apps.demo.content import ORGANIZATIONS
from apps.demo.loading import load
from apps.demo.people import open_accounts
from apps.organizations.models import OrgRole
from config.wsgi import application
from tests.clients import api
from tests.conftest import organization, point_at
from tests.database import ORG_A, Server
from tests.factories import member

EXAMPLES = int(os.environ.get("OPENAPI_EXAMPLES", 2))
"""How many of each kind an operation gets; more of them find more, and take longer."""
MOST_SAID = 500
BASE = "http://a.localhost"
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# Fields whose name is not that of the resource which they refer to.
REFER_TO = {
    "actor": "contacts",
    "assessment": "assessments",
    "attempt_id": "attempts",
    "bank": "question-banks",
    "bank_item": "bank-items",
    "certification_template": "certification-templates",
    "course_version": "course-versions",
    "definition": None,
    "enrollment": "enrollments",
    "item": None,
    "item_id": "assessment-items",
    "module_item": "module-items",
    "node": "requirement-nodes",
    "person": "contacts",
    "program_version": "program-versions",
    "requirement_set": "requirement-sets",
    "survivor": "contacts",
    "template": None,
    "version": None,
}


@pytest.fixture(scope="module")
def token(server: Server, django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """A token of the owner of a demo organisation, in a database of its own."""
    with server.clone("assay_contract") as name, django_db_blocker.unblock():
        point_at(server, name)
        plan = ORGANIZATIONS[0]
        open_accounts(one.email for one in plan.members)
        with tenant_context(organization(ORG_A)):
            load(plan, now=now(), drain=True, say=lambda line: None)
            _row, secret = create_api_token(contact=member(OrgRole.OWNER), name="contract")
        try:
            yield secret
        finally:
            connection.close()
            point_at(server, "assay_test")


class Contract:
    """The document, the caller, and what rows there are to speak of."""

    def __init__(self, token: str) -> None:
        self.headers = {"Authorization": f"Bearer {token}"}
        with tenant_context(organization(ORG_A)):
            caller = api()
            raw = caller.get("/v1/schema", headers={"Accept": "application/vnd.oai.openapi+json"})
            self.schema = schemathesis.openapi.from_dict(raw.json())
            self.schema.app = application
            self.ids = {
                path.removeprefix("/v1/"): self._ids(caller, path)
                for path, methods in raw.json()["paths"].items()
                if f"{path}/{{id}}" in raw.json()["paths"] and "get" in methods
            }
        self.failures: set[str] = set()

    def _ids(self, caller: Any, path: str) -> list[str]:
        page = caller.get(path, {"page_size": 5}, headers=self.headers).json()
        return [row["id"] for row in page.get("results", ())]

    def call(self, case: Case) -> None:
        """Send a case, note what is wrong with the answer, and take back what it did."""
        with transaction.atomic(), connection_kept():
            response = case.call(base_url=BASE, headers=self.headers)
            transaction.set_rollback(True)
        try:
            case.validate_response(response, checks=CHECKS)
        except FailureGroup as found:
            label = f"{case.method.upper()} {case.operation.path}"
            self.failures |= {
                f"{label}: {one.title}: {one.message}"[:MOST_SAID] for one in found.exceptions
            }

    def with_own_ids(self, case: Case, choice: int) -> Case:
        """Return the case with ids of rows that are there, where it has ids at all."""
        resource = case.operation.path.removeprefix("/v1/").partition("/{")[0]
        for name, value in (case.path_parameters or {}).items():
            known = self.ids.get(REFER_TO.get(name) or resource)
            if known and _is_uuid(value):
                case.path_parameters[name] = known[choice % len(known)]
        for place in (case.query, case.body):
            if isinstance(place, dict):
                self._fill(place, choice)
        return case

    def _fill(self, place: dict[str, Any], choice: int) -> None:
        for name, value in place.items():
            known = self.ids.get(REFER_TO.get(name, f"{name}s") or "")
            if known and _is_uuid(value):
                place[name] = known[choice % len(known)]
            elif isinstance(value, dict):
                self._fill(value, choice)


@contextmanager
def connection_kept() -> Iterator[None]:
    """Let requests leave the connection open though a transaction is: as Django's client does."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)


def _is_uuid(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(UUID(value))
    except ValueError:
        return False


def test_every_answer_is_one_that_the_document_names(token: str) -> None:
    contract = Contract(token)
    operations = [result.ok() for result in contract.schema.get_all_operations()]
    tried = 0
    for operation in operations:
        cache.clear()
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

            @settings(
                max_examples=EXAMPLES,
                derandomize=True,
                database=None,
                deadline=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            @given(operation.as_strategy(generation_mode=mode), st.integers(0, 5))
            def send(case: Case, choice: int) -> None:
                nonlocal tried
                tried += 1
                contract.call(contract.with_own_ids(case, choice) if choice else case)

            send()

    assert sorted(contract.failures) == []
    assert (len(operations) > 250, tried > 2 * len(operations)) == (True, True)
