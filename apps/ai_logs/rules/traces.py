"""Which of a trace's contexts counts for a span. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Context = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Told:
    """A span of a trace, its parent, and what it says about the calls below it."""

    parent_span_id: str
    context: Context


def merged_context(
    own: Context, *, parent_span_id: str, trace: Mapping[str, Told], resource: Context
) -> dict[str, str]:
    """Return what is known about a call: by itself, its ancestors, its trace, its program.

    The nearer counts more. Ancestors that were not sent leave a gap; then what the spans of the
    trace agree on counts, as a trace is one request of one person.
    """
    found = dict(own)
    seen: set[str] = set()
    while parent_span_id in trace and parent_span_id not in seen:
        seen.add(parent_span_id)
        told = trace[parent_span_id]
        found = {**told.context, **found}
        parent_span_id = told.parent_span_id
    for key in {key for told in trace.values() for key in told.context}:
        values = {told.context[key] for told in trace.values() if key in told.context}
        if len(values) == 1:
            found.setdefault(key, values.pop())
    return {**resource, **found}
