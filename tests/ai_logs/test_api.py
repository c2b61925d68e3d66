"""/v1/ai: recording, reading, thinking about and erasing conversations."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from apps.ai_logs.models import (
    AiFeedback,
    AiInteraction,
    AiSafetyReview,
    AiSession,
    AiSessionKey,
)
from apps.ai_logs.services.erasure import erase_session
from apps.ai_logs.vocabulary import ErasureReason
from apps.cohorts.models import CohortEnrollment, StaffRole
from apps.cohorts.services import add_staff, enroll
from apps.contacts.models import AdminAction, Contact
from apps.organizations.models import OrgRole
from tests.ai_logs.factories import NOON, answered, conversation, record, session
from tests.clients import api, problem_of
from tests.cohorts.factories import open_cohort
from tests.factories import contact, member, some_uuid

pytestmark = pytest.mark.django_db

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
ANSWER = {
    "role": "assistant",
    "content": "A written permission.",
    "provider": "openai",
    "requested_model": "gpt-4o-mini",
    "responded_model": "gpt-4o-mini-2024-07-18",
    "input_tokens": 1000,
    "output_tokens": 200,
    "cached_tokens": 400,
    "latency_ms": 900,
    "trace_id": TRACE,
    "span_id": SPAN,
}


@pytest.fixture
def ingest() -> APIClient:
    """A client of an administrator's, narrowed to recording."""
    return api(member(OrgRole.ADMIN), scopes=("ingest_ai",))


@pytest.fixture
def learner() -> Contact:
    return member(OrgRole.LEARNER, name="Ada")


def enrolled(person: Contact, *, beside: CohortEnrollment | None = None) -> CohortEnrollment:
    """Return an enrolment in a new cohort, of the same program as another one."""
    cohort = open_cohort(beside.cohort.program_version, slug="autumn") if beside else open_cohort()
    return enroll(cohort=cohort, contact=person, actor=None, at=NOON)


def staff_of(enrollment: CohortEnrollment) -> Contact:
    person = member(OrgRole.INSTRUCTOR)
    add_staff(cohort=enrollment.cohort, contact=person, role=StaffRole.INSTRUCTOR, actor=person)
    return person


def test_a_client_records_a_conversation_from_beginning_to_end(
    ingest: APIClient, learner: Contact
) -> None:
    enrollment = enrolled(learner)
    begun = ingest.post(
        "/v1/ai/sessions",
        {
            "enrollment": str(enrollment.id),
            "conversation_id": "chat-1",
            "started_at": NOON.isoformat(),
        },
    )
    path = f"/v1/ai/sessions/{begun.json()['id']}"
    question = ingest.post(f"{path}/interactions", {"role": "user", "content": "A permit?"})
    answer = ingest.post(f"{path}/interactions", ANSWER)
    ended = ingest.post(f"{path}/end", {})

    assert (begun.status_code, begun.json()["contact"]) == (201, str(learner.id))
    assert question.status_code == 201
    assert (question.json()["seq"], question.json()["outcome"]) == (1, "created")
    assert (answer.status_code, answer.json()["seq"]) == (201, 2)
    assert ended.json()["ended_at"] is not None
    told = api(learner).get(f"{path}/conversation").json()
    assert (told["is_intact"], told["erasure"], told["missing_rows"]) == (True, None, [])
    assert [(line["interaction"]["role"], line["content"]["text"]) for line in told["lines"]] == [
        ("user", "A permit?"),
        ("assistant", "A written permission."),
    ]
    cost = told["lines"][1]["interaction"]["cost"]
    # 600 × 0.15 + 400 × 0.075 + 200 × 0.6 in millionths
    assert (cost["amount"], cost["currency"]) == ("0.000240000000000000", "USD")


def test_the_same_conversation_of_the_same_person_is_answered_200(
    ingest: APIClient, learner: Contact
) -> None:
    body = {"contact": str(learner.id), "conversation_id": "chat-1"}

    first, again = ingest.post("/v1/ai/sessions", body), ingest.post("/v1/ai/sessions", body)
    other = ingest.post("/v1/ai/sessions", {**body, "contact": str(contact().id)})

    assert [one.status_code for one in (first, again, other)] == [201, 200, 201]
    assert first.json()["id"] == again.json()["id"] != other.json()["id"]


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"contact": "x"}, 422, "contact"),
        ({"contact": str(some_uuid())}, 404, "contact"),
        ({"enrollment": str(some_uuid())}, 404, "enrollment"),
        ({"module_item": str(some_uuid())}, 404, "module_item"),
        ({"session_type": "gossip"}, 422, "session_type"),
        ({"conversation_id": "x" * 201}, 422, "conversation_id"),
        ({"learner": "x"}, 422, "learner"),
    ],
)
def test_a_session_is_refused_naming_the_field(
    ingest: APIClient, body: dict[str, Any], status: int, field: str
) -> None:
    response = ingest.post("/v1/ai/sessions", body)

    assert response.status_code == status
    assert [error["field"] for error in response.json()["errors"]] == [field]


