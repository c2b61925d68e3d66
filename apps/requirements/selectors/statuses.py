"""How learners stand in their requirements, explained: the same for pages, admin, API and mail."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from apps.requirements.explanation import Action as Action
from apps.requirements.explanation import Explanation, explain, next_actions
from apps.requirements.graph import EdgeKind
from apps.requirements.models import RequirementSet
from apps.requirements.rules import evaluate
from apps.requirements.selectors.cases import Case, cases
from apps.requirements.statuses import DecisionStatus, Evaluation


@dataclass(frozen=True)
class RequirementStatus:
    """One requirement of one learner. `evaluation_id` is the decision that is recorded, if any.

    `members` are the keys below a group. `occurred_at` is when what is decided came about.
    `signoff_id` and `waiver_id` are the words that were not taken back.
    """

    key: str
    node_id: UUID
    kind: str
    title: str
    status: str
    explanation: Explanation
    have: Decimal | int | None
    need: Decimal | int | None
    blocking: tuple[str, ...]
    members: tuple[str, ...]
    deadline: datetime | None
    occurred_at: datetime | None
    is_root: bool
    evaluation_id: UUID | None
    recorded_status: str | None
    signoff_id: UUID | None
    waiver_id: UUID | None


@dataclass(frozen=True)
class RequirementStatusTree:
    """Every requirement of one set that holds for an enrolment, in the author's order.

    `next_actions` are what to do now for the whole set, what is due first at the front.
    """

    enrollment_id: UUID
    set_id: UUID
    version_id: UUID
    title: str
    purpose: str
    as_of: datetime
    requirements: tuple[RequirementStatus, ...]
    next_actions: tuple[Action, ...]

    @property
    def root(self) -> RequirementStatus | None:
        """Return the requirement that stands for the whole set, if there is one."""
        return next((one for one in self.requirements if one.is_root), None)


def statuses(enrollment_id: UUID, *, at: datetime) -> list[RequirementStatusTree]:
    """Return the enrolment's status in each of its sets, as of `at`, from the facts of now."""
    return statuses_of([enrollment_id], at=at).get(enrollment_id, [])


def statuses_of(
    enrollment_ids: Collection[UUID], *, at: datetime
) -> dict[UUID, list[RequirementStatusTree]]:
    """Return enrolment -> its trees; the number of statements does not grow with the learners."""
    found: dict[UUID, list[RequirementStatusTree]] = {}
    judged = cases(enrollment_ids, as_of=at)
    titles = _titles({case.version.set_id for case in judged})
    for case in judged:
        tree = _tree(case, titles[case.version.set_id], at)
        found.setdefault(case.subject.enrollment_id, []).append(tree)
    for trees in found.values():
        trees.sort(key=lambda tree: (tree.purpose != "progression", tree.title))
    return found


def _titles(set_ids: Collection[UUID]) -> dict[UUID, str]:
    """Return set -> title: unlike its versions, it can be renamed at any time."""
    return dict(RequirementSet.objects.filter(id__in=set_ids).values_list("id", "title"))


def _tree(case: Case, title: str, at: datetime) -> RequirementStatusTree:
    version = case.version
    evaluation = evaluate(version.spec, case.facts, at)
    root = version.spec.root
    ends = [root.key] if root else [node.key for node in version.spec.nodes]
    actions = {
        action.node: action
        for key in ends
        for action in next_actions(version.spec, evaluation, key)
    }
    return RequirementStatusTree(
        enrollment_id=case.subject.enrollment_id,
        set_id=version.set_id,
        version_id=version.id,
        title=title,
        purpose=version.purpose,
        as_of=at,
        requirements=tuple(_status(case, evaluation, node.key) for node in version.spec.nodes),
        next_actions=_due_first(actions.values()),
    )


def _due_first(actions: Collection[Action]) -> tuple[Action, ...]:
    dated = [action for action in actions if action.deadline is not None]
    dated.sort(key=lambda action: str(action.deadline))
    return (*dated, *(action for action in actions if action.deadline is None))


def _status(case: Case, evaluation: Evaluation, key: str) -> RequirementStatus:
    spec = case.version.spec
    node, found, held = spec.by_key[key], evaluation.statuses[key], case.held.get(key)
    signoff, waiver = case.facts.signoffs.get(key), case.facts.waivers.get(key)
    return RequirementStatus(
        key=key,
        node_id=case.version.node_ids[key],
        kind=node.kind.value,
        title=node.title or key,
        status=found.status,
        explanation=explain(spec, evaluation, key),
        have=found.have,
        need=found.need,
        blocking=found.blocking,
        members=spec.sources(key, EdgeKind.MEMBER),
        deadline=found.deadline,
        occurred_at=found.occurred_at,
        is_root=node.is_root,
        evaluation_id=held.fact.evaluation if held else None,
        recorded_status=DecisionStatus(held.fact.status).value if held else None,
        signoff_id=signoff.signoff if signoff else None,
        waiver_id=waiver.waiver if waiver else None,
    )
