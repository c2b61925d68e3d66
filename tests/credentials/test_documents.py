from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from time import process_time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.credentials.documents import (
    MAX_BYTES,
    MAX_DEPTH,
    MAX_INTEGER,
    MAX_OBJECTS,
    MAX_VALUES,
    DocumentRefused,
    read_document,
)
from apps.credentials.reasons import Reason
from tests.credentials.examples import patient
from tests.pace import allowed


def nested(levels: int) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for _ in range(levels - 1):
        document = {"a": document}
    return document


def test_read_document_returns_a_deep_copy() -> None:
    source = {"a": [1, {"b": "ü\n\t"}], "c": (True, None, 1.5)}
    copy = read_document(source)
    assert copy == {"a": [1, {"b": "ü\n\t"}], "c": [True, None, 1.5]}
    copy["a"][1]["b"] = "changed"
    assert source["a"] == [1, {"b": "ü\n\t"}]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (b"", Reason.NOT_JSON),
        (b"\xff\xfe{}", Reason.NOT_JSON),
        (b"{} {}", Reason.NOT_JSON),
        (b'{"a": 1, "a": 2}', Reason.NOT_JSON),
        (b'{"a": ' + b"9" * 5_000 + b"}", Reason.NOT_JSON),
        ({1: 2}, Reason.NOT_JSON),
        ({"a": {1, 2}}, Reason.NOT_JSON),
        ({"a": b"bytes"}, Reason.NOT_JSON),
        (b"null", Reason.NOT_AN_OBJECT),
        (b"[]", Reason.NOT_AN_OBJECT),
        (b'"text"', Reason.NOT_AN_OBJECT),
        (None, Reason.NOT_AN_OBJECT),
        (b'{"a": NaN}', Reason.BAD_NUMBER),
        (b'{"a": -Infinity}', Reason.BAD_NUMBER),
        (b'{"a": 1e999}', Reason.BAD_NUMBER),
        (b'{"a": 9007199254740992}', Reason.BAD_NUMBER),
        ({"a": 0.1 + 0.2}, Reason.BAD_NUMBER),
        (b'{"a": "\\u0000"}', Reason.NOT_TEXT),
        (b'{"\\u0000": 1}', Reason.NOT_TEXT),
        (b'{"a": "\\ud800"}', Reason.NOT_TEXT),
        ({"a": "\x7f"}, Reason.NOT_TEXT),
        (b"[" * 200_000, Reason.TOO_DEEP),
        (b'{"a":' * 200_000, Reason.TOO_DEEP),
        (nested(MAX_DEPTH + 1), Reason.TOO_DEEP),
        (b" " * (MAX_BYTES + 1), Reason.TOO_LARGE),
        ({"a": "x" * MAX_BYTES, "b": "x"}, Reason.TOO_LARGE),
        ({"a": [0] * MAX_VALUES}, Reason.TOO_COMPLEX),
        ({"a": [{} for _ in range(MAX_OBJECTS)]}, Reason.TOO_COMPLEX),
        ({"type": ["T"] * 9}, Reason.TOO_COMPLEX),
    ],
)
def test_read_document_refuses_quickly(source: Any, reason: Reason) -> None:
    started = process_time()
    with pytest.raises(DocumentRefused) as refusal:
        read_document(source)
    assert refusal.value.reason is reason
    assert process_time() - started < allowed(1)


def test_read_document_refuses_a_mapping_that_contains_itself() -> None:
    loop: dict[str, Any] = {}
    loop["a"] = loop
    with pytest.raises(DocumentRefused) as refusal:
        read_document(loop)
    assert refusal.value.reason is Reason.TOO_DEEP


def test_read_document_reads_up_to_each_limit() -> None:
    documents: list[Mapping[str, Any]] = [
        nested(MAX_DEPTH),
        {"a": [0] * (MAX_VALUES - 1)},
        {"a": [{} for _ in range(MAX_OBJECTS - 1)]},
        {"a": "x" * MAX_BYTES},
        {"a": [MAX_INTEGER, -MAX_INTEGER, 0.1]},
    ]
    assert [read_document(document) for document in documents] == documents


texts = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-MAX_INTEGER, MAX_INTEGER) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


@patient
@given(st.dictionaries(texts.filter(lambda name: name != "type"), values, max_size=5))
def test_read_document_reads_json_text_and_objects_alike(document: dict[str, Any]) -> None:
    assert read_document(json.dumps(document).encode()) == document
    assert read_document(document) == document


@patient
@given(st.binary(max_size=60))
def test_read_document_answers_any_bytes_with_an_object_or_a_refusal(content: bytes) -> None:
    with suppress(DocumentRefused):
        assert isinstance(read_document(content), dict)
