"""A learner, what is asked of them, and people around them with different rights."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from apps.cohorts.models import Cohort, CohortEnrollment, StaffRole
from apps.cohorts.services import add_staff, enroll
from apps.contacts.models import Contact
from apps.organizations.models import OrgRole
from apps.requirements.graph import NodeKind, NodeSpec
from apps.requirements.models import Purpose, RequirementNode, RequirementSetVersion
from apps.requirements.services import evaluate_enrollment
from tests.assessment.factories import Scene, cohort_with, scene
from tests.cohorts.factories import NOON, person
from tests.factories import member
from tests.requirements.factories import program_of, published_set
from tests.requirements.graphs import group, signoff
from tests.requirements.graphs import member as member_of

UNKNOWN = UUID("0a000000-0000-7000-8000-0000000000ff")


@dataclass
class World:
    """A certification that asks for a quiz and a sign-off in the laboratory."""

    stage: Scene
    version: RequirementSetVersion
    elsewhere: Cohort = field(init=False)

    def __post_init__(self) -> None:
        self.elsewhere = cohort_with(slug="elsewhere")

    @property
    def enrollment(self) -> CohortEnrollment:
        return self.stage.enrollment

    @property
    def learner(self) -> Contact:
        return self.stage.learner

    def node(self, key: str = "lab") -> RequirementNode:
        found: RequirementNode = self.version.nodes.get(key=key)
        return found

    def evaluate(self, at: Any = NOON) -> None:
        evaluate_enrollment(self.enrollment.id, at=at)

    def another(self, name: str, cohort: Cohort | None = None) -> CohortEnrollment:
        """Return the enrolment of somebody else, in the same cohort or in another one."""
        return enroll(cohort=cohort or self.stage.cohort, contact=person(name), actor=None, at=NOON)


def world() -> World:
    """Return a world in which the version is assigned and nothing is met."""
    stage = scene()
    version = published_set(
        program_of(stage.enrollment),
        group("root", title="Award", is_root=True),
        NodeSpec("quiz", NodeKind.ASSESSMENT_PASSED, title="Quiz", assessment=stage.template.id),
        signoff("lab", title="Laboratory"),
        member_of("quiz", "root"),
        member_of("lab", "root"),
        slug="award",
        purpose=Purpose.CERTIFICATION,
    )
    made = World(stage, version)
    made.evaluate()
    return made


def instructor_of(cohort: Cohort, **fields: Any) -> Contact:
    """Return a new member who works with this cohort."""
    contact = member(OrgRole.INSTRUCTOR, **fields)
    add_staff(cohort=cohort, contact=contact, role=StaffRole.INSTRUCTOR, actor=None)
    return contact
