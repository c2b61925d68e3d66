import pytest

from apps.cohorts.roster.records import RosterRole, RowStatus
from apps.cohorts.roster.values import (
    email_problem,
    length_problem,
    locale_problem,
    role_of,
    single_line,
    status_of,
    timezone_problem,
)


@pytest.mark.parametrize(
    "email",
    [
        "a@example.org",
        "first.last+tag@sub.example.co.uk",
        "o'neil_x@ex-ample.org",
        "a@münchen.de",
        "a" * 64 + "@example.org",
    ],
)
def test_email_problem_accepts_an_address(email: str) -> None:
    assert email_problem(email) is None


@pytest.mark.parametrize(
    "email",
    [
        *("", "a", "@", "a@", "@example.org", "a@example", "a@@example.org", "a b@example.org"),
        *(".a@example.org", "a.@example.org", "a..b@example.org", "a@-example.org"),
        *("a@example-.org", "a@exa_mple.org", "a@.org", "a@example..org", "a,b@example.org"),
        *("Ada <a@example.org>", "a@example.org;b@example.org", "a@exam\u200bple.org"),
        *("ä@example.org", "a" * 65 + "@example.org", "a@" + "b." * 130 + "org", "a@b.org\n"),
    ],
)
def test_email_problem_refuses_what_is_none(email: str) -> None:
    problem = email_problem(email)

    assert problem is not None
    assert problem[0] == "invalid-email"


@pytest.mark.parametrize(
    ("locale", "good"),
    [
        *[(tag, True) for tag in ("en", "de-CH", "pt_BR", "zh-Hant-TW")],
        *[(tag, False) for tag in ("", "german", "d", "en-", "en" + "-aaaa" * 9)],
    ],
)
def test_locale_problem_knows_language_tags(locale: str, good: bool) -> None:
    assert (locale_problem(locale) is None) is good


@pytest.mark.parametrize(
    ("timezone", "good"),
    [("UTC", True), ("Europe/Zurich", True), ("CET+1", False), ("../etc/passwd", False)],
)
def test_timezone_problem_knows_the_tz_database(timezone: str, good: bool) -> None:
    assert (timezone_problem(timezone) is None) is good


def test_length_problem_names_the_limit() -> None:
    assert length_problem("abc", limit=3) is None
    assert length_problem("abcd", limit=3) == (
        "too-long",
        "“abcd” is longer than 3 characters.",
    )


@pytest.mark.parametrize(
    ("word", "role"),
    [
        ("student", RosterRole.STUDENT),
        ("Learner", RosterRole.STUDENT),
        ("INSTRUCTOR", RosterRole.TEACHER),
        ("siteadministrator", RosterRole.SITE_ADMINISTRATOR),
        ("", None),
        ("ext:mentor", None),
    ],
)
def test_role_of_knows_the_words_for_a_role(word: str, role: RosterRole | None) -> None:
    assert role_of(word) == role


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("", RowStatus.ACTIVE),
        ("Active", RowStatus.ACTIVE),
        ("toBeDeleted", RowStatus.TO_BE_DELETED),
        ("inactive", None),
    ],
)
def test_status_of_knows_the_two_statuses(word: str, status: RowStatus | None) -> None:
    assert status_of(word) == status


def test_single_line_folds_white_space() -> None:
    assert single_line(" Ada\u00a0\n King\t") == "Ada King"
