"""/v1/otlp/v1/traces: spans of every convention become messages, each once, in any order."""

from __future__ import annotations

import gzip
import json
from datetime import timedelta
from typing import Any

import pytest
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from rest_framework.test import APIClient

from apps.ai_logs.models import (
    AiInteraction,
    AiInteractionCost,
    AiPendingSpan,
    AiSession,
)
from apps.ai_logs.otlp.decoding import MAX_BYTES, NotOtlp, inflated
from apps.ai_logs.selectors.conversations import reconstruct
from apps.ai_logs.services.spans import flush_pending
from apps.cohorts.services import enroll
from apps.core.clock import now
from apps.organizations.models import OrgRole
from tests.ai_logs.factories import NOON, session, told
from tests.clients import api
from tests.cohorts.factories import open_cohort
from tests.factories import contact, member

pytestmark = pytest.mark.django_db

PATH = "/v1/otlp/v1/traces"
PROTOBUF = "application/x-protobuf"
START = int(NOON.timestamp()) * 10**9
SECOND = 10**9


@pytest.fixture
def exporter() -> APIClient:
    return api(member(OrgRole.ADMIN), scopes=("ingest_ai",))


def any_value(value: Any) -> AnyValue:
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    if isinstance(value, list):
        made = AnyValue()
        made.array_value.values.extend(any_value(one) for one in value)
        return made
    return AnyValue(string_value=value)


def pairs(attributes: dict[str, Any]) -> list[KeyValue]:
    return [KeyValue(key=key, value=any_value(value)) for key, value in attributes.items()]


def span(
    number: int,
    attributes: dict[str, Any],
    *,
    parent: int = 0,
    trace: int = 1,
    minute: int = 0,
    events: tuple[tuple[str, dict[str, Any]], ...] = (),
) -> dict[str, Any]:
    started = START + minute * 60 * SECOND
    return {
        "trace_id": trace.to_bytes(16, "big"),
        "span_id": number.to_bytes(8, "big"),
        "parent_span_id": parent.to_bytes(8, "big") if parent else b"",
        "name": f"span {number}",
        "start_time_unix_nano": started,
        "end_time_unix_nano": started + 2 * SECOND,
        "attributes": pairs(attributes),
        "events": [
            {"name": name, "time_unix_nano": started + SECOND, "attributes": pairs(said)}
            for name, said in events
        ],
    }


def request_of(*spans: dict[str, Any], resource: dict[str, Any] | None = None) -> bytes:
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    group.resource.attributes.extend(pairs({"service.name": "tutor", **(resource or {})}))
    scope = group.scope_spans.add()
    for one in spans:
        scope.spans.add(**one)
    return request.SerializeToString()


def send(client: APIClient, *spans: dict[str, Any], **resource: Any) -> ExportTraceServiceResponse:
    body = request_of(*spans, resource=resource)
    response = client.generic("POST", PATH, body, content_type=PROTOBUF)
    assert (response.status_code, response["Content-Type"]) == (200, PROTOBUF), response.content
    answer = ExportTraceServiceResponse()
    answer.ParseFromString(response.content)
    return answer


def call(question: str, answer: str, **more: Any) -> dict[str, Any]:
    """Return the attributes of a call by the conventions of today."""
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
        "gen_ai.usage.input_tokens": 1000,
        "gen_ai.usage.output_tokens": 200,
        "gen_ai.input.messages": json.dumps(
            [{"role": "user", "parts": [{"type": "text", "content": question}]}]
        ),
        "gen_ai.output.messages": json.dumps(
            [{"role": "assistant", "parts": [{"type": "text", "content": answer}]}]
        ),
        **more,
    }


