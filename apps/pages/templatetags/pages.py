"""How the pages write texts and lengths of time."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from django import template
from django.utils import formats, timezone
from django.utils.dateformat import format as date_format
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.credentials.badges import data_uri
from apps.programs.markdown import render_markdown

register = template.Library()

START, END = "<p>", "</p>"


@register.filter
def markdown(text: str) -> SafeString:
    """Return an author's Markdown as safe HTML."""
    return render_markdown(text)


@register.filter
def inline_markdown(text: str) -> SafeString:
    """Return Markdown that may stand inside a label: one paragraph without its tags.

    A text of several blocks is shown as it was written.
    """
    html = render_markdown(text).strip()
    if html.startswith(START) and html.endswith(END) and html.count(START) == 1:
        return mark_safe(html[len(START) : -len(END)])  # noqa: S308 - nh3 cleaned it
    return escape(text)


@register.filter
def picture(svg: str) -> str:
    """Return an SVG as an address that holds it."""
    return data_uri(svg)


@register.filter
def day(value: date) -> str:
    """Return a day, or that of a moment where the reader is: “22 November 2026”."""
    local = timezone.localtime(value) if isinstance(value, datetime) else value
    return str(date_format(local, "j F Y"))


@register.filter
def moment(value: datetime) -> str:
    """Return a moment where the reader is, with the zone: “22 Nov 2026, 14:05 CET”."""
    return str(date_format(timezone.localtime(value), "j M Y, H:i T"))


@register.filter
def number(value: Decimal) -> str:
    """Return a number without the zeros at its end, as the language writes it."""
    return str(formats.number_format(value.normalize(), use_l10n=True))


@register.filter
def duration(seconds: int) -> str:
    """Return a length of time in words: “1 hour 30 minutes”."""
    hours, rest = divmod(int(seconds), 3600)
    minutes, left = divmod(rest, 60)
    parts = [
        ngettext("%d hour", "%d hours", hours) % hours if hours else "",
        ngettext("%d minute", "%d minutes", minutes) % minutes if minutes else "",
        ngettext("%d second", "%d seconds", left) % left if left else "",
    ]
    return " ".join(filter(None, parts)) or _("no time")
