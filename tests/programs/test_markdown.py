from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.programs.markdown import render_markdown


def test_render_markdown_lowers_headings_below_the_page_title() -> None:
    assert render_markdown("# One\n\n###### Six") == "<h2>One</h2>\n<h6>Six</h6>\n"


def test_render_markdown_aligns_tables_by_class() -> None:
    assert render_markdown("|a|b|\n|:-|-:|\n|1|~~2~~|") == (
        '<div class="scroll" tabindex="0">\n<table>\n<thead>\n<tr>\n'
        '<th class="align-left">a</th>\n<th class="align-right">b</th>\n'
        '</tr>\n</thead>\n<tbody>\n<tr>\n<td class="align-left">1</td>\n'
        '<td class="align-right"><s>2</s></td>\n</tr>\n</tbody>\n</table>\n</div>\n'
    )


def test_render_markdown_makes_no_header_of_an_empty_corner() -> None:
    assert render_markdown("| |b|\n|-|-|\n|a|2|") == (
        '<div class="scroll" tabindex="0">\n<table>\n<thead>\n<tr>\n<td></td>\n<th>b</th>\n'
        "</tr>\n</thead>\n<tbody>\n<tr>\n<td>a</td>\n<td>2</td>\n</tr>\n</tbody>\n</table>\n"
        "</div>\n"
    )


def test_render_markdown_lets_html_take_no_other_place_in_the_tab_order() -> None:
    assert render_markdown('<div tabindex="5">x</div>') == "<div>x</div>"


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("<script>alert(1)</script>ok", "ok"),
        ("<img src=x onerror=alert(1)>", '<img src="x">'),
        ('<a href="javascript:alert(1)">x</a>', '<p><a rel="noopener noreferrer">x</a></p>\n'),
        ('<p style="position:fixed">x</p>', "<p>x</p>"),
        ('<iframe src="https://e.org"></iframe>', ""),
        ("![x](data:text/html,boo)", "<p>![x](data:text/html,boo)</p>\n"),
        (
            "[y](https://e.org)",
            '<p><a href="https://e.org" rel="noopener noreferrer">y</a></p>\n',
        ),
        ("<form action=/logout><button>x</button></form>", "x"),
    ],
)
def test_render_markdown_drops_what_could_act(text: str, html: str) -> None:
    assert render_markdown(text) == html


@given(st.text(alphabet="<>=\"'/ #*_[]()!`\n&;:abjsrcipton", max_size=80))
def test_render_markdown_of_any_text_has_only_tame_tags(text: str) -> None:
    html = render_markdown(text)

    assert not re.search(r"<\s*(script|iframe|style|object|form|h1)\b", html, re.IGNORECASE)
    assert not re.search(r"<[^>]*\son\w+\s*=", html, re.IGNORECASE)
