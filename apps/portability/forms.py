"""What is filled in for an import."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.portability.format import MAX_BYTES
from apps.portability.vocabulary import OnConflict


class PackageForm(forms.Form):
    """A package to try."""

    file = forms.FileField(
        label=_("Package"), help_text=_("A zip file that was exported here or elsewhere.")
    )
    leave_drafts = forms.BooleanField(
        required=False,
        label=_("Leave drafts"),
        help_text=_("Nothing is published but the assessments that courses place."),
    )
    on_conflict = forms.ChoiceField(
        choices=OnConflict.choices,
        initial=OnConflict.REFUSE,
        label=_("Where a short name is taken by something from elsewhere"),
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MAX_BYTES:
            raise forms.ValidationError(
                _("A package may have %(megabytes)s MB."),
                code="too-large",
                params={"megabytes": MAX_BYTES // 1024**2},
            )
        return file
