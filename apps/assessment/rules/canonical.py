"""Facts as one text: the same facts give the same bytes, and so the same hash."""

from __future__ import annotations

import json
from hashlib import sha256

from apps.assessment.questions.items import JsonValue


def canonical_text(facts: JsonValue) -> str:
    """Return compact JSON with sorted keys; facts hold no floats (numbers are exact text)."""
    return json.dumps(
        facts, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
    )


def facts_hash(facts: JsonValue) -> str:
    """Return the SHA-256 of the canonical text, in hex."""
    return sha256(canonical_text(facts).encode()).hexdigest()
