"""Who reacts to what: the only place where an event in one app starts work in another."""

from __future__ import annotations

from apps.core.outbox import Handler

OUTBOX_HANDLERS: dict[str, Handler] = {}
