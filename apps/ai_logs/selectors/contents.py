"""One text or artefact, opened and checked."""

from __future__ import annotations

from apps.ai_logs.models import AiContent, AiErasure
from apps.ai_logs.selectors.ciphers import ciphers_of
from apps.ai_logs.selectors.conversations import Kept, Reader
from apps.core import objects


def open_content(content: AiContent) -> Kept:
    """Return the content as it was found. Raises StoreUnavailable."""
    erasure = AiErasure.objects.filter(session_id=content.session_id).first()
    cipher = ciphers_of([content.session_id]).get(content.session_id)
    stored = objects.get_many([content.object_name]) if cipher else {}
    return Reader(erasure, cipher, stored).kept(content)