OLD_OPENLLMETRY = {
    "gen_ai.system": "OpenAI",
    "llm.request.type": "chat",
    "gen_ai.request.model": "gpt-4o-mini",
    "gen_ai.usage.prompt_tokens": 1000,
    "gen_ai.usage.completion_tokens": 200,
    "gen_ai.prompt.0.role": "user",
    "gen_ai.prompt.0.content": "A permit?",
    "gen_ai.completion.0.role": "assistant",
    "gen_ai.completion.0.content": "A permission.",
}
OPENINFERENCE = {
    "openinference.span.kind": "LLM",
    "llm.provider": "openai",
    "llm.model_name": "gpt-4o-mini",
    "llm.token_count.prompt": 1000,
    "llm.token_count.completion": 200,
    "llm.input_messages.0.message.role": "user",
    "llm.input_messages.0.message.content": "A permit?",
    "llm.output_messages.0.message.role": "assistant",
    "llm.output_messages.0.message.content": "A permission.",
}
WITH_EVENTS = {
    "gen_ai.operation.name": "chat",
    "gen_ai.system": "openai",
    "gen_ai.request.model": "gpt-4o-mini",
    "gen_ai.usage.input_tokens": 1000,
    "gen_ai.usage.output_tokens": 200,
}
EVENTS = (
    ("gen_ai.user.message", {"content": "A permit?"}),
    ("gen_ai.choice", {"index": 0, "message": json.dumps({"content": "A permission."})}),
)


@pytest.mark.parametrize(
    ("attributes", "events"),
    [
        (call("A permit?", "A permission."), ()),
        (OLD_OPENLLMETRY, ()),
        (OPENINFERENCE, ()),
        (WITH_EVENTS, EVENTS),
    ],
    ids=["today", "openllmetry", "openinference", "events"],
)
def test_every_convention_tells_the_same(
    exporter: APIClient, attributes: dict[str, Any], events: Any
) -> None:
    answer = send(exporter, span(1, attributes, events=events))

    assert answer == ExportTraceServiceResponse()
    made = AiSession.objects.get()
    assert (made.source, made.service_name) == ("otlp", "tutor")
    assert told(reconstruct(made).lines) == [("user", "A permit?"), ("assistant", "A permission.")]
    row = AiInteraction.objects.get(role="assistant")
    assert (row.input_tokens, row.output_tokens, row.latency_ms) == (1000, 200, 2000)
    assert row.provider == "openai"
    assert str(AiInteractionCost.objects.get().amount) == "0.000270000000000000"


def test_spans_sent_again_are_recorded_once(exporter: APIClient) -> None:
    for _ in range(2):
        send(exporter, span(1, call("?", "!")))

    assert AiInteraction.objects.count() == 2
    assert AiInteractionCost.objects.count() == 1


def test_children_wait_for_the_parent_that_tells_the_conversation(exporter: APIClient) -> None:
    learner = contact("Ada", external_id="s-17")
    send(exporter, span(2, call("first", "1"), parent=1))
    send(exporter, span(3, call("second", "2"), parent=1, minute=1))
    waiting = AiPendingSpan.objects.count(), AiInteraction.objects.count()
    assert b"first" not in bytes(AiPendingSpan.objects.all()[0].sealed_span)

    send(
        exporter,
        span(
            1,
            {
                "gen_ai.operation.name": "invoke_agent",
                "gen_ai.provider.name": "openai",
                "gen_ai.conversation.id": "chat-1",
                "enduser.id": "s-17",
                "gen_ai.usage.input_tokens": 2000,
            },
        ),
    )

    assert waiting == (2, 0)
    assert AiPendingSpan.objects.count() == 0
    made = AiSession.objects.get()
    assert (made.conversation_id, made.contact) == ("chat-1", learner)
    assert told(reconstruct(made).lines) == [
        ("user", "first"),
        ("assistant", "1"),
        ("user", "second"),
        ("assistant", "2"),
    ]
    assert sum(row.input_tokens or 0 for row in AiInteraction.objects.all()) == 2000


def test_children_after_their_parent_join_it_across_a_gap(exporter: APIClient) -> None:
    send(exporter, span(1, {"gen_ai.conversation.id": "chat-1"}))
    send(exporter, span(9, call("?", "!"), parent=5))

    assert AiSession.objects.get().conversation_id == "chat-1"


