"""Searching in a real browser, from the box that stands on every page."""

from __future__ import annotations

from typing import Any

from apps.organizations.models import OrgRole
from tests.browser.conftest import signed_in
from tests.factories import member
from tests.search.factories import cohort_with, course_with, learner_of


def test_a_learner_searches_from_any_page_and_reads_the_lesson(chromium: Any, site: str) -> None:
    ada = member(OrgRole.LEARNER)
    learner_of(cohort_with(course_with()), ada)
    page = signed_in(chromium, site, ada, viewport={"width": 360, "height": 740})

    page.fill("header [name=q]", "tourniquet")
    page.press("header [name=q]", "Enter")
    page.wait_for_url(f"{site}/search?q=tourniquet")
    assert page.inner_text("mark") == "tourniquet"
    width = page.evaluate("document.documentElement.scrollWidth")
    page.click("text=Bleeding wounds")
    page.wait_for_selector("article h1")

    assert width <= 360
    assert page.inner_text("h1") == "Bleeding wounds"
