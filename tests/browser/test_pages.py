"""Every kind of page in a real browser: axe-core, the keyboard, a narrow screen, no scripts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from apps.assessment.models import AssessmentResponse
from tests.assessment.factories import WITH_ESSAY
from tests.browser.conftest import signed_in
from tests.pages.addresses import every_page
from tests.pages.factories import Study, study

pytestmark = pytest.mark.flow

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = """async rules => (await axe.run(document, {runOnly: rules})).violations.map(
    found => [found.id, ...found.nodes.map(node => node.html)])"""
NARROW = {"width": 360, "height": 740}
# What has the focus, and whether a ring is drawn around it.
FOCUS = """() => {
    const element = document.activeElement;
    const style = getComputedStyle(element);
    return [element.outerHTML.slice(0, 80), parseFloat(style.outlineWidth) >= 2];
}"""


@pytest.fixture(scope="module")
def axe() -> str:
    package = pytest.importorskip("axe_playwright_python", reason="needs axe-playwright-python")
    return (Path(package.__file__).parent / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture
def own(own_database: str) -> Study:
    return study(slug="autumn", questions=WITH_ESSAY, attempts_allowed=None, time_limit_seconds=600)


def test_axe_finds_nothing_and_nothing_is_wider_than_a_phone(
    chromium: Any, site: str, own: Study, axe: str
) -> None:
    pages = [
        *every_page(own),
        (True, "/nothing-here"),
        (False, "/nothing-here"),
        (True, "/v1"),
    ]
    # Colours on their way from one to the other have no contrast of their own.
    still = {"viewport": NARROW, "bypass_csp": True, "reduced_motion": "reduce"}
    windows = {
        True: signed_in(chromium, site, own.learner, **still),
        False: chromium.new_context(**still).new_page(),
    }
    found: dict[str, Any] = {}
    for is_member, path in pages:
        window = windows[is_member]
        window.goto(site + path)
        window.add_script_tag(content=axe)
        for scheme in ("light", "dark"):
            window.emulate_media(color_scheme=scheme)
            violations = window.evaluate(RUN, RULES)
            if violations:
                found[f"{path} {scheme}"] = violations
        width = window.evaluate("document.documentElement.scrollWidth")
        if width > NARROW["width"]:
            found[f"{path} width"] = width

    assert found == {}


def test_the_keyboard_reaches_everything_and_shows_where_it_is(
    chromium: Any, site: str, own: Study
) -> None:
    attempt = own.started()
    window = signed_in(chromium, site, own.learner)
    hidden = []
    for path in ("/", own.path(), "/account", f"/attempts/{attempt.id}"):
        window.goto(site + path)
        stops = window.evaluate(
            "() => [...document.querySelectorAll('a[href], button, select, textarea, "
            "input:not([type=hidden])')].filter(e => e.tabIndex >= 0).length"
        )
        names = set()
        for _ in range(stops):
            window.keyboard.press("Tab")
            name, is_visible = window.evaluate(FOCUS)
            names.add(name)
            if not is_visible:
                hidden.append((path, name))
        assert any("Skip" in name or "skip" in name for name in names), path

    assert hidden == []


def test_an_attempt_is_taken_and_handed_in_without_scripts(
    chromium: Any, site: str, own: Study
) -> None:
    window = signed_in(chromium, site, own.learner, java_script_enabled=False)
    window.goto(site + own.path(f"/assessments/{own.template.id}"))
    window.click("main button:has-text('Start')")
    window.check("label:has-text('Paris') input")
    window.fill("textarea", "Bread\nand debts")
    window.click("[name=finish]")
    window.click("main button:has-text('Hand in')")

    kept = AssessmentResponse.objects.filter(attempt__enrollment=own.enrollment)
    values = dict(kept.values_list("item__key", "value"))
    assert window.inner_text("h1") == own.template.title
    assert {key: values.get(key) for key in ("capital", "causes")} == {
        "capital": "paris",
        "causes": "Bread\nand debts",
    }