def test_two_conversations_of_one_trace_stay_apart(exporter: APIClient) -> None:
    send(
        exporter,
        span(1, {"gen_ai.conversation.id": "one"}),
        span(2, {"gen_ai.conversation.id": "two"}),
        span(3, call("a", "1"), parent=1),
        span(4, call("b", "2"), parent=2),
    )

    found = {
        made.conversation_id: told(reconstruct(made).lines)[0] for made in AiSession.objects.all()
    }
    assert found == {"one": ("user", "a"), "two": ("user", "b")}


def test_calls_whose_parent_never_comes_are_recorded_in_time(exporter: APIClient) -> None:
    send(exporter, span(2, call("?", "!"), parent=1))

    assert flush_pending(at=now()) == 0
    assert flush_pending(at=now() + timedelta(minutes=11)) == 1
    assert flush_pending(at=now() + timedelta(minutes=11)) == 0

    made = AiSession.objects.get()
    assert made.conversation_id.startswith("trace:")
    assert AiInteraction.objects.filter(session=made).count() == 2


def test_of_the_whole_history_only_new_messages_are_kept(exporter: APIClient) -> None:
    history = [{"role": "user", "content": "yes"}, {"role": "assistant", "content": "ok"}]
    conversation = {"gen_ai.conversation.id": "chat-1"}
    send(exporter, span(1, call("yes", "ok", **conversation)))
    later = json.dumps([*history, {"role": "user", "content": "yes"}])
    send(
        exporter,
        span(2, call("", "fine", **conversation, **{"gen_ai.input.messages": later}), minute=1),
    )

    assert [words for _role, words in told(reconstruct(AiSession.objects.get()).lines)] == [
        "yes",
        "ok",
        "yes",
        "fine",
    ]


def test_a_tool_call_is_kept_as_parts_and_known_again(exporter: APIClient) -> None:
    asked = {"type": "tool_call", "id": "1", "name": "find", "arguments": {"q": "permit"}}
    again = {
        "role": "assistant",
        "tool_calls": [{"id": "1", "function": {"name": "find", "arguments": '{"q": "permit"}'}}],
    }
    conversation = {"gen_ai.conversation.id": "chat-1"}
    output = json.dumps([{"role": "assistant", "parts": [asked]}])
    send(
        exporter, span(1, call("find it", "", **conversation, **{"gen_ai.output.messages": output}))
    )
    history = [{"role": "user", "content": "find it"}, again, {"role": "tool", "content": "found"}]
    send(
        exporter,
        span(
            2,
            call("", "Here.", **conversation, **{"gen_ai.input.messages": json.dumps(history)}),
            minute=1,
        ),
    )

    lines = reconstruct(AiSession.objects.get()).lines
    assert [line.interaction.role for line in lines] == ["user", "assistant", "tool", "assistant"]
    assert lines[1].kept.content is not None
    assert lines[1].kept.content.media_type == "application/json"


def test_our_own_ids_name_learner_and_session(exporter: APIClient) -> None:
    learner = contact("Ada")
    enrollment = enroll(cohort=open_cohort(), contact=learner, actor=None, at=NOON)
    begun = session(learner)
    send(
        exporter,
        span(1, call("a", "1", **{"assay.enrollment_id": str(enrollment.id)})),
        span(2, call("b", "2", **{"gen_ai.conversation.id": str(begun.id)}), trace=2),
        span(3, call("c", "3", **{"user.id": learner.channels.get().value}), trace=3),
    )

    by_trace = {row.trace_id[-1]: row.session for row in AiInteraction.objects.exclude(span_id="")}
    assert by_trace["1"].enrollment == enrollment
    assert by_trace["2"] == begun
    assert {made.contact for made in by_trace.values()} == {learner}


def test_what_cannot_be_recorded_is_counted_and_told(exporter: APIClient) -> None:
    nobody = {"assay.contact_id": "0a000000-0000-7000-8000-000000000999"}
    broken = {**span(3, call("?", "!")), "trace_id": b"short"}
    answer = send(
        exporter,
        span(1, call("?", "!")),
        span(2, call("?", "!", **nobody), trace=2),
        broken,
        span(4, {"http.request.method": "GET"}),
    )

    assert answer.partial_success.rejected_spans == 2
    assert "assay.contact_id" in answer.partial_success.error_message
    assert "trace id" in answer.partial_success.error_message
    assert AiInteraction.objects.exclude(span_id="").count() == 1


