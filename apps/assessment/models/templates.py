"""What is asked: templates with frozen versions, their items and rubrics, and where they stand."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from apps.assessment.models.questions import Question
from apps.assessment.publication import CriterionShape, ItemShape, RubricShape, version_faults
from apps.assessment.vocabulary import ReleasePolicy, ResultPolicy, ScoringModel, TemplateType
from apps.core.models import Definition, Version, VersionChild
from apps.core.versions import PublicationProblem
from apps.programs.models import Course, CourseVersion, ModuleItem

PERCENT = (MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(100)))


def percent_field(default: int) -> models.DecimalField[Decimal, Decimal]:
    return models.DecimalField(
        max_digits=5, decimal_places=2, default=Decimal(default), validators=PERCENT
    )


class AssessmentTemplate(Definition):
    """An assessment, whatever it asks now or asked before. Without a course it is reusable."""

    type = models.CharField(max_length=20, choices=TemplateType, default=TemplateType.QUIZ)
    scoring_model = models.CharField(max_length=20, choices=ScoringModel, default=ScoringModel.AUTO)
    course = models.ForeignKey(
        Course, null=True, blank=True, on_delete=models.PROTECT, related_name="assessments"
    )

    class Meta:
        db_table = "assessment_templates"
        ordering: ClassVar[list[str]] = ["title"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(type__in=TemplateType.values), name="assessmenttemplate_type_known"
            ),
            models.CheckConstraint(
                condition=Q(scoring_model__in=ScoringModel.values),
                name="assessmenttemplate_scoring_model_known",
            ),
        ]


class AssessmentVersion(Version):
    """The items and terms of an assessment, as a draft or frozen under a number.

    Times are seconds, percentages 0 to 100. Lateness costs `late_percent_per_day` of the maximum
    for each started day after the due time, at most `late_cap_percent`; after
    `late_cut_off_days` nothing is accepted.
    """

    definition = models.ForeignKey(
        AssessmentTemplate, on_delete=models.PROTECT, related_name="versions"
    )
    instructions_markdown = models.TextField(blank=True, default="")
    pass_percent = percent_field(60)
    percent_places = models.PositiveSmallIntegerField(default=2, validators=[MaxValueValidator(4)])
    attempts_allowed = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)]
    )
    time_limit_seconds = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)]
    )
    grace_seconds = models.PositiveIntegerField(default=0)
    late_percent_per_day = percent_field(0)
    late_cap_percent = percent_field(100)
    late_cut_off_days = models.PositiveSmallIntegerField(null=True, blank=True)
    result_policy = models.CharField(
        max_length=20, choices=ResultPolicy, default=ResultPolicy.HIGHEST
    )
    release_policy = models.CharField(
        max_length=20, choices=ReleasePolicy, default=ReleasePolicy.IMMEDIATELY
    )
    shuffle_items = models.BooleanField(default=False)
    shuffle_options = models.BooleanField(default=True)

    class Meta(Version.Meta):
        db_table = "assessment_versions"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            *Version.Meta.constraints,
            models.UniqueConstraint(
                fields=["id", "definition"], name="assessmentversion_id_and_definition"
            ),
            models.CheckConstraint(
                condition=Q(
                    pass_percent__gte=0,
                    pass_percent__lte=100,
                    late_percent_per_day__gte=0,
                    late_percent_per_day__lte=100,
                    late_cap_percent__gte=0,
                    late_cap_percent__lte=100,
                ),
                name="assessmentversion_percents_in_range",
            ),
            models.CheckConstraint(
                condition=Q(percent_places__lte=4), name="assessmentversion_places_in_range"
            ),
            models.CheckConstraint(
                condition=(Q(attempts_allowed=None) | Q(attempts_allowed__gte=1))
                & (Q(time_limit_seconds=None) | Q(time_limit_seconds__gte=1)),
                name="assessmentversion_limits_positive",
            ),
            models.CheckConstraint(
                condition=Q(
                    result_policy__in=ResultPolicy.values, release_policy__in=ReleasePolicy.values
                ),
                name="assessmentversion_policies_known",
            ),
        ]

    def publication_problems(self) -> list[PublicationProblem]:
        items = [
            ItemShape(
                key=item.key,
                kind=item.kind,
                rule=item.scoring_rule,
                key_data=item.key_data,
                points=item.points,
                position=item.position,
                graded_by=item.graded_by,
                rubric=item.rubric.key if item.rubric else "",
            )
            for item in self.items.select_related("rubric").order_by("position", "key")
        ]
        faults = version_faults(self.definition.scoring_model, items, self._rubrics())
        return [PublicationProblem(code=f.code, message=f.message, key=f.key) for f in faults]

    def _rubrics(self) -> list[RubricShape]:
        return [
            RubricShape(
                key=rubric.key,
                criteria=tuple(
                    CriterionShape(
                        key=criterion.key,
                        points=tuple(level.points for level in criterion.levels.all()),
                    )
                    for criterion in rubric.criteria.all()
                ),
            )
            for rubric in self.rubrics.prefetch_related("criteria__levels")
        ]


class Rubric(VersionChild):
    """Criteria by which people score; its points are the sum of each criterion's best level."""

    version = models.ForeignKey(AssessmentVersion, on_delete=models.CASCADE, related_name="rubrics")
    title = models.CharField(max_length=200)
    description = models.TextField(blank=True, default="")

    class Meta(VersionChild.Meta):
        db_table = "rubrics"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            *VersionChild.Meta.constraints,
            models.UniqueConstraint(fields=["id", "version"], name="rubric_id_and_version"),
        ]

    def __str__(self) -> str:
        return self.title


