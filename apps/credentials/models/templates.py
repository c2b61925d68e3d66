"""What is awarded: templates with frozen versions."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.validators import MaxLengthValidator, MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext as _

from apps.core.models import Definition, Version
from apps.core.versions import PublicationProblem
from apps.credentials.badges import badge_svg, data_uri
from apps.credentials.openbadges import AchievementSpec, CriteriaSpec, ImageSpec
from apps.credentials.publication import (
    MAX_LETTERS,
    alignment_specs,
    validate_alignments,
    validate_colour,
    validate_printable,
    validate_tags,
)
from apps.credentials.specimens import ACHIEVEMENT_TYPES, specimen_fault
from apps.credentials.vocabulary import AwardMode, TemplateType
from apps.programs.models import Program
from apps.requirements.models import Purpose, RequirementSet, RequirementSetVersion

LONGEST_VALIDITY_DAYS = 36_500
LONGEST_TEXT = 20_000


class CertificationTemplate(Definition):
    """Something that a program's learners can earn, whatever it says now or said before."""

    type = models.CharField(max_length=20, choices=TemplateType, default=TemplateType.CERTIFICATE)
    program = models.ForeignKey(
        Program, on_delete=models.PROTECT, related_name="certification_templates"
    )

    class Meta:
        db_table = "certification_templates"
        ordering: ClassVar[list[str]] = ["title"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(type__in=TemplateType.values), name="certificationtemplate_type_known"
            ),
        ]


class CertificationTemplateVersion(Version):
    """What the credential says: an Open Badges 3.0 Achievement, as a draft or frozen.

    `requirement_set` is a certification set of the same program; which of its versions counts is
    assigned to each enrolment. Without `validity_days` an award holds for good.
    """

    definition = models.ForeignKey(
        CertificationTemplate, on_delete=models.PROTECT, related_name="versions"
    )
    name = models.CharField(max_length=200, blank=True, default="", validators=[validate_printable])
    description = models.TextField(
        blank=True, default="", validators=[validate_printable, MaxLengthValidator(LONGEST_TEXT)]
    )
    criteria_markdown = models.TextField(
        blank=True, default="", validators=[validate_printable, MaxLengthValidator(LONGEST_TEXT)]
    )
    requirement_set = models.ForeignKey(
        RequirementSet,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="certification_template_versions",
        limit_choices_to={"purpose": Purpose.CERTIFICATION},
    )
    award_mode = models.CharField(max_length=20, choices=AwardMode, default=AwardMode.AUTOMATIC)
    validity_days = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST_VALIDITY_DAYS)],
    )
    alignments: models.JSONField[Any, Any] = models.JSONField(
        default=list, blank=True, validators=[validate_alignments]
    )
    tags: models.JSONField[Any, Any] = models.JSONField(
        default=list, blank=True, validators=[validate_tags]
    )
    badge_letters = models.CharField(
        max_length=MAX_LETTERS, blank=True, default="", validators=[validate_printable]
    )
    badge_background = models.CharField(
        max_length=7, default="#1f3a5f", validators=[validate_colour]
    )
    badge_foreground = models.CharField(
        max_length=7, default="#ffffff", validators=[validate_colour]
    )

    class Meta(Version.Meta):
        db_table = "certification_template_versions"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            *Version.Meta.constraints,
            models.UniqueConstraint(
                fields=["id", "definition"], name="certificationtemplateversion_id_and_definition"
            ),
            models.CheckConstraint(
                condition=Q(award_mode__in=AwardMode.values),
                name="certificationtemplateversion_award_mode_known",
            ),
            models.CheckConstraint(
                condition=Q(validity_days=None)
                | Q(validity_days__gte=1, validity_days__lte=LONGEST_VALIDITY_DAYS),
                name="certificationtemplateversion_validity_in_range",
            ),
            models.CheckConstraint(
                condition=Q(badge_background__regex=r"^#[0-9a-f]{6}$")
                & Q(badge_foreground__regex=r"^#[0-9a-f]{6}$"),
                name="certificationtemplateversion_colours_written_in_hex",
            ),
        ]

    def publication_problems(self) -> list[PublicationProblem]:
        missing = {
            "name": _("The credential has no name."),
            "description": _("The credential has no description."),
            "criteria_markdown": _("What has to be done is not said."),
        }
        problems = [
            PublicationProblem("missing", message, field)
            for field, message in missing.items()
            if not getattr(self, field).strip()
        ]
        problems += self._requirement_problems()
        if not problems and (fault := specimen_fault(self.achievement("urn:assay:specimen"))):
            problems.append(PublicationProblem("not-signable", fault))
        return problems

    def badge(self) -> str:
        """Return the achievement's picture as SVG, or nothing without letters."""
        if not self.badge_letters:
            return ""
        return badge_svg(
            letters=self.badge_letters,
            background=self.badge_background,
            foreground=self.badge_foreground,
            label=self.name,
        )

    def achievement(self, url: str) -> AchievementSpec:
        """Return what credentials of this version state; `url` is the achievement's address."""
        badge = self.badge()
        return AchievementSpec(
            id=url,
            name=self.name,
            description=self.description,
            criteria=CriteriaSpec(narrative=self.criteria_markdown),
            achievement_type=ACHIEVEMENT_TYPES[self.definition.type],
            version=str(self.number or ""),
            image=ImageSpec(id=data_uri(badge), caption=self.name) if badge else None,
            alignments=alignment_specs(self.alignments),
            tags=self.tags,
        )

    def _requirement_problems(self) -> list[PublicationProblem]:
        asked = self.requirement_set
        if asked is None:
            return [
                PublicationProblem(
                    "missing", _("It is not said which requirements earn it."), "requirement_set"
                )
            ]
        problems = []
        if asked.purpose != Purpose.CERTIFICATION:
            message = _("These requirements are not about certification.")
            problems.append(PublicationProblem("wrong-purpose", message, "requirement_set"))
        if asked.program_id != self.definition.program_id:
            message = _("These requirements belong to another program.")
            problems.append(PublicationProblem("foreign-program", message, "requirement_set"))
        if not RequirementSetVersion.objects.published().filter(definition=asked).exists():
            message = _("These requirements are not published yet.")
            problems.append(PublicationProblem("not-published", message, "requirement_set"))
        return problems
