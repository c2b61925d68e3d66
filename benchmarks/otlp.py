"""Spans a second through /v1/otlp/v1/traces, and their share of what parsing them costs at best.

Whole requests through the WSGI stack (token, gzip, protobuf, sealing, prices, budget, outbox row),
each of 100 calls of one conversation with the history that such a client sends. Compared to reading
the same bodies with the protobuf library alone, in the same process and run.
"""

from __future__ import annotations

import gzip
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("DEBUG", "0")
os.environ.setdefault("SECRET_KEY", "a benchmark's")
os.environ.setdefault("ASSAY_KEY", "YmVuY2htYXJrLWtleS1ub3QtZm9yLXByb2R1Y3Rpb24=")
os.environ.setdefault("PUBLIC_SCHEME", "http")
os.environ.setdefault("LOG_LEVEL", "WARNING")

import django

django.setup()

from django.test import override_settings  # noqa: E402
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (  # noqa: E402
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from apps.ai_logs.models import AiInteraction  # noqa: E402
from apps.core.tenancy import tenant_context  # noqa: E402
from apps.organizations.models import OrgRole  # noqa: E402
from tests.ai_logs.test_otlp import PATH, PROTOBUF, call, request_of, span  # noqa: E402
from tests.clients import api  # noqa: E402
from tests.conftest import organization, point_at  # noqa: E402
from tests.database import ORG_A, running_server  # noqa: E402
from tests.factories import member  # noqa: E402

EXPORTS = int(os.environ.get("EXPORTS", 20))
SPANS = 100
LEAST_SPANS_A_SECOND = 150


def export(number: int) -> bytes:
    """Return one export: the calls of a conversation of its own."""
    first = number * SPANS + 1
    spans = [
        span(
            first + n,
            call(f"Question {n}?", f"Answer {n}.", **{"gen_ai.conversation.id": f"c{number}"}),
            trace=number + 1,
            minute=n,
        )
        for n in range(SPANS)
    ]
    return request_of(*spans)


def main() -> int:
    bodies = [export(number) for number in range(EXPORTS + 1)]
    zipped = [gzip.compress(body) for body in bodies]
    began = time.perf_counter()
    for body in bodies:
        ExportTraceServiceRequest.FromString(body)
    parsing = time.perf_counter() - began
    with (
        tempfile.TemporaryDirectory() as folder,
        override_settings(MEDIA_ROOT=Path(folder) / "objects"),
        running_server(Path(folder) / "cluster") as server,
        server.clone("assay_otlp") as name,
    ):
        point_at(server, name)
        with tenant_context(organization(ORG_A)):
            seconds = sent(zipped)
            stored = AiInteraction.objects.filter(role="assistant").count()
    if stored != len(bodies) * SPANS:
        print(f"{stored} of {len(bodies) * SPANS} calls were recorded")
        return 1
    rate = EXPORTS * SPANS / seconds
    ratio = seconds / (parsing * EXPORTS / len(bodies))
    print(f"{EXPORTS} exports of {SPANS} spans: {rate:.0f} spans/s, {ratio:.0f} × parsing alone")
    if rate < LEAST_SPANS_A_SECOND:
        print(f"beyond the limit: at least {LEAST_SPANS_A_SECOND} spans/s")
        return 1
    return 0


def sent(zipped: list[bytes]) -> float:
    """Send the exports, the first to warm up; return the seconds that the others took."""
    client = api(member(OrgRole.ADMIN), scopes=("ingest_ai",))
    began = 0.0
    for number, body in enumerate(zipped):
        if number == 1:
            began = time.perf_counter()
        response = client.generic(
            "POST", PATH, body, content_type=PROTOBUF, HTTP_CONTENT_ENCODING="gzip"
        )
        answer = ExportTraceServiceResponse.FromString(response.content)
        if response.status_code != 200 or answer.partial_success.rejected_spans:
            raise SystemExit(f"{response.status_code}: {answer}")
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
