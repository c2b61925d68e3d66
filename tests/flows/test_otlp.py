"""An instrumented program sends to us unchanged: real client, instrumentation and exporter."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from apps.ai_logs.models import AiInteraction, AiInteractionCost, AiPendingSpan, AiSession
from apps.ai_logs.selectors.conversations import reconstruct
from apps.contacts.services import create_api_token
from apps.organizations.models import OrgRole
from tests.ai_logs.factories import told
from tests.database import ROOT
from tests.factories import contact, member
from tests.flows.conftest import Stack
from tests.flows.fake_model import MODEL, running_model

pytestmark = pytest.mark.flow


def test_an_instrumented_program_sends_its_conversation_unchanged(stack: Stack) -> None:
    stack.start_web(workers=1)
    learner = contact("Ada", external_id="s-17")
    _row, secret = create_api_token(
        contact=member(OrgRole.ADMIN), name="tutor", scopes=("ingest_ai",)
    )
    with running_model() as model_url:
        client = subprocess.run(
            [sys.executable, "-m", "tests.flows.instrumented_tutor"],
            cwd=ROOT,
            env={
                **os.environ,
                "MODEL_URL": model_url,
                "LEARNER": "s-17",
                "OTEL_SERVICE_NAME": "tutor",
                "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{stack.port}/v1/otlp",
                "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
                "OTEL_EXPORTER_OTLP_HEADERS": (
                    f"authorization=Bearer%20{secret},host=a.localhost:{stack.port}"
                ),
            },
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    assert client.returncode == 0, client.stderr
    assert "Failed to export" not in client.stderr, client.stderr
    made = AiSession.objects.get()
    assert (made.conversation_id, made.contact, made.service_name) == ("chat-1", learner, "tutor")
    assert AiPendingSpan.objects.count() == 0
    found = reconstruct(made)
    assert found.is_intact
    assert told(found.lines) == [
        ("system", "Be kind."),
        ("user", "What is a permit?"),
        ("assistant", "You asked: What is a permit?"),
        ("user", "Who signs it?"),
        ("assistant", "You asked: Who signs it?"),
        ("user", "Until when?"),
        ("assistant", "You asked: Until when?"),
    ]
    calls = list(AiInteraction.objects.exclude(span_id="").order_by("occurred_at"))
    assert [(row.responded_model, row.input_tokens, row.output_tokens) for row in calls] == [
        (MODEL, 1200, 300)
    ] * 3
    assert [row.cached_tokens for row in calls[:2]] == [200, 200]
    # 1000 × 0.15 + 200 × 0.075 + 300 × 0.6 in millionths
    costs = AiInteractionCost.objects.filter(interaction__in=calls[:2])
    assert {str(cost.amount) for cost in costs} == {"0.000345000000000000"}
