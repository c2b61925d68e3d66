from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.assessment.interchange.items import RichText, TextFormat
from apps.assessment.rules.markup import as_markdown, as_plain_words
from apps.programs.markdown import render_markdown


class Words(HTMLParser):
    """Collects what a reader sees; breaks and paragraphs part words."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.tags: list[str] = []
        self.feed(html)
        self.close()

    def handle_data(self, data: str) -> None:
        self.found.append(data)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)
        if tag in ("br", "p", "div"):
            self.found.append("\n")

    @property
    def text(self) -> str:
        return " ".join("".join(self.found).split())


def shown(text: str, text_format: TextFormat) -> str:
    return str(render_markdown(as_markdown(RichText(text, text_format)))).strip()


@pytest.mark.parametrize(
    ("text", "text_format", "html"),
    [
        ("**2**", TextFormat.MARKDOWN, "<p><strong>2</strong></p>"),
        ("2*3*4 <b> _x_", TextFormat.PLAIN, "<p>2*3*4 &lt;b&gt; _x_</p>"),
        ("1. one\n- two", TextFormat.PLAIN, "<p>1. one<br>\n- two</p>"),
        ("&amp; & co", TextFormat.PLAIN, "<p>&amp;amp; &amp; co</p>"),
        ("2*3*4 is <b>what</b>?", TextFormat.HTML, "<p>2*3*4 is <b>what</b>?</p>"),
        ("one\ntwo", TextFormat.HTML, "<p>one two</p>"),
        ("one\ntwo", TextFormat.MOODLE, "<p>one<br>\ntwo</p>"),
        ("3 < 5 &amp; 6", TextFormat.MOODLE, "<p>3 &lt; 5 &amp; 6</p>"),
        ("<p>2*3*4</p>", TextFormat.HTML, "<div>\n<p>2*3*4</p>\n</div>"),
        ("a <script>alert(1)</script>", TextFormat.HTML, "<p>a </p>"),
    ],
)
def test_as_markdown_reads_as_in_its_own_format(
    text: str, text_format: TextFormat, html: str
) -> None:
    assert shown(text, text_format) == html


def test_as_markdown_keeps_empty_lines_inside_a_block() -> None:
    html = shown("<pre>a\n\n    b</pre><p>*c*</p>", TextFormat.HTML)

    assert html == "<div>\n<pre>a\n\n    b</pre><p>*c*</p>\n</div>"


printable = st.text(
    st.characters(min_codepoint=32, max_codepoint=0x17F, exclude_characters="\x7f\xa0\xad\x85")
    | st.just("\n"),
    max_size=40,
).filter(lambda text: not any("\x80" <= character <= "\x9f" for character in text))


@given(text=printable)
def test_as_markdown_of_plain_text_shows_every_character(text: str) -> None:
    words = Words(shown(text, TextFormat.PLAIN))

    assert words.text == " ".join(text.split())
    assert set(words.tags) <= {"p", "br"}


@given(text=printable.filter(lambda text: "<" not in text and "&" not in text))
def test_as_markdown_of_html_without_tags_shows_every_character(text: str) -> None:
    words = Words(shown(text, TextFormat.MOODLE))

    assert words.text == " ".join(text.split())
    assert set(words.tags) <= {"p", "br"}


def test_as_plain_words_makes_a_title() -> None:
    text = RichText("<p>What &amp; <b>why</b>?</p>\n" + "x" * 50, TextFormat.HTML)

    assert as_plain_words(text, limit=20) == "What & why ? xxxxxx…"
