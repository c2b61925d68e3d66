"""Hostile requests at every address of /v1, over real HTTP: refused precisely, nothing changed."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from apps.contacts.services import create_api_token, revoke_api_token
from apps.core.clock import now
from tests.bad_input.conftest import Answer, Served
from tests.bad_input.operations import JSON, Operation, operations
from tests.walls.world import picture

pytestmark = pytest.mark.flow

CALLERS = 4
# What a request leaves behind whatever comes of it: when a token was used last.
BOOKKEEPING = {"api_tokens"}
# Addresses that speak a protocol of others, with refusals of its own.
OTHERWISE = {"v1/otlp/v1/traces", "v1/commerce/orders"}
# Addresses that take many things at a time, and tell of each by itself why it was refused.
TELLING_EACH = {"v1/progress/events", "v1/ai/sessions/<uuid:pk>/interactions"}

# No JSON text at all, or one that means nothing that could be stored.
UNREADABLE = {
    "cut off": b'{"title": "a',
    "nothing that is JSON": b"title=a",
    "not UTF-8": b'{"title": "\xff\xfe"}',
    "NUL": b'{"title": "a\\u0000b"}',
    "NUL in a name": b'{"a\\u0000b": 1}',
    "half a surrogate pair": b'{"title": "\\ud800"}',
    "NaN": b'{"title": NaN}',
    "infinite": b'{"title": -Infinity}',
    "1e400": b'{"title": 1e400}',
    "5,000 digits": b'{"title": ' + b"9" * 5_000 + b"}",
    "beyond 64 bits": b'{"title": 9223372036854775808}',
    "nested 100,000 deep": b'{"title": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "a name said twice": b'{"title": "a", "title": "b"}',
}
# JSON that is no object; nor are the names of an object in it.
NO_OBJECT: dict[str, Any] = {"text": "a", "number": 1, "nothing": None, "yes": True, "list": [[]]}
# One of these in every field that the operation has.
VALUES: dict[str, Any] = {
    "lists": [[[]]],
    "objects": {"a": {"b": 1}},
    "large numbers": 2**63 - 1,
    "endless text": "x" * 70_000,
}


@pytest.fixture(scope="module")
def everything(served: Served) -> list[Operation]:
    document = served.client().get(
        "/v1/schema", headers={"Accept": "application/vnd.oai.openapi+json"}
    )
    return operations(document.json())


Request = tuple[str, str, str, dict[str, Any]]
"""What it is called, the method, the path, and what else is sent."""


def sent(served: Served, requests: Iterable[Request]) -> dict[str, Answer]:
    """Return name -> answer of many requests, some at a time."""

    def one(request: Request) -> tuple[str, Answer]:
        name, method, path, more = request
        return name, Answer.of(served.client().request(method, path, **more))

    with ThreadPoolExecutor(CALLERS) as pool:
        return dict(pool.map(one, list(requests)))


def as_json(body: bytes | Any) -> dict[str, Any]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return {"data": data, "headers": {"Content-Type": JSON}}


def unlike(answers: dict[str, Answer], *expected: Answer) -> dict[str, Answer]:
    return {name: answer for name, answer in answers.items() if answer not in expected}


@contextmanager
def nothing_changes() -> Iterator[None]:
    """Fail if a row of the organisation is another afterwards, or is one more or less."""
    before = {table: now for table, now in picture().items() if table not in BOOKKEEPING}
    yield
    after = {table: now for table, now in picture().items() if table not in BOOKKEEPING}
    assert {table for table in before if before[table] != after[table]} == set()


def taking_json(everything: list[Operation]) -> list[Operation]:
    return [one for one in everything if JSON in one.takes and one.endpoint.route not in OTHERWISE]


def test_json_that_cannot_be_read_is_refused_before_anything_else(
    served: Served, everything: list[Operation]
) -> None:
    with nothing_changes():
        answers = sent(
            served,
            (
                (f"{one.label}: {name}", one.method, one.path(), as_json(body))
                for one in taking_json(everything)
                for name, body in UNREADABLE.items()
            ),
        )

    assert unlike(answers, Answer(400, "parse-error")) == {}
    assert len(answers) > 100 * len(UNREADABLE)


def test_values_of_the_wrong_kind_are_refused(served: Served, everything: list[Operation]) -> None:
    with nothing_changes():
        answers = sent(
            served,
            (
                (f"{one.label}: {name}", one.method, one.path(), as_json(body))
                for one in taking_json(everything)
                for name, body in bodies_of(one)
            ),
        )

        refused = {422, 409, 403}
        assert {n: a for n, a in answers.items() if a.status not in refused or not a.problem} == {}


def bodies_of(operation: Operation) -> Iterator[tuple[str, Any]]:
    for name, value in NO_OBJECT.items():
        if name != "list" or operation.endpoint.route not in TELLING_EACH:
            yield name, value
    yield "unknown names", {"colour": "red"}
    if operation.fields:
        for name, value in VALUES.items():
            yield name, dict.fromkeys(operation.fields, value)


def test_media_types_that_are_not_taken_are_named(
    served: Served, everything: list[Operation]
) -> None:
    sorts = ("application/xml", "application/x-www-form-urlencoded")
    with nothing_changes():
        answers = sent(
            served,
            (
                (
                    f"{one.label}: {sort}",
                    one.method,
                    one.path(),
                    {"data": b"<a/>", "headers": {"Content-Type": sort}},
                )
                for one in taking_json(everything)
                for sort in sorts
            ),
        )

    assert unlike(answers, Answer(415, "unsupported-media-type")) == {}


def test_ids_that_are_none_lead_nowhere(served: Served, everything: list[Operation]) -> None:
    ids = ("nobody", "%00%ff%fe", "0000000g-0000-7000-8000-000000000000")
    with nothing_changes():
        answers = sent(
            served,
            (
                (f"{one.label}: {text[:50]}", one.method, one.path_with(text), {})
                for one in everything
                if one.endpoint.parameters and "slug" not in one.endpoint.route
                for text in ids
            ),
        )

    assert unlike(answers, Answer(404, "not-found")) == {}


def test_rows_that_are_not_there_are_not_found(served: Served, everything: list[Operation]) -> None:
    nobody = "00000000-0000-7000-8000-000000000000"
    with nothing_changes():
        answers = sent(
            served,
            (
                (one.label, one.method, one.path_with(nobody), {})
                for one in everything
                if one.endpoint.parameters and one.method == "get"
            ),
        )

    assert {n: a for n, a in answers.items() if a.status != 404 or not a.problem} == {}


def test_queries_that_make_no_sense_are_refused_or_without_effect(
    served: Served, everything: list[Operation]
) -> None:
    """Each parameter that an address knows, with what no parameter means."""
    values = ("%00", "%ff%fe", "9" * 400, "nobody", "-1' OR 1=1 --")
    with nothing_changes():
        answers = sent(
            served,
            (
                (f"{one.label}?{name}={value[:50]}", "get", f"{one.path()}?{name}={value}", {})
                for one in everything
                if one.method == "get"
                for name in one.query
                for value in values
            ),
        )

    faults = {
        name: answer
        for name, answer in answers.items()
        if answer.status != 200 and not (answer.problem and answer.status in (400, 404, 422))
    }
    assert faults == {}
    cursors = {name: answer for name, answer in answers.items() if "?cursor=nobody" in name}
    assert unlike(cursors, Answer(404, "not-found")) == {}


def tokens(served: Served) -> dict[str, bytes]:
    """Return what no token is, any more or at all."""
    ended, expired = (
        create_api_token(contact=served.owner, name="ended"),
        create_api_token(
            contact=served.owner, name="expired", expires_at=now() - timedelta(days=1)
        ),
    )
    revoke_api_token(token=ended[0], actor=served.owner, at=now())
    secret = served.secret.encode()
    return {
        "nothing": b"Bearer",
        "two": b"Bearer " + secret + b" " + secret,
        "cut": b"Bearer " + secret[:-1],
        "longer": b"Bearer " + secret + b"A",
        "another case": b"Bearer " + secret.swapcase(),
        "no text": b"Bearer \xff\xfe\x80",
        "endless": b"Bearer " + b"a" * 6_000,
        "a word": b"Bearer null",
        "another scheme": b"Basic " + secret,
        "revoked": b"Bearer " + ended[1].encode(),
        "expired": b"Bearer " + expired[1].encode(),
    }


def test_tokens_that_are_none_any_more_or_never_were_are_refused(served: Served) -> None:
    found = {}
    for name, token in tokens(served).items():
        response = served.stack.client().get("/v1/me", headers={"Authorization": token})
        found[name] = (Answer.of(response).status, response.headers.get("WWW-Authenticate", ""))

    assert {told for name, told in found.items()} == {(401, 'Bearer realm="assay"')}, found


def test_nobody_reads_or_writes_without_a_token(
    served: Served, everything: list[Operation]
) -> None:
    stranger = served.stack.client()
    with nothing_changes():
        answers = {
            one.label: Answer.of(stranger.request(one.method, one.path(), json={}))
            for one in everything
            if one.needs_token
        }

    assert {answer.status for answer in answers.values()} == {401}
    assert len(answers) > 250


@pytest.mark.parametrize(
    ("more", "answer"),
    [
        pytest.param(
            {"data": b'{"display_name": "' + b"x" * 11_000_000 + b'"}'},
            Answer(413, "too-large"),
            id="11 MB",
        ),
        pytest.param(
            {"data": gzip.compress(b'{"display_name": "Ada"}'), "encoding": "gzip"},
            Answer(400, "parse-error"),
            id="gzip, which is not taken",
        ),
        pytest.param(
            {"data": '{"display_name": "Ada"}'.encode("utf-16")},
            Answer(400, "parse-error"),
            id="utf-16",
        ),
        pytest.param(
            {"data": iter([b'{"display', b'_name": 1e400}'])},
            Answer(411, "length-required"),
            id="in chunks",
        ),
        pytest.param(
            {"data": b'{"display_name": "Ada"}', "key": "k" * 256},
            Answer(400, "idempotency-key-not-usable"),
            id="a key that is too long",
        ),
        pytest.param(
            {"data": b'{"display_name": "Ada"}', "key": b"\xc3\xa9"},
            Answer(400, "idempotency-key-not-usable"),
            id="a key of other letters",
        ),
        pytest.param(
            {"data": b"--x\r\n", "kind": "multipart/form-data; boundary=y"},
            Answer(415, "unsupported-media-type"),
            id="half a form",
        ),
    ],
)
def test_bodies_that_are_sent_wrongly_are_refused(
    served: Served, more: dict[str, Any], answer: Answer
) -> None:
    headers = {"Content-Type": more.get("kind", JSON)}
    headers |= {"Content-Encoding": more["encoding"]} if "encoding" in more else {}
    headers |= {"Idempotency-Key": more["key"]} if "key" in more else {}

    with nothing_changes():
        response = served.client().post("/v1/contacts", data=more["data"], headers=headers)

    assert Answer.of(response) == answer


def test_an_export_that_unpacks_to_far_more_is_not_unpacked(served: Served) -> None:
    response = served.client().post(
        "/v1/otlp/v1/traces",
        data=gzip.compress(b"\0" * 300_000_000),
        headers={"Content-Type": JSON, "Content-Encoding": "gzip"},
    )

    assert (response.status_code, response.json()["code"]) == (413, 8)
