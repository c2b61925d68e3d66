"""How learners of the demo take assessments, and how the instructor reads what they wrote."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from apps.assessment.models import (
    AssessmentAttempt,
    AssessmentResult,
    AssessmentVersion,
    GradingTask,
)
from apps.assessment.questions.items import ItemSpec, JsonValue
from apps.assessment.selectors.papers import Paper, published_paper
from apps.assessment.services import (
    Answer,
    grade_attempt,
    record_grade,
    record_rubric_grade,
    save_responses,
    start_attempt,
    submit_attempt,
    void_attempt,
)
from apps.assessment.services.attempts import Locked
from apps.assessment.vocabulary import Kind, TaskState
from apps.demo.answers import answers, levels, luck, quality, wrong_answer
from apps.demo.groups import Group, Learner
from apps.demo.plans import Task

ENGINE_TAKES: Final = timedelta(seconds=20)
LEFT_TO_THE_WORKER: Final = timedelta(days=1)
"""What was handed in since is graded by the worker, like anybody’s work."""
FEEDBACK: Final[Mapping[str, str]] = {
    "strong": "Precise, complete, and it shows that you have thought about why.",
    "fair": "The main points are there. Say more about how you know, and what could go wrong.",
    "thin": "This claims more than it shows. Look at the criteria again, then hand in once more.",
}


class Sittings:
    """The attempts of one group, and their grades."""

    def __init__(self, group: Group) -> None:
        self.group = group
        self._essays = _essays(group)

    def take(self, learner: Learner, task: Task, at: datetime) -> None:
        """Take an assessment until it is passed, or until what the learner knows is used up."""
        version = self.group.curriculum.assessments[task.key]
        plan = self.group.plan
        if plan.sitting == (learner.email, task.key):
            self._begin(learner, version, self.group.now - timedelta(minutes=12))
            return
        is_voided = plan.voided is not None and plan.voided[:2] == (learner.email, task.key)
        shares = (*learner.life.shares[:1],) * is_voided + learner.life.shares
        for number, share in enumerate(shares[: version.attempts_allowed]):
            starts = at + timedelta(days=number)
            if starts > self.group.now - timedelta(hours=2):
                return
            try:
                attempt = self._attempt(learner, version, share, starts)
            except Locked:
                return
            self._grade(attempt, learner, share)
            if is_voided and number == 0:
                self._void(attempt)
            elif not _has_failed(attempt):
                return

    def _attempt(
        self, learner: Learner, version: AssessmentVersion, share: float, at: datetime
    ) -> AssessmentAttempt:
        """Return an attempt, handed in; one answer was another at first."""
        attempt = self._started(learner, version, at)
        paper = published_paper(version.id)
        given = self._given(learner, paper, attempt, share)
        takes = timedelta(minutes=1 + len(given) * (0.5 + 0.8 * luck(learner.email, "pace")))
        at_first = _second_thoughts(paper, attempt, learner)
        if at_first:
            self._save(attempt, at_first, at + takes / 3, sequence=1)
        self._save(attempt, given, at + takes / 2, sequence=2)
        return submit_attempt(attempt=attempt, actor=learner.contact, at=at + takes)

    def _begin(self, learner: Learner, version: AssessmentVersion, at: datetime) -> None:
        """Start an attempt and answer the first half of it."""
        attempt = self._started(learner, version, at)
        paper = published_paper(version.id)
        given = self._given(learner, paper, attempt, learner.life.shares[-1])
        half = [UUID(key) for key in attempt.item_order[: (len(given) + 1) // 2]]
        self._save(
            attempt, {item: given[item] for item in half}, at + timedelta(minutes=5), sequence=1
        )

    def _started(
        self, learner: Learner, version: AssessmentVersion, at: datetime
    ) -> AssessmentAttempt:
        return start_attempt(
            enrollment=learner.enrollment,
            template=version.definition,
            actor=learner.contact,
            at=at,
        ).attempt

    def _given(
        self, learner: Learner, paper: Paper, attempt: AssessmentAttempt, share: float
    ) -> dict[UUID, JsonValue]:
        return answers(
            paper.items_of(attempt.item_order),
            share=share,
            writes=_writes(learner, share),
            seed=f"{learner.email} {attempt.attempt_no}",
            essays=self._essays,
        )

    def _save(
        self,
        attempt: AssessmentAttempt,
        given: Mapping[UUID, JsonValue],
        at: datetime,
        *,
        sequence: int,
    ) -> None:
        save_responses(
            attempt_id=attempt.id,
            answers=[Answer(item, value, sequence) for item, value in given.items()],
            contact_id=attempt.contact_id,
            at=at,
        )

    def _grade(self, attempt: AssessmentAttempt, learner: Learner, share: float) -> None:
        """Let the engine grade what is old, and the instructor read what it could not."""
        group, submitted_at = self.group, attempt.submitted_at or self.group.now
        if submitted_at > group.now - LEFT_TO_THE_WORKER:
            return
        grade_attempt(attempt.id, at=submitted_at + ENGINE_TAKES)
        read_at = submitted_at + timedelta(days=group.plan.reads_after)
        if read_at > group.now - timedelta(hours=12):
            return
        tasks = GradingTask.objects.filter(attempt=attempt, state=TaskState.OPEN)
        for task in tasks.select_related("item"):
            self._read(task, learner, _writes(learner, share), read_at)

    def _read(self, task: GradingTask, learner: Learner, writes: float, at: datetime) -> None:
        paper = published_paper(task.version_id)
        feedback = FEEDBACK[quality(writes)]
        if task.item.rubric_id is None:
            record_grade(
                attempt_id=task.attempt_id,
                item_id=task.item_id,
                grader=self.group.instructor,
                score=round(task.item.points * round(writes * 4) / 4, 2),
                expected_revision=0,
                feedback=feedback,
                at=at,
            )
            return
        record_rubric_grade(
            attempt_id=task.attempt_id,
            item_id=task.item_id,
            grader=self.group.instructor,
            choices=levels(
                paper.rubrics[task.item.rubric_id],
                share=writes,
                seed=learner.email,
            ),
            expected_revision=0,
            feedback=feedback,
            at=at,
        )

    def _void(self, attempt: AssessmentAttempt) -> None:
        assert self.group.plan.voided  # noqa: S101
        void_attempt(
            attempt_id=attempt.id,
            actor=self.group.instructor,
            reason=self.group.plan.voided[2],
            at=(attempt.submitted_at or self.group.now) + timedelta(hours=20),
        )


def _essays(group: Group) -> Mapping[str, Mapping[str, str]]:
    """Return question key -> quality -> text."""
    found: dict[str, dict[str, str]] = {}
    for path in sorted((group.organization.folder / "essays").glob("*.txt")):
        key, _, how = path.stem.rpartition(".")
        found.setdefault(key, {})[how] = path.read_text(encoding="utf-8")
    return found


def _writes(learner: Learner, share: float) -> float:
    return share if learner.life.writes is None else learner.life.writes


def _second_thoughts(
    paper: Paper, attempt: AssessmentAttempt, learner: Learner
) -> dict[UUID, JsonValue]:
    """Return an answer that the learner is going to think over, if the paper has a choice."""
    choices = [item for item in paper.items if item.kind == Kind.MULTIPLE_CHOICE]
    if not choices:
        return {}
    item: ItemSpec = choices[int(luck(learner.email, "doubt") * len(choices))]
    return {item.id: wrong_answer(item, seed=f"{learner.email} {attempt.attempt_no} doubt")}


def _has_failed(attempt: AssessmentAttempt) -> bool:
    """Return whether it is final that this attempt did not pass."""
    result = AssessmentResult.objects.filter(attempt=attempt).order_by("-revision").first()
    return result is not None and result.is_final and not result.passed
