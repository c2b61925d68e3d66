"""An answer key as a form: settings, and a row for every option or accepted answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from apps.assessment.questions.items import (
    AnswerKey,
    ChoiceKey,
    EssayKey,
    JsonValue,
    NumericKey,
    ShortTextKey,
    TrueFalseKey,
)
from apps.assessment.questions.keys import KeyFault, KeyRefused, read_key
from apps.assessment.questions.numbers import HUNDRED, plain
from apps.assessment.vocabulary import Kind

EMPTY_ROWS: Final = 3
_ROW_FAULT = re.compile(r"(?:options|answers)\[(\d+)\]\.?(\w*)\Z")
_KEY_LENGTH = 40


class RowForm(forms.Form):
    """One option or accepted answer. Its key stays, so that answers of learners keep referring."""

    key = forms.CharField(required=False, max_length=50, widget=forms.HiddenInput)
    percent = forms.DecimalField(
        label=_("worth, in %"),
        max_digits=10,
        decimal_places=5,
        widget=forms.NumberInput(attrs={"step": "any"}),
    )
    feedback = forms.CharField(
        label=_("feedback"), required=False, widget=forms.Textarea(attrs={"rows": 2, "cols": 30})
    )

    field_order = ("key", "text", "pattern", "minimum", "maximum", "percent", "feedback")

    def named(self) -> str:
        """Return what a key for a new row is made from."""
        return ""

    def as_json(self) -> dict[str, JsonValue]:
        """Return the row's own members, without its key."""
        percent: Decimal = self.cleaned_data["percent"]
        return {"fraction": plain(percent / HUNDRED), "feedback": self.cleaned_data["feedback"]}


class OptionForm(RowForm):
    text = forms.CharField(label=_("text"), widget=forms.Textarea(attrs={"rows": 2, "cols": 50}))

    def named(self) -> str:
        return str(self.cleaned_data["text"])

    def as_json(self) -> dict[str, JsonValue]:
        return {**super().as_json(), "text": self.cleaned_data["text"]}


class PatternForm(RowForm):
    pattern = forms.CharField(
        label=_("answer"), help_text=_("* stands for any text, \\* for an asterisk.")
    )

    def named(self) -> str:
        return str(self.cleaned_data["pattern"])

    def as_json(self) -> dict[str, JsonValue]:
        return {**super().as_json(), "pattern": self.cleaned_data["pattern"]}


class RangeForm(RowForm):
    """From and to are accepted too; the same number twice is one exact number."""

    minimum = forms.CharField(label=_("from (empty: open)"), required=False, max_length=60)
    maximum = forms.CharField(label=_("to (empty: open)"), required=False, max_length=60)

    def as_json(self) -> dict[str, JsonValue]:
        ends = {name: self.cleaned_data[name].strip() or None for name in ("minimum", "maximum")}
        return {**super().as_json(), **ends}


class ChoiceSettings(forms.Form):
    shuffle = forms.BooleanField(label=_("Options may be shuffled"), required=False, initial=True)