class RubricCriterion(VersionChild):
    """One thing a rubric looks at."""

    version = models.ForeignKey(
        AssessmentVersion, on_delete=models.CASCADE, related_name="rubric_criteria"
    )
    rubric = models.ForeignKey(Rubric, on_delete=models.CASCADE, related_name="criteria")
    title = models.CharField(max_length=200)
    description = models.TextField(blank=True, default="")
    position = models.PositiveSmallIntegerField(default=1)

    class Meta(VersionChild.Meta):
        db_table = "rubric_criteria"
        ordering: ClassVar[list[str]] = ["position", "key"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            *VersionChild.Meta.constraints,
            models.UniqueConstraint(
                fields=["id", "version"], name="rubriccriterion_id_and_version"
            ),
        ]

    def __str__(self) -> str:
        return self.title


class RubricLevel(VersionChild):
    """How well a criterion was met, and the points for it."""

    version = models.ForeignKey(
        AssessmentVersion, on_delete=models.CASCADE, related_name="rubric_levels"
    )
    criterion = models.ForeignKey(RubricCriterion, on_delete=models.CASCADE, related_name="levels")
    title = models.CharField(max_length=200)
    description = models.TextField(blank=True, default="")
    points = models.DecimalField(
        max_digits=9, decimal_places=4, validators=[MinValueValidator(Decimal(0))]
    )
    position = models.PositiveSmallIntegerField(default=1)

    class Meta(VersionChild.Meta):
        db_table = "rubric_levels"
        ordering: ClassVar[list[str]] = ["position", "key"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            *VersionChild.Meta.constraints,
            models.CheckConstraint(
                condition=Q(points__gte=0), name="rubriclevel_points_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return self.title


class AssessmentItem(VersionChild, Question):
    """One question of a version. `bank_item` tells where it was copied from."""

    version = models.ForeignKey(AssessmentVersion, on_delete=models.CASCADE, related_name="items")
    position = models.PositiveSmallIntegerField()
    rubric = models.ForeignKey(
        Rubric, null=True, blank=True, on_delete=models.SET_NULL, related_name="items"
    )
    bank_item = models.ForeignKey(
        "assessment.BankItem",
        null=True,
        blank=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="copies",
    )

    class Meta(VersionChild.Meta, Question.Meta):
        db_table = "assessment_items"
        ordering: ClassVar[list[str]] = ["position", "key"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            *VersionChild.Meta.constraints,
            *Question.Meta.constraints,
            models.UniqueConstraint(fields=["id", "version"], name="assessmentitem_id_and_version"),
        ]

    def __str__(self) -> str:
        return self.title or self.key


class AssessmentPlacement(VersionChild):
    """Which assessment an item of a course version stands for, pinned to one published version.

    Its version is the course's: the placement is frozen with the course. A trigger refuses a
    draft assessment, a composite foreign key an item of another course version.
    """

    version = models.ForeignKey(
        CourseVersion, on_delete=models.CASCADE, related_name="assessment_placements"
    )
    module_item = models.ForeignKey(
        ModuleItem, on_delete=models.CASCADE, related_name="assessment_placements"
    )
    assessment_version = models.ForeignKey(
        AssessmentVersion, on_delete=models.PROTECT, related_name="placements"
    )

    class Meta(VersionChild.Meta):
        db_table = "assessment_placements"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            *VersionChild.Meta.constraints,
            models.UniqueConstraint(fields=["module_item"], name="placement_one_per_module_item"),
        ]

    def __str__(self) -> str:
        return self.key