def test_a_session_with_anothers_enrolment_is_refused(ingest: APIClient, learner: Contact) -> None:
    body = {"contact": str(contact().id), "enrollment": str(enrolled(learner).id)}

    assert problem_of(ingest.post("/v1/ai/sessions", body)) == (
        422,
        "urn:assay:problem:enrollment-of-another-contact",
    )


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"role": "robot"}, "role"),
        ({"content": 7}, "content"),
        ({"content": "x" * 1_000_001}, "content"),
        ({"cached_tokens": 1001}, "cached_tokens"),
        ({"reasoning_tokens": 201}, "reasoning_tokens"),
        ({"input_tokens": -1}, "input_tokens"),
        ({"span_id": None}, "span_id"),
        ({"span_id": "xyz"}, "span_id"),
        ({"artefacts": [{"name": "x", "media_type": "image/png", "base64": "?"}]},
         "artefacts.0.base64"),
        ({"artefacts": [{"name": "x", "media_type": "png", "base64": ""}]},
         "artefacts.0.media_type"),
        ({"prompt": "x"}, "prompt"),
    ],
)  # fmt: skip
def test_a_message_is_refused_naming_the_field(
    ingest: APIClient, fields: dict[str, Any], field: str
) -> None:
    made = session()

    response = ingest.post(f"/v1/ai/sessions/{made.id}/interactions", {**ANSWER, **fields})

    assert response.status_code == 422
    assert field in [error["field"] for error in response.json()["errors"]]
    assert AiInteraction.objects.count() == 0


def test_half_a_span_and_tokens_of_a_question_are_refused(ingest: APIClient) -> None:
    path = f"/v1/ai/sessions/{session().id}/interactions"
    half = {name: value for name, value in ANSWER.items() if name != "span_id"}

    errors = [
        ingest.post(path, body).json()["errors"][0]["field"]
        for body in (half, {"role": "user", "content": "?", "input_tokens": 3})
    ]

    assert errors == ["span_id", "input_tokens"]


def test_a_list_has_an_outcome_for_each_message(ingest: APIClient) -> None:
    path = f"/v1/ai/sessions/{session().id}/interactions"
    ingest.post(path, ANSWER)

    response = ingest.post(
        path, [{"role": "user", "content": "?"}, {"role": "robot"}, ANSWER, "nonsense"]
    )

    assert response.status_code == 200
    assert [one["outcome"] for one in response.json()["outcomes"]] == [
        "created",
        "refused",
        "repeated",
        "refused",
    ]
    assert response.json()["outcomes"][1]["problem"]["errors"][0]["field"] == "role"


def test_a_span_sent_twice_is_recorded_once(ingest: APIClient) -> None:
    path = f"/v1/ai/sessions/{session().id}/interactions"

    first, again = ingest.post(path, ANSWER), ingest.post(path, ANSWER)

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]


def test_under_an_idempotency_key_a_message_is_recorded_once(ingest: APIClient) -> None:
    path = f"/v1/ai/sessions/{session().id}/interactions"
    question = {"role": "user", "content": "yes"}

    answers = [ingest.post(path, question, HTTP_IDEMPOTENCY_KEY="k") for _ in range(2)]
    many = [ingest.post(path, [question, {}], HTTP_IDEMPOTENCY_KEY="m") for _ in range(2)]

    assert answers[0].json() == answers[1].json()
    assert answers[1].headers["Idempotency-Replayed"] == "true"
    assert many[0].json() == many[1].json()
    assert AiInteraction.objects.count() == 2


def test_more_than_500_at_once_are_too_many(ingest: APIClient) -> None:
    path = f"/v1/ai/sessions/{session().id}/interactions"
    one = {"role": "user", "content": "x"}

    assert problem_of(ingest.post(path, [one] * 501)) == (
        413,
        "urn:assay:problem:too-many-interactions",
    )
    assert ingest.post(path, [one] * 500).status_code == 200
    assert AiInteraction.objects.count() == 500


