"""The index says what its sources say: after publishing, retiring, renaming, and from nothing."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, transaction

from apps.contacts.models import AdminAction
from apps.core.models import OutboxMessage
from apps.core.versions import publish, retire
from apps.organizations.models import OrgRole
from apps.programs.models import Course, ModuleItem
from apps.search.languages import Language
from apps.search.models import SearchDocument, SearchSettings
from apps.search.selectors.sources import SOURCES
from apps.search.services import change_language, index, rebuild, unlike_sources
from tests.assessment.factories import draft_assessment
from tests.factories import member
from tests.programs.factories import AUTHORED, next_draft, published_program
from tests.search.factories import LESSONS, course_with, drafted, index_all

pytestmark = pytest.mark.django_db

COLUMNS = ("kind", "title", "headings", "body", "is_current")


def rows(*columns: str) -> list[tuple[Any, ...]]:
    return sorted(SearchDocument.objects.values_list(*(columns or COLUMNS)))


def without_ids() -> list[dict[str, Any]]:
    every = SearchDocument.objects.order_by("kind", "digest", "course_version_id").values()
    return [{key: value for key, value in row.items() if key != "id"} for row in every]


def test_publishing_puts_a_course_and_its_lessons_into_the_index() -> None:
    course_with()

    assert rows() == [
        ("course", "First aid", "", "What everybody should know. About First aid.", True),
        (
            "lesson",
            "Bleeding wounds",
            "Basics Pressure",
            "Pressure Press on the wound. A tourniquet stops heavy bleeding.",
            True,
        ),
        (
            "lesson",
            "Recovery position",
            "Basics",
            "Turn somebody who breathes onto their side.",
            True,
        ),
    ]


def test_a_draft_is_not_in_the_index() -> None:
    drafted(LESSONS, slug="first-aid", title="First aid")

    rebuild()

    assert rows() == []


def test_a_newer_version_is_current_and_the_older_one_stays_for_its_learners() -> None:
    first = course_with({"Bleeding": "Press."})
    draft = next_draft(first)
    ModuleItem.objects.filter(version=draft).update(body_markdown="Press harder.")

    second = publish(version=draft, actor=None, at=AUTHORED)
    index_all()

    assert rows("kind", "body", "course_version_id", "is_current") == sorted(
        [
            ("course", "What everybody should know. About First aid.", first.id, False),
            ("course", "What everybody should know. About First aid.", second.id, True),
            ("lesson", "Press.", first.id, False),
            ("lesson", "Press harder.", second.id, True),
        ]
    )


def test_retiring_the_newest_version_makes_the_one_before_it_current() -> None:
    first = course_with({"Bleeding": "Press."})
    second = publish(version=next_draft(first), actor=None, at=AUTHORED)

    retire(version=second, actor=None, at=AUTHORED)
    index_all()

    current = SearchDocument.objects.filter(is_current=True)
    assert set(current.values_list("course_version_id", flat=True)) == {first.id}
    assert SearchDocument.objects.count() == 4


def test_programs_and_questions_are_in_the_index_too() -> None:
    published_program()
    publish(version=draft_assessment(), actor=None, at=AUTHORED)
    index_all()

    assert rows("kind", "title", "body", "is_current") == sorted(
        [
            ("course", "First Aid", "", True),
            ("lesson", "Welcome", "", True),
            ("lesson", "Rules", "", True),
            ("lesson", "More", "", True),
            ("program", "Responder", "", True),
            ("question", "Capital", "About capital?", True),
            ("question", "Primes", "About primes?", True),
            ("question", "Earth", "About earth?", True),
            ("question", "Pi", "About pi?", True),
        ]
    )


def test_rebuild_gives_the_same_rows_from_nothing_and_leaves_right_ones() -> None:
    published_program(course_with())
    publish(version=draft_assessment(), actor=None, at=AUTHORED)
    index_all()
    before = without_ids()

    assert rebuild() == 0
    SearchDocument.objects.all().delete()
    assert rebuild() == len(before)

    assert without_ids() == before


def test_rebuild_mends_what_somebody_wrote_past_it(capsys: Any) -> None:
    course_with()
    before = without_ids()
    lesson = SearchDocument.objects.get(title="Bleeding wounds")
    stray = SearchDocument.objects.get(title="Recovery position")
    SearchDocument.objects.filter(pk=lesson.pk).update(title="Else", digest="0" * 64)
    SearchDocument.objects.filter(pk=stray.pk).delete()
    assert unlike_sources() == [lesson.course_id]

    call_command("rebuild_search", organization="a")

    assert capsys.readouterr().out == "a: rows mended: 2\n"
    assert without_ids() == before
    assert unlike_sources() == []


def test_rebuild_afresh_makes_every_row_anew() -> None:
    course_with()

    assert rebuild(afresh=True) == 3


def test_the_audit_tells_what_the_index_says_wrongly_but_not_what_is_late() -> None:
    wrong, late = course_with(), course_with(slug="late")
    SearchDocument.objects.filter(title="Bleeding wounds").update(is_current=False)
    publish(version=next_draft(late), actor=None, at=AUTHORED)
    printed = StringIO()

    with pytest.raises(SystemExit):
        call_command("audit", organization="a", stdout=printed, no_color=True)

    assert "a: documents-unlike-content: 1" in printed.getvalue()
    assert str(wrong.definition_id) in printed.getvalue()


def test_index_takes_as_many_statements_for_many_definitions(
    django_assert_num_queries: Any,
) -> None:
    courses = SOURCES[0]
    few = [course_with({"A": "a"}, slug=f"few-{n}").definition_id for n in range(2)]
    many = [course_with({"A": "a", "B": "b"}, slug=f"many-{n}").definition_id for n in range(8)]

    with django_assert_num_queries(5):
        assert index(courses, few) == 0
    with django_assert_num_queries(5):
        assert index(courses, many) == 0


def test_change_language_owes_everything_again_and_is_on_record() -> None:
    version = course_with({"Häuser": "Die Häuser sind alt."})
    owner = member(OrgRole.OWNER)

    change_language(language=Language.GERMAN, actor=owner)

    owed = OutboxMessage.objects.filter(topic__startswith="search.")
    assert list(owed.values_list("topic", "key")) == [
        ("search.index_course", str(version.definition_id))
    ]
    assert AdminAction.objects.get(action="searchsettings.changed").details == {
        "language": {"old": None, "new": "german"}
    }
    index_all()
    assert set(rows("language")) == {("german",)}


def test_change_language_to_the_same_one_owes_nothing() -> None:
    course_with()
    owner = member(OrgRole.OWNER)
    change_language(language=Language.DUTCH, actor=owner)
    index_all()

    change_language(language=Language.DUTCH, actor=owner)

    assert not OutboxMessage.objects.filter(topic__startswith="search.").exists()


def test_a_text_of_any_length_can_be_indexed() -> None:
    words = " ".join(f"w{n:x}" for n in range(400_000))

    course_with({"Long": words})

    assert len(SearchDocument.objects.get(title="Long").body) == 150_000


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "lesson"},
        {"kind": "else"},
        {"language": "klingon"},
        {"course": None},
    ],
)
def test_the_database_refuses_a_document_that_names_what_is_not_its_kind(
    changes: dict[str, Any],
) -> None:
    course_with()
    document = SearchDocument.objects.filter(kind="course")

    with pytest.raises(DatabaseError), transaction.atomic():
        document.update(**changes)


@pytest.mark.parametrize("kind", ["course", "lesson", "program", "question"])
def test_the_database_refuses_two_documents_about_one_thing(kind: str) -> None:
    published_program(course_with())
    publish(version=draft_assessment(), actor=None, at=AUTHORED)
    index_all()
    twin = SearchDocument.objects.filter(kind=kind)[0]
    twin.pk = None
    twin._state.adding = True

    with pytest.raises(IntegrityError), transaction.atomic():
        SearchDocument.objects.bulk_create([SearchDocument(**values_of(twin))])


def values_of(document: SearchDocument) -> dict[str, Any]:
    fields = SearchDocument._meta.concrete_fields
    return {f.attname: getattr(document, f.attname) for f in fields if not f.primary_key}


def test_the_database_refuses_a_second_row_of_settings_or_an_unknown_language() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        SearchSettings.objects.create(language="klingon")
    with pytest.raises(IntegrityError), transaction.atomic():
        SearchSettings.objects.create(
            id=Course.objects.create(slug="x", title="X").id, language="german"
        )
