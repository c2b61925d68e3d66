"""What was said in a span: from one attribute, from many, or from events."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from apps.ai_logs.otlp import conventions as names
from apps.ai_logs.otlp.decoding import RawSpan, first
from apps.ai_logs.services.interactions import Message
from apps.ai_logs.texts import Text, plain, structured

ROLES = {"human": "user", "ai": "assistant", "model": "assistant", "developer": "system"}


def said_in(span: RawSpan) -> tuple[tuple[Message, ...], Text | None]:
    """Return the history that a call was given, and its answer where it was sent along."""
    attributes = dict(span.attributes)
    for event in span.events:
        if event.name in names.DETAIL_EVENTS:
            attributes = {**event.attributes, **attributes}
    inputs = _given(attributes, names.INPUT_MESSAGES, names.INPUT_PREFIXES, "user")
    outputs = _given(attributes, names.OUTPUT_MESSAGES, names.OUTPUT_PREFIXES, "assistant")
    inputs = inputs or [
        _told(event.attributes, names.INPUT_EVENTS[event.name])
        for event in span.events
        if event.name in names.INPUT_EVENTS
    ]
    outputs = outputs or [
        _told(_choice(event.attributes), "assistant")
        for event in span.events
        if event.name in names.OUTPUT_EVENTS
    ]
    instructions = _loaded(first(attributes, names.INSTRUCTIONS))
    if instructions:
        inputs = [Message("system", _text(instructions)), *inputs]
    return tuple(one for one in inputs if one.text.data), _answer(outputs)


def _answer(outputs: list[Message]) -> Text | None:
    texts = [one.text for one in outputs if one.text.data]
    if len(texts) > 1:
        return structured([{"type": "choice", "content": text.shown} for text in texts])
    return texts[0] if texts else None


def _given(
    attributes: Mapping[str, Any], whole: Iterable[str], prefixes: Iterable[str], role: str
) -> list[Message]:
    for name in whole:
        found = _loaded(attributes.get(name))
        if found:
            listed = found if isinstance(found, list) else [found]
            return [_message(one, role) for one in listed]
    for prefix in prefixes:
        numbered = _numbered(attributes, prefix)
        if numbered:
            return [_message(numbered[number], role) for number in sorted(numbered)]
    return []


def _numbered(attributes: Mapping[str, Any], prefix: str) -> dict[int, dict[str, Any]]:
    """Return number -> members of attributes like `gen_ai.prompt.0.role`."""
    found: dict[int, dict[str, Any]] = {}
    for name, value in attributes.items():
        if not name.startswith(prefix):
            continue
        number, _, member = name.removeprefix(prefix).partition(".")
        if number.isdecimal() and member:
            found.setdefault(int(number), {})[member.removeprefix(names.MEMBER_PREFIX)] = value
    return found


def _loaded(value: Any) -> Any:
    """Return JSON that came as text as what it says; other text as it is."""
    if not isinstance(value, str) or value[:1] not in "[{":
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _choice(attributes: Mapping[str, Any]) -> Mapping[str, Any]:
    inner = _loaded(attributes.get("message"))
    return inner if isinstance(inner, dict) else attributes


def _told(attributes: Mapping[str, Any], role: str) -> Message:
    return _message({"role": role, **attributes}, role)


def _message(said: Any, role: str) -> Message:
    """Return a message of any of the shapes that are in use."""
    if not isinstance(said, dict):
        return Message(role, _text(said))
    spoken = str(said.get("role") or role).lower()
    content = _loaded(said.get("parts", said.get("content", said.get("text"))))
    calls = _loaded(said.get("tool_calls")) or _calls(said)
    parts = content if isinstance(content, list) else [content] if content else []
    if isinstance(calls, list):
        parts = [*parts, *calls]
    return Message(ROLES.get(spoken, spoken)[:20], _text(parts))


def _calls(said: Mapping[str, Any]) -> list[Any]:
    """Return tool calls spread over attributes: `tool_calls.0.name` and the like."""
    found: dict[str, dict[str, Any]] = {}
    for name, value in said.items():
        if name.startswith(("tool_calls.", "message.tool_calls.")):
            number, _, member = name.partition("tool_calls.")[2].partition(".")
            found.setdefault(number, {})[member.rpartition(".")[2]] = value
    return [found[number] for number in sorted(found)]


def _text(said: Any) -> Text:
    """Return the words alone where there is nothing else, else the parts in one spelling."""
    parts = [_part(part) for part in (said if isinstance(said, list) else [said])]
    if all(part["type"] == "text" for part in parts):
        return plain("\n".join(part["content"] for part in parts))
    return structured(parts)


def _part(part: Any) -> dict[str, Any]:
    if part is None:
        return {"type": "text", "content": ""}
    if not isinstance(part, dict):
        return {"type": "text", "content": str(part)}
    words = part.get("content", part.get("text", part.get("message_content.text")))
    if part.get("type", "text") in ("text", "input_text", "output_text") and isinstance(words, str):
        return {"type": "text", "content": words}
    named = part.get("function")
    function: dict[str, Any] = named if isinstance(named, dict) else part
    if "arguments" in function:
        return {
            "type": "tool_call",
            "id": part.get("id"),
            "name": function.get("name"),
            "arguments": _loaded(function["arguments"]),
        }
    return {**part, "type": str(part.get("type", "other"))}