def test_nothing_is_added_to_an_ended_or_erased_session(ingest: APIClient) -> None:
    ended, erased = session(), session(contact())
    ingest.post(f"/v1/ai/sessions/{ended.id}/end", {"ended_at": NOON.isoformat()})
    erase_session(session=erased, reason=ErasureReason.RETENTION, actor=None)

    codes = [
        problem_of(ingest.post(f"/v1/ai/sessions/{made.id}/interactions", ANSWER))
        for made in (ended, erased)
    ]

    assert codes == [
        (409, "urn:assay:problem:ai-session-ended"),
        (409, "urn:assay:problem:ai-session-erased"),
    ]


def test_a_session_cannot_end_before_it_began(ingest: APIClient) -> None:
    early = (NOON - timedelta(days=1)).isoformat()

    response = ingest.post(f"/v1/ai/sessions/{session().id}/end", {"ended_at": early})

    assert problem_of(response) == (422, "urn:assay:problem:ai-session-ends-too-early")


def test_only_who_may_ingest_records(learner: Contact) -> None:
    made = session(learner)
    for person in (learner, member(OrgRole.INSTRUCTOR), member(OrgRole.AUDITOR)):
        client = api(person)
        assert client.post("/v1/ai/sessions", {}).status_code == 403
        assert client.post(f"/v1/ai/sessions/{made.id}/interactions", ANSWER).status_code == 403
        assert client.post(f"/v1/ai/sessions/{made.id}/end", {}).status_code == 403
    assert api().post("/v1/ai/sessions", {}).status_code == 401


def test_who_reads_a_conversation(learner: Contact, ingest: APIClient) -> None:
    enrollment = enrolled(learner)
    made = conversation(learner, enrollment=enrollment)
    path = f"/v1/ai/sessions/{made.id}"
    answers = {
        name: (
            client.get(path).status_code,
            client.get(f"{path}/conversation").status_code,
            len(client.get("/v1/ai/sessions").json()["results"]),
            len(client.get("/v1/ai/interactions").json()["results"]),
        )
        for name, client in {
            "learner": api(learner),
            "another": api(member()),
            "staff": api(staff_of(enrollment)),
            "other staff": api(staff_of(enrolled(member(), beside=enrollment))),
            "auditor": api(member(OrgRole.AUDITOR)),
            "admin": api(member(OrgRole.ADMIN)),
            "ingest": ingest,
        }.items()
    }

    seen, unseen = (200, 200, 1, 2), (404, 404, 0, 0)
    assert answers == {
        "learner": seen,
        "another": unseen,
        "staff": seen,
        "other staff": unseen,
        "auditor": seen,
        "admin": seen,
        "ingest": unseen,
    }


def test_reading_somebody_elses_conversation_is_put_on_record(learner: Contact) -> None:
    made = conversation(learner)
    auditor = member(OrgRole.AUDITOR)

    api(learner).get(f"/v1/ai/sessions/{made.id}/conversation")
    api(auditor).get(f"/v1/ai/sessions/{made.id}/conversation")

    [action] = AdminAction.objects.filter(action="aisession.read")
    assert (action.actor, action.entity_id) == (auditor, made.id)


def test_the_log_tells_tokens_and_cost_but_no_words(learner: Contact) -> None:
    made = conversation(learner)

    response = api(learner).get(f"/v1/ai/interactions?session={made.id}&role=assistant")

    [row] = response.json()["results"]
    assert (row["input_tokens"], row["has_content"], row["cost"]["currency"]) == (1000, True, "USD")
    assert "permission" not in response.content.decode()
    assert api(learner).get(f"/v1/ai/interactions/{row['id']}").json() == row


def test_calls_of_unknown_cost_are_listed(learner: Contact) -> None:
    made = conversation(learner)
    [unknown] = record(made.id, answered("!", provider="ours", responded_model="own"))
    client = api(learner)

    told = client.get("/v1/ai/interactions?is_unpriced=true").json()["results"]
    others = client.get("/v1/ai/interactions?is_unpriced=false").json()["results"]

    assert [row["id"] for row in told] == [str(unknown.id)]
    assert told[0]["cost"] == {
        "amount": None,
        "currency": "",
        "unpriced_because": "no_price",
        "revision": 1,
    }
    assert len(others) == 2


