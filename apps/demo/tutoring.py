"""Conversations of the demo's learners with a tutor, before their attempts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from apps.ai_logs.models import AiSession
from apps.ai_logs.rules.pricing import Usage
from apps.ai_logs.services.erasure import erase_session
from apps.ai_logs.services.feedback import give_feedback
from apps.ai_logs.services.interactions import NewInteraction, record_interactions
from apps.ai_logs.services.sessions import SessionTerms, end_session, start_session
from apps.ai_logs.texts import plain
from apps.ai_logs.vocabulary import ErasureReason, Rating, Role
from apps.assessment.models import AssessmentAttempt, AssessmentPlacement
from apps.demo.answers import luck
from apps.demo.groups import Group, Learner
from apps.programs.models import ItemType, ModuleItem

ASKED: Final = 0.5
"""The share of learners who ask the tutor."""
BEFORE: Final = timedelta(days=1, hours=3)
MODELS: Final = (
    ("openai", "gpt-4o-mini", "gpt-4o-mini-2024-07-18"),
    ("anthropic", "claude-3-5-haiku-latest", "claude-3-5-haiku-20241022"),
)
TALK: Final = (
    (
        "I read “{item}”, but I would not dare to explain it to a colleague. Where do I start?",
        "Start with what could go wrong, then say which measure of “{item}” prevents it.",
    ),
    (
        "What do people get wrong most often?",
        "They learn the steps by heart and skip the reason. Ask “why” once at each step.",
    ),
)


def converse(group: Group) -> None:
    """Let about half of the learners ask a tutor shortly before their first attempt.

    The first of them flags an answer, the second has the conversation erased afterwards.
    """
    items = _items(group)
    if not items:
        return
    talked = []
    for learner in group.learners:
        if luck(learner.email, "tutor") < ASKED:
            session = _session(group, learner, items)
            if session is not None:
                talked.append((learner, session))
    for number, (learner, session) in enumerate(talked):
        _judge(learner, session, is_flagged=number == 0)
    if len(talked) > 1:
        learner, session = talked[1]
        erase_session(
            session=session,
            reason=ErasureReason.LEARNER_REQUEST,
            actor=learner.enrollment.contact,
            note="I would rather nobody read this.",
        )


def _items(group: Group) -> list[ModuleItem]:
    rows = ModuleItem.objects.filter(version__in=group.curriculum.courses, type=ItemType.LESSON)
    return list(rows.order_by("version_id", "module__position", "position"))


def _session(group: Group, learner: Learner, items: list[ModuleItem]) -> AiSession | None:
    attempt = (
        AssessmentAttempt.objects.filter(enrollment=learner.enrollment, submitted_at__isnull=False)
        .order_by("submitted_at")
        .first()
    )
    if attempt is None or attempt.submitted_at is None:
        return None
    placed = AssessmentPlacement.objects.filter(
        assessment_version__definition=attempt.template_id, version__in=group.curriculum.courses
    ).first()
    own = [item for item in items if placed is None or item.version_id == placed.version_id]
    item = (own or items)[int(luck(learner.email, "lesson") * len(own or items))]
    at = attempt.submitted_at - BEFORE
    session, _is_new = start_session(
        terms=SessionTerms(
            contact=learner.enrollment.contact,
            enrollment=learner.enrollment,
            module_item=item,
            conversation_id=f"demo-{learner.email}",
            service_name="demo tutor",
            started_at=at,
        ),
        created_by=group.director,
    )
    said = [(session.id, one) for one in _talk(learner, item, at)]
    record_interactions(said, asserted_by=group.director)
    return end_session(session=session, at=at + timedelta(minutes=10))


def _talk(learner: Learner, item: ModuleItem, at: datetime) -> list[NewInteraction]:
    provider, requested, responded = MODELS[luck(learner.email, "model") < 0.4]
    said = []
    for number, (question, answer) in enumerate(TALK):
        asked_at = at + timedelta(minutes=3 * number)
        words = answer.format(item=item.title)
        said.append(
            NewInteraction(
                role=Role.USER,
                text=plain(question.format(item=item.title)),
                occurred_at=asked_at,
            )
        )
        said.append(
            NewInteraction(
                role=Role.ASSISTANT,
                text=plain(words),
                occurred_at=asked_at + timedelta(seconds=4),
                operation="chat",
                provider=provider,
                requested_model=requested,
                responded_model=responded,
                usage=Usage(input=640 + 220 * number, output=90 + len(words), cached=128 * number),
                latency_ms=1_900 + 300 * number,
                finish_reason="stop",
            )
        )
    return said


def _judge(learner: Learner, session: AiSession, *, is_flagged: bool) -> None:
    answers = list(session.interactions.filter(role=Role.ASSISTANT).order_by("seq"))
    person = learner.enrollment.contact
    is_glad = luck(learner.email, "glad") < 0.7
    give_feedback(
        interaction=answers[0],
        contact=person,
        rating=Rating.THUMBS_UP if is_glad else Rating.THUMBS_DOWN,
    )
    if is_flagged:
        give_feedback(
            interaction=answers[1],
            contact=person,
            rating=Rating.FLAG,
            comment="This sounds as if the steps did not matter.",
        )
