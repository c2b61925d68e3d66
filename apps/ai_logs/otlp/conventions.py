"""By which names attributes are known: data, because the conventions keep changing.

The first name that a span has counts. Sources: OpenTelemetry's GenAI semantic conventions (up to
1.3x and after), OpenLLMetry (`gen_ai.prompt.N`, `llm.*`, `traceloop.*`), OpenInference (`llm.*`,
`openinference.*`), Langfuse, the Vercel AI SDK (`ai.*`). `assay.*` are ours.
"""

from __future__ import annotations

PROVIDER = ("gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system")
OPERATION = ("gen_ai.operation.name", "llm.request.type")
REQUESTED_MODEL = (
    "gen_ai.request.model",
    "llm.request.model",
    "llm.model_name",
    "embedding.model_name",
    "ai.model.id",
)
RESPONDED_MODEL = ("gen_ai.response.model", "llm.response.model", "ai.response.model")
INPUT_TOKENS = (
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.prompt_tokens",
    "llm.usage.prompt_tokens",
    "llm.token_count.prompt",
    "ai.usage.promptTokens",
)
OUTPUT_TOKENS = (
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.completion_tokens",
    "llm.usage.completion_tokens",
    "llm.token_count.completion",
    "ai.usage.completionTokens",
)
CACHED_TOKENS = (
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.cache_read_input_tokens",
    "gen_ai.usage.input_tokens.cached",
    "llm.usage.cache_read_input_tokens",
    "llm.token_count.prompt_details.cache_read",
)
CACHE_WRITE_TOKENS = (
    "gen_ai.usage.cache_creation.input_tokens",
    "gen_ai.usage.cache_creation_input_tokens",
    "llm.usage.cache_creation_input_tokens",
    "llm.token_count.prompt_details.cache_write",
)
REASONING_TOKENS = (
    "gen_ai.usage.reasoning.output_tokens",
    "gen_ai.usage.reasoning_tokens",
    "gen_ai.usage.output_tokens.reasoning",
    "llm.usage.reasoning_tokens",
    "llm.token_count.completion_details.reasoning",
)
SERVICE_TIER = (
    "openai.response.service_tier",
    "gen_ai.openai.response.service_tier",
    "gen_ai.response.service_tier",
    "openai.request.service_tier",
    "gen_ai.openai.request.service_tier",
)
FINISH_REASONS = (
    "gen_ai.response.finish_reasons",
    "gen_ai.response.finish_reason",
    "llm.response.finish_reason",
    "ai.response.finishReason",
)
ERROR = ("error.type", "exception.type")
FIRST_TOKEN_SECONDS = (
    "gen_ai.response.time_to_first_chunk",
    "gen_ai.server.time_to_first_token",
    "gen_ai.response.time_to_first_token",
)
FIRST_TOKEN_EVENTS = (
    "gen_ai.content.completion.chunk",
    "llm.content.completion.chunk",
    "First Token Stream Event",
)
PROMPT_KEY = ("gen_ai.prompt.name", "traceloop.prompt.key", "llm.prompt_template.name")
PROMPT_VERSION = (
    "gen_ai.prompt.version",
    "traceloop.prompt.version",
    "llm.prompt_template.version",
)
PROMPT_TEMPLATE = ("traceloop.prompt.template", "llm.prompt_template.template")

# Whole histories as one attribute, JSON or structured.
INPUT_MESSAGES = ("gen_ai.input.messages", "gen_ai.prompt")
OUTPUT_MESSAGES = ("gen_ai.output.messages", "gen_ai.completion")
INSTRUCTIONS = ("gen_ai.system_instructions",)
# Messages spread over attributes: prefix, then number, then what follows is one of the members.
INPUT_PREFIXES = ("gen_ai.prompt.", "llm.prompts.", "llm.input_messages.")
OUTPUT_PREFIXES = ("gen_ai.completion.", "llm.completions.", "llm.output_messages.")
MEMBER_PREFIX = "message."
# Messages as events of the span: event -> role; None is told by the event itself.
INPUT_EVENTS = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
}
OUTPUT_EVENTS = ("gen_ai.choice",)
# Events that carry the attributes which the span itself may lack.
DETAIL_EVENTS = (
    "gen_ai.client.inference.operation.details",
    "gen_ai.content.prompt",
    "gen_ai.content.completion",
)

SPAN_KIND = ("openinference.span.kind", "traceloop.span.kind")
CALL_KINDS = frozenset({"llm", "embedding"})
# Spans that sum up others: what they count, their children count too.
AGGREGATE_KINDS = frozenset(
    {"agent", "chain", "evaluator", "guardrail", "prompt", "reranker", "retriever", "task", "tool",
     "workflow"}
)  # fmt: skip
AGGREGATE_OPERATIONS = frozenset(
    {"create_agent", "execute_tool", "execute_task", "handoff", "invoke_agent", "invoke_workflow",
     "plan", "retrieval", "workflow"}
)  # fmt: skip

CONVERSATION = (
    "assay.conversation_id",
    "gen_ai.conversation.id",
    "session.id",
    "langfuse.session.id",
    "traceloop.association.properties.conversation_id",
    "traceloop.association.properties.session_id",
    "traceloop.association.properties.chat_id",
)
PERSON = (
    "enduser.id",
    "user.id",
    "user.email",
    "langfuse.user.id",
    "traceloop.association.properties.user_id",
    "gen_ai.user",
    "llm.user",
)
CONTEXT = {
    "conversation": CONVERSATION,
    "contact": ("assay.contact_id", "traceloop.association.properties.assay.contact_id"),
    "person": PERSON,
    "enrollment": ("assay.enrollment_id", "traceloop.association.properties.assay.enrollment_id"),
    "module_item": (
        "assay.module_item_id",
        "traceloop.association.properties.assay.module_item_id",
    ),
    "session_type": ("assay.session_type", "traceloop.association.properties.assay.session_type"),
}
SERVICE = "service.name"