class TrueFalseSettings(forms.Form):
    correct = forms.TypedChoiceField(
        label=_("The statement is"),
        choices=[("true", _("true")), ("false", _("false"))],
        coerce=lambda value: value == "true",
        widget=forms.RadioSelect,
    )
    feedback_true = forms.CharField(
        label=_("Feedback on “true”"), required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    feedback_false = forms.CharField(
        label=_("Feedback on “false”"), required=False, widget=forms.Textarea(attrs={"rows": 2})
    )


class ShortTextSettings(forms.Form):
    case_sensitive = forms.BooleanField(label=_("Upper and lower case count"), required=False)
    collapse_spaces = forms.BooleanField(
        label=_("Several spaces count as one"), required=False, initial=True
    )


class EssaySettings(forms.Form):
    maximum_characters = forms.IntegerField(
        label=_("Characters at most"), required=False, min_value=1
    )
    minimum_words = forms.IntegerField(label=_("Words at least"), required=False, min_value=1)
    guidance = forms.CharField(
        label=_("Guidance for the learner"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


_SETTINGS: Final[Mapping[str, type[forms.Form]]] = {
    Kind.MULTIPLE_CHOICE: ChoiceSettings,
    Kind.MULTIPLE_RESPONSE: ChoiceSettings,
    Kind.TRUE_FALSE: TrueFalseSettings,
    Kind.NUMERIC: forms.Form,
    Kind.SHORT_TEXT: ShortTextSettings,
    Kind.ESSAY: EssaySettings,
}
_ROWS: Final[Mapping[str, tuple[str, type[RowForm]]]] = {
    Kind.MULTIPLE_CHOICE: ("options", OptionForm),
    Kind.MULTIPLE_RESPONSE: ("options", OptionForm),
    Kind.NUMERIC: ("answers", RangeForm),
    Kind.SHORT_TEXT: ("answers", PatternForm),
}
_FIELD_OF_MEMBER = {"fraction": "percent"}


class KeyForm:
    """The answer key of one kind of item, as the page shows and reads it.

    `settings` is a form, `rows` a formset or None. `faults` are those of no single field.
    """

    def __init__(
        self, kind: str, data: Any = None, *, key: AnswerKey | None = None, disabled: bool = False
    ) -> None:
        self.kind = kind
        self.faults: list[str] = []
        self.key_data: dict[str, JsonValue] = {}
        initial = _initial(key) if key is not None else {}
        rows = initial.pop("rows", [])
        self.settings = _SETTINGS[kind](data, prefix="key", initial=initial)
        self.rows: Any = self._formset(data, rows, extra=0 if disabled else EMPTY_ROWS)
        if disabled:
            self._disable()

    def is_valid(self, rule: str) -> bool:
        """Whether an item of the kind can be scored by `rule` with this key; else say what not."""
        sound = self.settings.is_valid()
        if self.rows is not None:
            sound = self.rows.is_valid() and sound
        if not sound:
            return False
        forms_of_rows = self._kept_rows()
        self.key_data = self._assembled(forms_of_rows)
        try:
            read_key(self.kind, rule, self.key_data)
        except KeyRefused as refused:
            for fault in refused.faults:
                self._tell(fault, forms_of_rows)
            return False
        return True

    def _formset(self, data: Any, initial: list[dict[str, Any]], *, extra: int) -> Any:
        if self.kind not in _ROWS:
            return None
        formset = forms.formset_factory(
            _ROWS[self.kind][1],
            extra=extra if initial else max(extra, 4),
            can_order=True,
            can_delete=True,
            max_num=100,
            absolute_max=200,
        )
        return formset(data, prefix="rows", initial=initial)

    def _disable(self) -> None:
        for form in (self.settings, *(self.rows or ())):
            for field in form.fields.values():
                field.disabled = True

    def _kept_rows(self) -> list[RowForm]:
        """Return the rows that were filled in, in the order that the author gave them."""
        if self.rows is None:
            return []
        kept = [
            form for form in self.rows.ordered_forms if form.cleaned_data.get("percent") is not None
        ]
        return [form for form in kept if form not in self.rows.deleted_forms]

    def _assembled(self, rows: list[RowForm]) -> dict[str, JsonValue]:
        data: dict[str, JsonValue] = dict(self.settings.cleaned_data)
        if self.kind in _ROWS:
            taken = {str(row.cleaned_data["key"]) for row in rows} - {""}
            data[_ROWS[self.kind][0]] = [
                {
                    "key": row.cleaned_data["key"] or _new_key(row.named(), taken, number),
                    **row.as_json(),
                }
                for number, row in enumerate(rows, start=1)
            ]
        return data

    def _tell(self, fault: KeyFault, rows: list[RowForm]) -> None:
        """Put a fault where the author sees it: at the field, the row, or above all of them."""
        of_row = _ROW_FAULT.match(fault.path)
        if of_row and int(of_row[1]) < len(rows):
            row = rows[int(of_row[1])]
            field = _FIELD_OF_MEMBER.get(of_row[2], of_row[2])
            row.add_error(field if field in row.fields else None, fault.message)
        elif fault.path in self.settings.fields:
            self.settings.add_error(fault.path, fault.message)
        else:
            self.faults.append(fault.message)


def _new_key(name: str, taken: set[str], number: int) -> str:
    stem = slugify(name)[:_KEY_LENGTH].strip("-_") or f"answer-{number}"
    key, count = stem, 1
    while key in taken:
        count += 1
        key = f"{stem}-{count}"
    taken.add(key)
    return key


def _initial(key: AnswerKey) -> dict[str, Any]:
    """Return what the form shows of a key: its settings, and `rows`."""
    match key:
        case ChoiceKey():
            options = [{**_row(option), "text": option.text} for option in key.options]
            return {"shuffle": key.shuffle, "rows": options}
        case TrueFalseKey():
            return {
                "correct": "true" if key.correct else "false",
                "feedback_true": key.feedback_true,
                "feedback_false": key.feedback_false,
            }
        case NumericKey():
            return {
                "rows": [
                    {
                        **_row(answer),
                        "minimum": "" if answer.minimum is None else plain(answer.minimum),
                        "maximum": "" if answer.maximum is None else plain(answer.maximum),
                    }
                    for answer in key.answers
                ]
            }
        case ShortTextKey():
            return {
                "case_sensitive": key.case_sensitive,
                "collapse_spaces": key.collapse_spaces,
                "rows": [{**_row(answer), "pattern": answer.pattern} for answer in key.answers],
            }
        case EssayKey():
            return {
                "maximum_characters": key.maximum_characters,
                "minimum_words": key.minimum_words,
                "guidance": key.guidance,
            }


def _row(answer: Any) -> dict[str, Any]:
    return {
        "key": answer.key,
        "percent": plain(answer.fraction * HUNDRED),
        "feedback": answer.feedback,
    }
