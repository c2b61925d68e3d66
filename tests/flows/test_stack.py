"""The processes come up, find their organisation, and deliver what is owed."""

from __future__ import annotations

import pytest

from apps.contacts.members import SEND_INVITATION
from apps.contacts.services import create_api_token
from apps.core.models import OutboxMessage
from apps.core.outbox import owe
from apps.organizations.models import OrgRole
from tests.factories import member, some_uuid
from tests.flows.conftest import Stack, until

pytestmark = pytest.mark.flow


def test_worker_delivers_what_a_committed_transaction_owes(stack: Stack) -> None:
    stack.start_worker()
    stack.start_beat()

    owe(SEND_INVITATION, str(some_uuid()))

    until(lambda: not OutboxMessage.objects.exists(), what="the outbox to be empty")
    assert "Traceback" not in stack.log("worker")


def test_web_answers_over_http_with_a_token(stack: Stack) -> None:
    stack.start_web()
    owner = member(OrgRole.OWNER)
    _row, secret = create_api_token(contact=owner, name="flow")

    response = stack.client(secret).get("/v1/me")
    foreign = stack.client(secret, organization="b").get("/v1/me")

    assert (response.status_code, response.json()["contact"]) == (200, str(owner.id))
    assert foreign.status_code == 401
