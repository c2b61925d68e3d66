"""docs/tutorial/api-client.md runs as it stands, against a real server."""

from __future__ import annotations

import re
import socket
from typing import Any

import pytest

from apps.cohorts.models import CohortEnrollment, ProgressEvent
from apps.contacts.services import create_api_token
from apps.organizations.models import OrgRole
from tests.assessment.factories import scene
from tests.docs.sources import ROOT
from tests.factories import member
from tests.flows.conftest import Stack

pytestmark = pytest.mark.flow

PAGE = (ROOT / "docs" / "tutorial" / "api-client.md").read_text(encoding="utf-8")
PROGRAM = "\n".join(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL))


@pytest.fixture
def _localhost_has_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not every machine resolves names below `localhost`."""
    resolve = socket.getaddrinfo

    def getaddrinfo(host: Any, *rest: Any, **options: Any) -> Any:
        is_local = isinstance(host, str) and host.endswith(".localhost")
        return resolve("127.0.0.1" if is_local else host, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@pytest.mark.usefixtures("_localhost_has_names")
def test_the_program_of_the_page_runs(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cohort = scene().cohort
    _row, secret = create_api_token(contact=member(OrgRole.OWNER), name="player")
    stack.start_web()
    stack.start_worker()
    monkeypatch.setenv("ASSAY_URL", f"http://a.localhost:{stack.port}")
    monkeypatch.setenv("ASSAY_TOKEN", secret)
    told: dict[str, Any] = {}

    exec(compile(PROGRAM, "api-client.md", "exec"), told)  # noqa: S102 - the page's own program

    learner = CohortEnrollment.objects.get(cohort=cohort, contact__display_name="Ada Lovelace")
    assert told["enrollment"]["id"] == str(learner.id)
    read = ProgressEvent.objects.get(enrollment=learner, type="item_completed")
    assert str(read.entity_id) == told["lesson"]["id"]
    assert capsys.readouterr().out.startswith("owner\n")
