"""The words that are stored: kinds, rules, states. Readers ignore words they do not know."""

from __future__ import annotations

from django.db.models import TextChoices


class TemplateType(TextChoices):
    QUIZ = "quiz"
    PROJECT = "project"
    EXAM = "exam"


class ScoringModel(TextChoices):
    """What a template promises about who scores; checked when a version is published."""

    AUTO = "auto"
    RUBRIC = "rubric"
    MANUAL = "manual"
    MIXED = "mixed"


class Kind(TextChoices):
    """The kinds of item."""

    MULTIPLE_CHOICE = "multiple_choice"
    MULTIPLE_RESPONSE = "multiple_response"
    TRUE_FALSE = "true_false", "True/false"
    NUMERIC = "numeric"
    SHORT_TEXT = "short_text"
    ESSAY = "essay"


class Rule(TextChoices):
    """The named rules by which a response earns its share of the points."""

    ALL_OR_NOTHING = "all_or_nothing"
    PER_OPTION = "per_option_floor_zero"
    FRACTIONS = "fractions"
    FIRST_MATCH = "first_match"
    PERSON = "person"


class GradedBy(TextChoices):
    """Who scores an item: the engine, or a person with or without a rubric."""

    ENGINE = "engine"
    PERSON = "person"


class ResultPolicy(TextChoices):
    """Which attempt's result is the result of record."""

    HIGHEST = "highest"
    LATEST = "latest"
    FIRST = "first"


class ReleasePolicy(TextChoices):
    """When a learner sees a result: as it is graded, after the due date, or after a release."""

    IMMEDIATELY = "immediately"
    AFTER_DUE = "after_due"
    MANUAL = "manual"


class AttemptStatus(TextChoices):
    """in_progress -> submitted -> graded; every state -> void, and nothing leaves void."""

    IN_PROGRESS = "in_progress"
    SUBMITTED = "submitted"
    GRADED = "graded"
    VOID = "void"


class TaskState(TextChoices):
    """A grading task is open until graded, or cancelled when its attempt is voided."""

    OPEN = "open"
    DONE = "done"
    CANCELLED = "cancelled"


class GradingKind(TextChoices):
    """What a grading event is. The last three are about the attempt as a whole."""

    AUTO = "auto"
    MANUAL = "manual"
    RUBRIC = "rubric"
    REGRADE = "regrade"
    RESCORE = "rescore"
    OVERRIDE = "override"
    OVERRIDE_WITHDRAWN = "override_withdrawn"
    VOID = "void"


AUTOMATIC_KINDS = (GradingKind.AUTO, GradingKind.REGRADE, GradingKind.RESCORE)
ITEM_KINDS = (*AUTOMATIC_KINDS, GradingKind.MANUAL, GradingKind.RUBRIC)
ATTEMPT_KINDS = (GradingKind.OVERRIDE, GradingKind.OVERRIDE_WITHDRAWN, GradingKind.VOID)