@pytest.mark.parametrize("path", ["/v1/ai/sessions", "/v1/ai/interactions"])
def test_lists_take_as_many_statements_for_twenty_rows_as_for_two(path: str) -> None:
    auditor = api(member(OrgRole.AUDITOR))
    auditor.get("/v1/me")  # the first request looks up its host
    counts = []
    for more in (1, 9):
        for _ in range(more):
            conversation(contact())
        with CaptureQueriesContext(connection) as statements:
            response = auditor.get(path)
        counts.append(len(statements))
        assert len(response.json()["results"]) >= more

    assert counts[0] == counts[1]


def test_sessions_are_filtered_by_time_and_context(learner: Contact) -> None:
    enrollment = enrolled(learner)
    first = conversation(learner, enrollment=enrollment)
    second = conversation(learner, started_at=NOON + timedelta(days=1))
    client = api(learner)

    def found(query: str) -> set[str]:
        return {row["id"] for row in client.get(f"/v1/ai/sessions?{query}").json()["results"]}

    assert found(f"enrollment={enrollment.id}") == {str(first.id)}
    assert found(f"started_after={(NOON + timedelta(hours=1)):%Y-%m-%dT%H:%M:%SZ}") == {
        str(second.id)
    }
    assert found("session_type=content_generation") == set()


def test_feedback_is_given_changed_and_read(learner: Contact) -> None:
    enrollment = enrolled(learner)
    made = conversation(learner, enrollment=enrollment)
    answer = AiInteraction.objects.get(session=made, seq=2)
    path = f"/v1/ai/interactions/{answer.id}/feedback"
    client = api(learner)

    given = client.post(path, {"rating": "thumbs_up", "comment": "Clear."})
    again = client.post(path, {"rating": "thumbs_up", "comment": "Clear."})
    changed = client.post(path, {"rating": "flag", "comment": "Wrong after all."})
    read = api(staff_of(enrollment)).get(path)

    assert (given.status_code, again.status_code, changed.status_code) == (201, 200, 201)
    assert given.json()["id"] == again.json()["id"]
    assert [(one["rating"], one["comment"], one["revision"]) for one in read.json()] == [
        ("flag", "Wrong after all.", 2)
    ]
    assert AiSafetyReview.objects.get().interaction == answer
    stored = [bytes(row.sealed_comment) for row in AiFeedback.objects.all()]
    assert not any(b"Clear" in comment or b"Wrong" in comment for comment in stored)


def test_feedback_repeated_under_a_key_is_one(learner: Contact) -> None:
    answer = AiInteraction.objects.get(session=conversation(learner), seq=2)
    path = f"/v1/ai/interactions/{answer.id}/feedback"
    body = {"rating": "thumbs_down", "comment": "No."}

    first, again = (api(learner).post(path, body, HTTP_IDEMPOTENCY_KEY="k") for _ in range(2))

    assert first.json() == again.json()
    assert AiFeedback.objects.count() == 1


def test_a_client_gives_feedback_for_others_and_reads_none(
    ingest: APIClient, learner: Contact
) -> None:
    answer = AiInteraction.objects.get(session=conversation(learner), seq=2)
    path = f"/v1/ai/interactions/{answer.id}/feedback"

    given = ingest.post(path, {"rating": "thumbs_up", "contact": str(learner.id)})

    assert (given.status_code, given.json()["contact"]) == (201, str(learner.id))
    assert AiFeedback.objects.get().asserted_by is not None
    assert ingest.get(path).status_code == 403


def test_nobody_else_speaks_for_another(learner: Contact) -> None:
    other = member()
    answer = AiInteraction.objects.get(session=conversation(learner), seq=2)
    path = f"/v1/ai/interactions/{answer.id}/feedback"

    forged = api(learner).post(path, {"rating": "flag", "contact": str(other.id)})
    foreign = api(other).post(path, {"rating": "flag"})

    assert (forged.status_code, foreign.status_code) == (403, 404)
    assert AiFeedback.objects.count() == 0


