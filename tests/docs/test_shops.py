"""docs/how-to/shops.md: its program, with its order, against a real server."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from apps.commerce.models import Order
from apps.commerce.vocabulary import DeliveryOutcome, LineOutcome, PaymentState, Reason
from apps.core.tenancy import connection
from apps.organizations.models import OrganizationDomain
from tests.cohorts.factories import open_cohort, states
from tests.commerce.factories import shop
from tests.docs.sources import ROOT
from tests.flows.conftest import Stack, stack

__all__ = ["stack"]

PAGE = (ROOT / "docs" / "how-to" / "shops.md").read_text(encoding="utf-8")


def example(language: str) -> str:
    found = re.search(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


def answer_at(host: str) -> None:
    """Let the organisation in force be reached by another host."""
    tenant = connection.tenant
    with connection.platform():
        OrganizationDomain.objects.create(tenant=tenant, domain=host, is_primary=False)


@pytest.mark.flow
def test_the_program_sends_the_order(stack: Stack, tmp_path: Path) -> None:
    cohort, own = open_cohort(), shop("EUR")
    own.sells(cohort)
    answer_at("127.0.0.1")  # not every machine resolves names below `localhost`
    stack.start_web(workers=1)
    program = tmp_path / "send_order.py"
    program.write_text(example("python"))
    url = f"http://127.0.0.1:{stack.port}/v1/commerce/orders"

    sent = [
        subprocess.run(
            [sys.executable, str(program), url, secret],
            input=example("json"),
            capture_output=True,
            text=True,
            check=False,
        )
        for secret in (own.secret, own.secret, "whsec_" + "A" * 44)
    ]

    lines = ["RESPONDER Ada Lovelace enrolled ", "RESPONDER Bob cancelled "]
    assert [one.stdout.splitlines() for one in sent] == [
        ["applied", *lines],
        ["unchanged", *lines],
        [],
    ]
    assert "HTTP Error 401" in sent[2].stderr
    assert states(cohort) == {"Ada Lovelace": "enrolled"}
    assert Order.objects.get().buyer.display_name == "Human Resources"


def test_the_page_names_every_word_that_an_answer_may_say() -> None:
    spoken = {
        *PaymentState.values,
        *LineOutcome.values,
        *DeliveryOutcome.values,
        *Reason.values,
    } - {LineOutcome.GRANTED, DeliveryOutcome.REFUSED}  # told as the enrolment; as a problem

    assert {word for word in spoken if f"`{word}`" not in PAGE} == set()