def test_cached_tokens_are_priced_once(exporter: APIClient) -> None:
    send(exporter, span(1, call("?", "!", **{"gen_ai.usage.cache_read.input_tokens": 400})))

    cost = AiInteractionCost.objects.get()
    assert str(cost.amount) == "0.000240000000000000"


def test_json_is_taken_and_answered_as_json(exporter: APIClient) -> None:
    body = {
        "resourceSpans": [
            {
                "newMember": 1,
                "scopeSpans": [
                    {
                        "spans": [
                            {
                                "traceId": "5B8EFFF798038103D269B633813FC60C",
                                "spanId": "EEE19B7EC3C1B174",
                                "startTimeUnixNano": str(START),
                                "endTimeUnixNano": str(START + SECOND),
                                "kind": 3,
                                "attributes": [
                                    {"key": key, "value": {"stringValue": value}}
                                    for key, value in (
                                        ("gen_ai.operation.name", "chat"),
                                        ("gen_ai.provider.name", "openai"),
                                        ("gen_ai.request.model", "gpt-4o"),
                                    )
                                ],
                            }
                        ]
                    }
                ],
            }
        ]
    }

    response = exporter.generic("POST", PATH, json.dumps(body), content_type="application/json")

    assert (response.status_code, response.json()) == (200, {})
    row = AiInteraction.objects.get()
    assert (row.trace_id, row.span_id) == ("5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174")


def test_gzip_is_inflated_and_bounded(exporter: APIClient) -> None:
    body = gzip.compress(request_of(span(1, call("?", "!"))))
    response = exporter.generic(
        "POST", PATH, body, content_type=PROTOBUF, HTTP_CONTENT_ENCODING="gzip"
    )
    bomb = exporter.generic(
        "POST",
        PATH,
        gzip.compress(bytes(41 * 1024 * 1024)),
        content_type=PROTOBUF,
        HTTP_CONTENT_ENCODING="gzip",
    )
    large = exporter.generic("POST", PATH, bytes(MAX_BYTES + 1), content_type=PROTOBUF)

    assert [response.status_code, bomb.status_code, large.status_code] == [200, 413, 413]
    assert AiInteraction.objects.count() == 2
    with pytest.raises(NotOtlp, match="middle"):
        inflated(body[:-9], "gzip")


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"\xff\xff", {"content_type": PROTOBUF}, 400, 3),
        (b"[]", {"content_type": "application/json"}, 400, 3),
        (b"{", {"content_type": "application/json"}, 400, 3),
        (b"", {"content_type": "text/plain"}, 415, 3),
        (b"x", {"content_type": PROTOBUF, "HTTP_CONTENT_ENCODING": "br"}, 400, 3),
        (b"x", {"content_type": PROTOBUF, "HTTP_CONTENT_ENCODING": "gzip"}, 400, 3),
    ],
)
def test_a_refusal_is_a_status_in_the_clients_form(
    exporter: APIClient, body: bytes, headers: dict[str, str], status: int, code: int
) -> None:
    response = exporter.generic("POST", PATH, body, **headers)

    assert response.status_code == status
    if headers["content_type"] == "application/json":
        assert response.json()["code"] == code
        return
    told_ = Status()
    told_.ParseFromString(response.content)
    assert (response["Content-Type"], told_.code) == (PROTOBUF, code)
    assert told_.message


def test_only_who_may_ingest_sends() -> None:
    body = request_of(span(1, call("?", "!")))
    stranger = api().generic("POST", PATH, body, content_type=PROTOBUF)
    learner = api(member()).generic("POST", PATH, body, content_type=PROTOBUF)

    assert [stranger.status_code, learner.status_code] == [401, 403]
    assert stranger["WWW-Authenticate"].startswith("Bearer")
    told_ = Status()
    told_.ParseFromString(stranger.content)
    assert told_.code == 16
