"""A program that awards something, its learner and its registrar, made through the services."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from apps.assessment.models import AssessmentAttempt
from apps.cohorts.models import CohortEnrollment
from apps.contacts.models import Contact
from apps.core.versions import publish
from apps.credentials.models import (
    CertificationAward,
    CertificationTemplate,
    CertificationTemplateVersion,
    CredentialDocument,
    CredentialEvent,
)
from apps.credentials.services import consider_awards, grant_award
from apps.requirements.graph import NodeKind, NodeSpec
from apps.requirements.models import Purpose, RequirementNode, RequirementSetVersion
from apps.requirements.services import evaluate_enrollment, sign_off
from tests.assessment.factories import RIGHT, Scene, learner_of, scene
from tests.cohorts.factories import NOON, person
from tests.programs.factories import AUTHORED
from tests.requirements.factories import published_set
from tests.requirements.graphs import group, member, signoff


@dataclass(frozen=True)
class World:
    """A quiz to pass and a practical to be signed off; both together earn the certificate."""

    scene: Scene
    requirements: RequirementSetVersion
    version: CertificationTemplateVersion
    registrar: Contact

    @property
    def template(self) -> CertificationTemplate:
        return self.version.definition

    @property
    def enrollment(self) -> CohortEnrollment:
        return self.scene.enrollment

    @property
    def node(self) -> RequirementNode:
        return self.requirements.nodes.get(key="practical")

    def of(self, enrollment: CohortEnrollment) -> World:
        """Return the same world with another learner."""
        return replace(self, scene=replace(self.scene, enrollment=enrollment))

    def another(self, name: str) -> World:
        return self.of(learner_of(self.scene.cohort, name))

    def pass_quiz(self) -> AssessmentAttempt:
        return self.scene.graded(RIGHT)

    def sign(self, at: datetime = NOON) -> None:
        sign_off(enrollment=self.enrollment, node=self.node, actor=self.registrar, at=at)

    def evaluate(self, at: datetime = NOON) -> None:
        evaluate_enrollment(self.enrollment.id, at=at)

    def meet(self) -> AssessmentAttempt:
        """Do everything that is asked, and have it recorded; nothing is awarded yet."""
        attempt = self.pass_quiz()
        self.evaluate()
        self.sign()
        self.evaluate()
        return attempt

    def consider(self, at: datetime = NOON) -> None:
        """Bring requirements and awards up to date, as the pipeline does."""
        self.evaluate(at)
        consider_awards(self.enrollment.id, at=at)

    def awarded(self, at: datetime = NOON) -> CertificationAward:
        """Return the award of the learner, who met everything."""
        self.meet()
        outcome = grant_award(
            enrollment=self.enrollment, template=self.template, actor=self.registrar, at=at
        )
        assert outcome.award is not None
        return outcome.award


def draft_template(
    requirements: RequirementSetVersion, *, slug: str = "certified", **fields: Any
) -> CertificationTemplateVersion:
    """Return the draft of a new template that these requirements earn."""
    template = CertificationTemplate.objects.create(
        slug=slug, title=slug.title(), program=requirements.definition.program
    )
    values = {
        "name": "Confined space entrant",
        "description": "Enters tanks and silos, and comes out again.",
        "criteria_markdown": "Pass the *quiz* and the practical.",
        "requirement_set": requirements.definition,
        "badge_letters": "CSE",
        "alignments": [
            {"target_name": "Confined spaces", "target_url": "https://skills.example.org/cs"}
        ],
        "tags": ["safety"],
        **fields,
    }
    return CertificationTemplateVersion.objects.create(definition=template, **values)


def published_template(
    requirements: RequirementSetVersion, *, slug: str = "certified", **fields: Any
) -> CertificationTemplateVersion:
    """Return version 1 of a new template that these requirements earn."""
    draft = draft_template(requirements, slug=slug, **fields)
    return publish(version=draft, actor=None, at=AUTHORED)


def world(**fields: Any) -> World:
    """Return a world with a new learner, Ada; `fields` are those of the template's version."""
    it = scene()
    requirements = published_set(
        it.cohort.program_version.definition,
        NodeSpec("quiz", NodeKind.ASSESSMENT_PASSED, assessment=it.template.id),
        signoff("practical"),
        group("all", group_min_count=2, is_root=True),
        member("quiz", "all"),
        member("practical", "all"),
        slug="certification",
        purpose=Purpose.CERTIFICATION,
    )
    return World(
        scene=it,
        requirements=requirements,
        version=published_template(requirements, **fields),
        registrar=person("Rita"),
    )


def document_of(award: CertificationAward) -> dict[str, Any]:
    """Return the award's signed credential."""
    content = CredentialDocument.objects.get(award=award).content
    document: dict[str, Any] = json.loads(bytes(content))
    return document


def event_line(award: CertificationAward) -> list[str]:
    """Return the types of the award's events, in order."""
    events = CredentialEvent.objects.filter(award=award).order_by("revision")
    return list(events.values_list("type", flat=True))
