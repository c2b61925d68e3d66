"""Putting questions into drafts, and assessments into courses."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Max

from apps.assessment.models import (
    AssessmentItem,
    AssessmentPlacement,
    AssessmentVersion,
    BankItem,
)
from apps.contacts.models import Contact
from apps.contacts.services import record_admin_action
from apps.core.problems import Conflict
from apps.core.versions import NotADraft, lock_version
from apps.programs.models import CourseVersion, ItemType, ModuleItem

_COPIED = (
    "kind",
    "title",
    "prompt_markdown",
    "points",
    "key_data",
    "scoring_rule",
    "graded_by",
    "feedback_markdown",
)


class NotAnAssessmentItem(Conflict):
    code = "not-an-assessment-item"
    title = "Only an item of the type assessment can stand for an assessment."


class AssessmentNotPublished(Conflict):
    code = "assessment-not-published"
    title = "Only a published version of an assessment can be placed."


@transaction.atomic
def place_assessment(
    *, module_item: ModuleItem, assessment_version: AssessmentVersion
) -> AssessmentPlacement:
    """Return the placement that makes a draft course's item stand for this assessment version.

    An item that stood for another one is changed. Raises NotADraft when the course version is
    published, NotAnAssessmentItem, AssessmentNotPublished.
    """
    course_version = lock_version(CourseVersion.objects.get(id=module_item.version_id))
    if not course_version.is_draft:
        raise NotADraft
    if module_item.type != ItemType.ASSESSMENT:
        raise NotAnAssessmentItem
    if assessment_version.is_draft:
        raise AssessmentNotPublished
    placement, _ = AssessmentPlacement.objects.update_or_create(
        module_item=module_item,
        defaults={
            "version": course_version,
            "key": module_item.key,
            "assessment_version": assessment_version,
        },
    )
    return placement


@transaction.atomic
def copy_from_bank(
    *, version: AssessmentVersion, items: Sequence[BankItem]
) -> list[AssessmentItem]:
    """Return new items at the end of a draft, copied from a bank; later changes there don't follow.

    A key that the draft has already gets a number. Raises NotADraft.
    """
    version = lock_version(version)
    if not version.is_draft:
        raise NotADraft
    taken = set(version.items.values_list("key", flat=True))
    last = version.items.aggregate(last=Max("position"))["last"] or 0
    copies = [
        AssessmentItem(
            version=version,
            key=free_key(item.key, taken),
            position=position,
            bank_item=item,
            **{name: getattr(item, name) for name in _COPIED},
        )
        for position, item in enumerate(items, start=last + 1)
    ]
    return AssessmentItem.objects.bulk_create(copies)


@transaction.atomic
def archive_question(*, item: BankItem, actor: Contact, at: datetime) -> BankItem:
    """Return the bank's question, out of use from now on; archived again it stays as it is."""
    if BankItem.objects.filter(id=item.id, archived_at=None).update(archived_at=at):
        record_admin_action(actor=actor, action="bankitem.archived", entity=item)
    item.refresh_from_db()
    return item


def free_key(wanted: str, taken: set[str]) -> str:
    """Return `wanted`, or the first of wanted-2, wanted-3 … that is free, and take it."""
    key, number = wanted, 1
    while key in taken:
        number += 1
        key = f"{wanted[:90]}-{number}"
    taken.add(key)
    return key
