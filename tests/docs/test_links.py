"""Every relative link of README and docs leads somewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.sources import DOCUMENTS, ROOT

_FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)
# A path of this project in code quotes: it claims that the file is there.
_PATH = re.compile(r"`((?:apps|config|tests|scripts|static|templates|docs|benchmarks)/[\w./-]+)`")


def prose_of(document: Path) -> str:
    """Return the text without code blocks."""
    return _FENCE.sub("", document.read_text(encoding="utf-8"))


def links_of(document: Path) -> Iterator[str]:
    """Yield the targets of links that stay inside the project."""
    for target in _LINK.findall(_CODE.sub("", prose_of(document))):
        if not re.match(r"[a-z]+:", target):
            yield target


def anchors_of(document: Path) -> set[str]:
    """Return the anchors of headings, made as GitHub makes them."""
    anchors: set[str] = set()
    for heading in _HEADING.findall(prose_of(document)):
        words = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        anchor, number = words, 0
        while anchor in anchors:
            number += 1
            anchor = f"{words}-{number}"
        anchors.add(anchor)
    return anchors


def is_broken(document: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = (document.parent / path).resolve() if path else document
    if not target.exists():
        return True
    return bool(anchor) and anchor not in anchors_of(target)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_a_file_and_a_heading_of_it(document: Path) -> None:
    assert [link for link in links_of(document) if is_broken(document, link)] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_that_are_named_are_there(document: Path) -> None:
    named = _PATH.findall(prose_of(document))

    assert [path for path in named if not (ROOT / path).exists()] == []


def test_is_broken_finds_a_missing_file_and_a_missing_heading(tmp_path: Path) -> None:
    document, other = tmp_path / "a.md", tmp_path / "b.md"
    document.write_text("# One\n[x](b.md#two-words) [y](#one) [z](c.md) [w](b.md#three)\n")
    other.write_text("## Two words!\n```\n## Three\n```\n")

    links = {link: is_broken(document, link) for link in links_of(document)}

    assert links == {"b.md#two-words": False, "#one": False, "c.md": True, "b.md#three": True}


def test_every_page_is_reached_from_the_readme() -> None:
    reached, todo = set(), [ROOT / "README.md"]
    while todo:
        document = todo.pop()
        if document in reached:
            continue
        reached.add(document)
        paths = (link.partition("#")[0] for link in links_of(document))
        targets = ((document.parent / path).resolve() for path in paths if path.endswith(".md"))
        todo.extend(target for target in targets if target.exists())

    assert [str(page.relative_to(ROOT)) for page in DOCUMENTS if page not in reached] == []
