"""What a template may say, and what it must say to be published."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from apps.core.versions import NotPublishable, new_draft, publish
from apps.credentials.models import CertificationTemplateVersion
from apps.credentials.publication import (
    printable,
    validate_alignments,
    validate_colour,
    validate_printable,
    validate_tags,
)
from apps.requirements.models import Purpose, RequirementSet
from tests.cohorts.factories import NOON
from tests.credentials.factories import World, draft_template, world
from tests.programs.factories import published_course, published_program
from tests.requirements.factories import draft_set, published_set
from tests.requirements.graphs import signoff

ALIGNMENT = {"target_name": "Lifting", "target_url": "https://skills.example/lifting"}


@pytest.mark.parametrize("value", ["red", "#FFF", "#12345", "#12345G", "#ABCDEF", "#123456 "])
def test_validate_colour_refuses_other_notations(value: str) -> None:
    with pytest.raises(ValidationError):
        validate_colour(value)


@pytest.mark.parametrize("value", ["a\x00b", "a\x1bb", "\x7f", "\ud800"])
def test_validate_printable_refuses_what_no_page_can_show(value: str) -> None:
    with pytest.raises(ValidationError):
        validate_printable(value)


def test_validators_accept_what_authors_write() -> None:
    validate_colour("#1f3a5f")
    validate_printable("Zwei\nZeilen\tmit “Zeichen” 起重機")
    validate_tags(["safety", "confined space"])
    validate_alignments([ALIGNMENT, {**ALIGNMENT, "target_code": "L-1"}])


@pytest.mark.parametrize(
    "value",
    [None, "safety", [1], [""], [" "], ["x" * 101], ["a", "a"], ["a\x00"], ["t"] * 21],
    ids=repr,
)
def test_validate_tags_refuses_anything_else(value: object) -> None:
    with pytest.raises(ValidationError):
        validate_tags(value)


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        ("text", "not an object"),
        ({**ALIGNMENT, "color": "red"}, "there is no member color"),
        ({**ALIGNMENT, "target_code": 7}, "target_code is not a text"),
        ({**ALIGNMENT, "target_name": "x" * 201}, "target_name is not a text"),
        ({"target_url": ALIGNMENT["target_url"]}, "target_name is missing"),
        ({"target_name": "Lifting"}, "target_url is not an address on the web"),
        ({**ALIGNMENT, "target_url": "javascript:alert(1)"}, "target_url is not an address"),
        ({**ALIGNMENT, "target_url": "https://a b"}, "target_url is not an address"),
        ({**ALIGNMENT, "target_url": 7}, "target_url is not a text"),
    ],
)
def test_validate_alignments_names_entry_and_fault(entry: Any, fault: str) -> None:
    with pytest.raises(ValidationError) as caught:
        validate_alignments([ALIGNMENT, entry])

    assert caught.value.messages[0].startswith(f"Alignment 2: {fault}")


def test_printable_is_one_line_of_what_can_be_printed() -> None:
    assert printable("  Ada\x00 \n King\x1b ") == "Ada King"


# --- Publishing ----------------------------------------------------------------------------------
def codes(draft: CertificationTemplateVersion) -> list[tuple[str, str]]:
    with pytest.raises(NotPublishable) as caught:
        publish(version=draft, actor=None, at=NOON)
    return [(error["field"], error["code"]) for error in caught.value.errors]


@pytest.fixture
def it() -> World:
    return world()


@pytest.mark.django_db
def test_publish_refuses_an_empty_draft_and_names_everything_missing(it: World) -> None:
    draft = draft_template(
        it.requirements,
        slug="empty",
        name="",
        description=" ",
        criteria_markdown="",
        requirement_set=None,
    )

    assert codes(draft) == [
        ("name", "missing"),
        ("description", "missing"),
        ("criteria_markdown", "missing"),
        ("requirement_set", "missing"),
    ]


@pytest.mark.django_db
def test_publish_refuses_requirements_of_another_purpose_or_program(it: World) -> None:
    elsewhere = published_program(published_course("other"), slug="elsewhere").definition
    foreign = published_set(elsewhere, signoff("x"), slug="foreign")
    draft = draft_template(it.requirements, slug="d", requirement_set=foreign.definition)

    assert codes(draft) == [
        ("requirement_set", "wrong-purpose"),
        ("requirement_set", "foreign-program"),
    ]


@pytest.mark.django_db
def test_publish_refuses_requirements_that_nobody_published(it: World) -> None:
    unpublished = draft_set(
        it.template.program,
        signoff("x", is_root=True),
        slug="later",
        purpose=Purpose.CERTIFICATION,
    )
    asked = RequirementSet.objects.get(pk=unpublished.definition_id)
    draft = draft_template(it.requirements, slug="d", requirement_set=asked)

    assert codes(draft) == [("requirement_set", "not-published")]


@pytest.mark.django_db
def test_publish_refuses_what_could_not_be_signed(it: World) -> None:
    draft = draft_template(it.requirements, slug="d", description="Bell \x07")

    assert codes(draft) == [("", "not-signable")]


@pytest.mark.django_db
def test_publish_of_a_second_version_keeps_the_first(it: World) -> None:
    draft = new_draft(definition=it.template, actor=None, at=NOON)
    draft.name = "Confined space expert"
    draft.save()

    second = publish(version=draft, actor=None, at=NOON)

    assert [(v.number, v.name) for v in it.template.versions.order_by("number")] == [
        (1, "Confined space entrant"),
        (2, "Confined space expert"),
    ]
    assert it.template.versions.latest_published() == second
