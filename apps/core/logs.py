"""One JSON object a line, with the request and the organisation it belongs to."""

from __future__ import annotations

import json
import logging
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import PermissionDenied

from apps.core.tenancy import connection

request_id: ContextVar[str] = ContextVar("request_id", default="")

_STANDARD = set(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "request"}


class ContextFilter(logging.Filter):
    """Adds `request_id` and `schema` to every record."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        record.schema = getattr(connection, "schema_name", None) or ""
        return True


class JsonFormatter(logging.Formatter):
    """Writes what happened; a refusal on purpose is told in a line, a fault with its traceback."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, tz=UTC).isoformat(
                timespec="milliseconds"
            ),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        extra = {key: value for key, value in record.__dict__.items() if key not in _STANDARD}
        entry.update({key: value for key, value in extra.items() if value != ""})
        if record.exc_info and not isinstance(record.exc_info[1], PermissionDenied):
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, default=str, ensure_ascii=False)
