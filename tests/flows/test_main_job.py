"""The main job, over real HTTP with a real worker: from a roster to a certificate and its end."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from openbadgeslib.ob3 import OB3LdpVerifier, OB3VerificationError

from apps.cohorts import ports
from apps.cohorts.services import Meeting, schedule_session
from apps.contacts.services import contact_by_email, create_api_token
from apps.core.clock import now
from apps.organizations.models import OrgRole
from apps.requirements.graph import NodeKind, NodeSpec
from apps.requirements.models import Purpose
from tests.assessment.factories import RIGHT, cohort_with, published_assessment
from tests.credentials.factories import published_template
from tests.factories import member
from tests.flows.conftest import HttpClient, Stack, until
from tests.requirements.factories import published_set
from tests.requirements.graphs import group
from tests.requirements.graphs import member as belongs

pytestmark = pytest.mark.flow

ROSTER = "name,email\nAda Lovelace,ada@example.org\nGeorge Boole,george@example.org\n"


@pytest.fixture(autouse=True)
def _every_program_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports.program_is_ready, "_answer", lambda program_version_id: True)


def token_of(contact: Any) -> str:
    return create_api_token(contact=contact, name="flow")[1]


def read_by_others(http: HttpClient) -> Callable[..., bytes]:
    """Return how openbadgeslib fetches the issuer's keys: from the running server."""

    def download(url: str, *_args: Any, **_kwargs: Any) -> bytes:
        return http.get("/" + url.split("/", 3)[3]).content

    return download


def test_from_a_roster_to_a_certificate_that_anybody_can_verify(stack: Stack) -> None:
    version = published_assessment()
    cohort = cohort_with(version)
    certification = published_set(
        cohort.program_version.definition,
        NodeSpec("quiz", NodeKind.ASSESSMENT_PASSED, assessment=version.definition_id),
        NodeSpec("there", NodeKind.ATTENDANCE, attendance_count=1),
        group("all", group_min_count=2, is_root=True),
        belongs("quiz", "all"),
        belongs("there", "all"),
        slug="certification",
        purpose=Purpose.CERTIFICATION,
    )
    published_template(certification)
    session = schedule_session(
        cohort=cohort,
        meeting=Meeting("Practice"),
        starts_at=now() - timedelta(hours=2),
        ends_at=now() - timedelta(hours=1),
        actor=None,
    )
    stack.start_web()
    stack.start_worker()
    stack.start_beat()
    registrar = stack.client(token_of(member(OrgRole.OWNER)))
    anybody = stack.client()

    # Roster -> cohort
    roster = registrar.post(
        f"/v1/cohorts/{cohort.id}/roster?filename=roster.csv",
        data=ROSTER.encode(),
        headers={"Content-Type": "text/csv"},
    )
    assert roster.status_code == 202, roster.text
    where = roster.headers["Location"]
    until(lambda: registrar.get(where).json()["status"] == "done", what="the roster's import")
    ada = contact_by_email("ada@example.org")
    assert ada is not None
    enrolled = registrar.get(f"/v1/enrollments?cohort={cohort.id}").json()["results"]
    [enrollment] = [one["id"] for one in enrolled if one["contact"] == str(ada.id)]

    # Attendance
    sheet = registrar.put(
        f"/v1/sessions/{session.id}/attendance",
        json={"entries": [{"enrollment": enrollment, "status": "present", "revision": 0}]},
    )
    assert sheet.ok, sheet.text

    # Attempt -> Celery grading
    learner = stack.client(token_of(ada))
    started = learner.post(f"/v1/assessments/{version.definition_id}/attempts", json={})
    assert started.status_code == 201, started.text
    attempt = started.json()["id"]
    for item in version.items.all():
        saved = learner.put(
            f"/v1/attempts/{attempt}/responses/{item.id}",
            json={"value": RIGHT[item.key], "sequence": 1},
        )
        assert (saved.status_code, saved.json()["sequence"]) == (200, 1), saved.text
    assert learner.post(f"/v1/attempts/{attempt}/submit", json={}).status_code == 202

    def awards() -> list[Any]:
        found: list[Any] = registrar.get("/v1/certification-awards").json()["results"]
        return found

    until(lambda: bool(awards()), what="the award")

    # Evaluation with evidence -> award
    assert learner.get(f"/v1/attempts/{attempt}").json()["status"] == "graded"
    evaluations = registrar.get(
        f"/v1/requirements/evaluations?enrollment={enrollment}&status=satisfied"
    ).json()["results"]
    evidence = [
        registrar.get(f"/v1/requirements/evaluations/{one['id']}").json()["evidence"]
        for one in evaluations
    ]
    assert evidence
    assert all(evidence)
    [award] = awards()

    # Anybody verifies
    verified = anybody.get(f"/v1/credentials/{award['id']}/verify")
    assert (verified.status_code, verified.json()["state"]) == (200, "valid"), verified.text
    signed = anybody.get(f"/v1/credentials/{award['id']}").content
    issuer = json.loads(signed)["issuer"]
    did = issuer if isinstance(issuer, str) else issuer["id"]
    download = read_by_others(anybody)
    independent = OB3LdpVerifier.for_issuer_did(did)
    assert independent.verify(signed, download=download).id == json.loads(signed)["id"]
    place = signed.index(b"Ada Lovelace")
    tampered = signed[:place] + b"Eda" + signed[place + 3 :]
    with pytest.raises(OB3VerificationError):
        independent.verify(tampered, download=download)

    # Revoked with a reason, seen at once
    revoked = registrar.post(
        f"/v1/certification-awards/{award['id']}/revoke", json={"reason": "Issued in error."}
    )
    assert revoked.ok, revoked.text
    assert anybody.get(f"/v1/credentials/{award['id']}/verify").json()["state"] == "invalid"
    for name in ("web", "worker"):
        assert "Traceback" not in stack.log(name), stack.log(name)
