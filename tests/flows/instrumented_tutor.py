"""A client as anybody writes one: OpenAI's library under OpenLLMetry, sending OTLP to us.

Knows nothing of Assay but an address and a token, both from OpenTelemetry's own variables.
"""

from __future__ import annotations

import os

from openai import OpenAI
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.openai import OpenAIInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor


def main() -> None:
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    OpenAIInstrumentor().instrument()
    tutor = OpenAI(base_url=os.environ["MODEL_URL"], api_key="none")
    tracer = trace.get_tracer("tutor")
    history: list[dict[str, str]] = [{"role": "system", "content": "Be kind."}]
    with tracer.start_as_current_span("turn") as span:
        span.set_attribute("gen_ai.conversation.id", "chat-1")
        span.set_attribute("enduser.id", os.environ["LEARNER"])
        for question in ("What is a permit?", "Who signs it?"):
            history.append({"role": "user", "content": question})
            answer = tutor.chat.completions.create(model="gpt-4o-mini", messages=history)  # type: ignore[arg-type]
            history.append(
                {"role": "assistant", "content": answer.choices[0].message.content or ""}
            )
        # The children leave before their parent has ended.
        provider.force_flush()
        history.append({"role": "user", "content": "Until when?"})
        stream = tutor.chat.completions.create(
            model="gpt-4o-mini",
            messages=history,  # type: ignore[arg-type]
            stream=True,
            stream_options={"include_usage": True},
        )
        for _chunk in stream:
            pass
    provider.shutdown()


if __name__ == "__main__":
    main()
