"""What people look for, and in which language."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.search.languages import Language
from apps.search.models import DocumentKind
from apps.search.rules import LONGEST

KIND_LABELS = {
    DocumentKind.PROGRAM: _("Programs"),
    DocumentKind.COURSE: _("Courses"),
    DocumentKind.LESSON: _("Lessons"),
    DocumentKind.QUESTION: _("Questions"),
}


class SearchForm(forms.Form):
    """A search box. Its rules stand in `rules.read_query`, for the API as well."""

    q = forms.CharField(
        label=_("Search for"),
        required=False,
        widget=forms.TextInput(attrs={"type": "search", "maxlength": LONGEST}),
    )
    kind = forms.ChoiceField(label=_("Kind"), required=False)

    def __init__(self, *args: Any, kinds: tuple[DocumentKind, ...], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices: Any = self.fields["kind"]
        choices.choices = [("", _("Everything")), *((kind, KIND_LABELS[kind]) for kind in kinds)]


class LanguageForm(forms.Form):
    """The language that most of the content is written in."""

    language = forms.ChoiceField(
        label=_("Language"),
        choices=Language.choices,
        help_text=_(
            "Words are found in all their forms: “runs” finds “running”. "
            "After a change everything is read again, which may take some minutes."
        ),
    )