def test_a_learner_erases_their_own_conversation(learner: Contact) -> None:
    made = conversation(learner)
    client = api(learner)

    erased = client.post(f"/v1/ai/sessions/{made.id}/erase", {"note": "please"})
    again = client.post(f"/v1/ai/sessions/{made.id}/erase", {})
    told = client.get(f"/v1/ai/sessions/{made.id}/conversation").json()

    assert erased.status_code == 200
    assert erased.json()["erasure"]["reason"] == "learner_request"
    assert erased.json()["erasure"]["erased_by"] == str(learner.id)
    assert again.json() == erased.json()
    assert told["erasure"] == erased.json()["erasure"]
    assert {line["content"]["state"] for line in told["lines"]} == {"erased"}
    assert told["lines"][1]["interaction"]["input_tokens"] == 1000
    assert not AiSessionKey.objects.filter(session=made).exists()


def test_who_erases_conversations_of_others(learner: Contact) -> None:
    enrollment = enrolled(learner)

    def erase(client: APIClient) -> int:
        made = conversation(learner, enrollment=enrollment)
        status: int = client.post(f"/v1/ai/sessions/{made.id}/erase", {}).status_code
        return status

    assert [
        erase(api(member(OrgRole.OWNER))),
        erase(api(member(OrgRole.ADMIN))),
        erase(api(member(OrgRole.AUDITOR))),
        erase(api(staff_of(enrollment))),
        erase(api(member())),
        erase(api(member(OrgRole.ADMIN), scopes=("ingest_ai",))),
    ] == [200, 200, 403, 403, 404, 404]


def test_a_learner_waits_for_a_review(learner: Contact) -> None:
    made = conversation(learner)
    answer = AiInteraction.objects.get(session=made, seq=2)
    client = api(learner)
    client.post(f"/v1/ai/interactions/{answer.id}/feedback", {"rating": "flag"})

    assert problem_of(client.post(f"/v1/ai/sessions/{made.id}/erase", {})) == (
        409,
        "urn:assay:problem:ai-session-under-review",
    )


def test_an_artefact_is_downloaded_as_a_file_and_not_run(
    ingest: APIClient, learner: Contact
) -> None:
    made = session(learner)
    page = b"<script>alert(1)</script>"
    files = [
        {"name": "page.html", "media_type": "text/html", "base64": base64.b64encode(page).decode()},
        {"name": "dot.png", "media_type": "image/png", "base64": "iVBORw0KGgo="},
    ]
    ingest.post(f"/v1/ai/sessions/{made.id}/interactions", {**ANSWER, "artefacts": files})
    client = api(learner)
    [line] = client.get(f"/v1/ai/sessions/{made.id}/conversation").json()["lines"]

    got = [client.get(f"/v1/ai/contents/{one['id']}") for one in line["artefacts"]]

    assert [one["name"] for one in line["artefacts"]] == ["page.html", "dot.png"]
    assert (got[0].content, got[0]["Content-Type"]) == (page, "application/octet-stream")
    assert got[1]["Content-Type"] == "image/png"
    assert all(one["Content-Disposition"].startswith("attachment") for one in got)
    assert api(member()).get(f"/v1/ai/contents/{line['artefacts'][0]['id']}").status_code == 404
    erase_session(session=made, reason=ErasureReason.RETENTION, actor=None)
    gone = client.get(f"/v1/ai/contents/{line['artefacts'][0]['id']}")
    assert (problem_of(gone), gone.json()["state"]) == (
        (409, "urn:assay:problem:ai-content-not-readable"),
        "erased",
    )


def test_a_message_itself_is_no_artefact(learner: Contact) -> None:
    made = conversation(learner)
    content = AiSession.objects.get(pk=made.pk).contents.all()[0]

    assert api(learner).get(f"/v1/ai/contents/{content.id}").status_code == 404


def test_what_is_not_here_is_not_found(ingest: APIClient) -> None:
    nothing = some_uuid()
    owner = api(member(OrgRole.OWNER))

    assert [
        ingest.post(f"/v1/ai/sessions/{nothing}/interactions", ANSWER).status_code,
        ingest.post(f"/v1/ai/sessions/{nothing}/end", {}).status_code,
        owner.get(f"/v1/ai/sessions/{nothing}").status_code,
        owner.get(f"/v1/ai/sessions/{nothing}/conversation").status_code,
        owner.post(f"/v1/ai/sessions/{nothing}/erase", {}).status_code,
        owner.get(f"/v1/ai/interactions/{nothing}").status_code,
        owner.post(f"/v1/ai/interactions/{nothing}/feedback", {"rating": "flag"}).status_code,
        owner.get(f"/v1/ai/contents/{nothing}").status_code,
    ] == [404] * 8
