"""What every page owes to readers with a keyboard, a screen reader or a strict browser."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from lxml import html

from tests.assessment.factories import WITH_ESSAY
from tests.clients import browser
from tests.database import ROOT
from tests.pages.addresses import every_page
from tests.pages.factories import Study, study

pytestmark = pytest.mark.django_db

FIELDS = "//input[not(@type='hidden')] | //select | //textarea"
LABELS = "ancestor::label or @aria-label or @aria-labelledby or @id = //label/@for"


def pages(own: Study) -> Iterator[tuple[str, html.HtmlElement]]:
    """Yield every kind of page with its parsed document."""
    clients = {True: browser(own.learner), False: browser()}
    for is_member, path in every_page(own):
        response = clients[is_member].get(path)
        assert response.status_code in (200, 404), path
        yield path, html.document_fromstring(response.content.decode())


def complaints(page: html.HtmlElement) -> list[str]:
    """Return what is wrong with one page."""
    ids = page.xpath("//@id")
    levels = [int(heading.tag[1]) for heading in page.xpath("//h1|//h2|//h3|//h4|//h5|//h6")]
    checks = {
        "the language is named": bool(page.get("lang")),
        "there is one h1": levels.count(1) == 1,
        "headings leave no level out": all(b - a <= 1 for a, b in pairwise([0, *levels])),
        "ids are unique": len(ids) == len(set(ids)),
        "references lead somewhere": all(
            target in ids
            for name in ("aria-labelledby", "aria-describedby", "for")
            for value in page.xpath(f"//@{name}")
            for target in value.split()
        ),
        "every field has a label": not page.xpath(f"({FIELDS})[not({LABELS})]"),
        "the content can be reached at once": page.xpath("//body/a[1]/@href") == ["#content"],
        "there are landmarks": bool(page.xpath("//header") and page.xpath("//main[@id='content']")),
        "images have a text": not page.xpath("//img[not(@alt)]"),
        "nothing is inline": not page.xpath(
            "//*[@style] | //style | //script[not(@src)] | //@*[starts-with(name(), 'on')]"
        ),
        "forms are protected": not page.xpath(
            "//form[@method='post'][not(.//input[@name='csrfmiddlewaretoken'])]"
        ),
        "the title comes first": bool(page.xpath("string(//title)").split("·")[0].strip()),
    }
    return [rule for rule, holds in checks.items() if not holds]


def test_every_page_keeps_the_rules() -> None:
    own = study(slug="autumn", questions=WITH_ESSAY, attempts_allowed=None, time_limit_seconds=600)

    found = {path: complaints(page) for path, page in pages(own)}

    assert found == {path: [] for path in found}
    assert len(found) == 19


def test_pages_forbid_scripts_and_styles_of_others() -> None:
    policy = browser().get("/accounts/login/")["Content-Security-Policy"]

    assert "default-src 'self'" in policy
    assert "unsafe" not in policy


def test_the_stylesheet_meets_the_contrast_it_promises() -> None:
    """WCAG 2.2, 1.4.3 and 1.4.11: text 4.5:1, controls and focus 3:1, in light and dark."""
    for colours in palettes(ROOT / "static" / "assay.css"):
        for text, ground in TEXTS:
            assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
        for shape, ground in SHAPES:
            assert contrast(colours[shape], colours[ground]) >= 3, (shape, ground)


TEXTS = [
    *((text, ground) for text in ("text", "muted", "accent") for ground in ("page", "surface")),
    ("text", "sunken"),
    ("text", "accent-soft"),
    ("accent-strong", "accent-soft"),
    ("on-accent", "accent"),
    ("on-accent", "accent-strong"),
    *((name, f"{name}-soft") for name in ("good", "warn", "bad", "accent")),
    *((name, ground) for name in ("bad",) for ground in ("page", "surface")),
]
SHAPES = [
    (shape, ground) for shape in ("control", "focus", "accent") for ground in ("page", "surface")
]


def palettes(stylesheet: Path) -> list[dict[str, str]]:
    """Return the colours of the light and of the dark scheme."""
    blocks = [block.split("}")[0] for block in stylesheet.read_text().split(":root {")[1:3]]
    found = []
    for block in blocks:
        lines = (line.strip().removeprefix("--").split(":") for line in block.splitlines())
        found.append({n[0]: n[1].strip(" ;") for n in lines if len(n) == 2 and "#" in n[1]})
    return found


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours: WCAG 2.2, "contrast ratio"."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    """Return the relative luminance: WCAG 2.2, "relative luminance"."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
