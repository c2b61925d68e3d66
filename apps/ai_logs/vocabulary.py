"""The words of the AI log. Clients ignore values that they don't know."""

from __future__ import annotations

from django.db import models


class SessionType(models.TextChoices):
    TUTORING = "tutoring"
    ASSESSMENT_REVIEW = "assessment_review"
    CONTENT_GENERATION = "content_generation"


class Source(models.TextChoices):
    """By which door a session came in."""

    API = "api"
    OTLP = "otlp"


class Role(models.TextChoices):
    """Whose words an interaction holds; `tool` is what a tool gave back to the model."""

    USER = "user"
    ASSISTANT = "assistant"
    SYSTEM = "system"
    TOOL = "tool"


class Rating(models.TextChoices):
    THUMBS_UP = "thumbs_up"
    THUMBS_DOWN = "thumbs_down"
    FLAG = "flag"


class ContentKind(models.TextChoices):
    MESSAGE = "message"
    PROMPT_TEMPLATE = "prompt_template"
    ARTEFACT = "artefact"


class ErasureReason(models.TextChoices):
    """Why a conversation's texts were destroyed."""

    LEARNER_REQUEST = "learner_request"
    ORGANIZATION = "organization"
    RETENTION = "retention"


class TokenType(models.TextChoices):
    """What a price is for. Those of the cache fall back to input, reasoning to output.

    A few models cost something for each request as well, whatever its tokens.
    """

    INPUT = "input"
    OUTPUT = "output"
    CACHED_INPUT = "cached_input"
    CACHE_WRITE = "cache_write"
    REASONING = "reasoning"
    REQUEST = "request"


class Unpriced(models.TextChoices):
    """Why a cost is unknown."""

    NO_USAGE = "no_usage"
    NO_MODEL = "no_model"
    NO_PRICE = "no_price"
    MIXED_CURRENCIES = "mixed_currencies"


class ReviewState(models.TextChoices):
    OPEN = "open"
    DECIDED = "decided"


class ReviewDecision(models.TextChoices):
    """What became of a flagged interaction."""

    HARMLESS = "harmless"
    CONFIRMED = "confirmed"
    ESCALATED = "escalated"
