"""Questions as text, and the bank that keeps them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from apps.assessment.models import QuestionBank
from apps.core.encoding import UndecodableTextError, decode_text

MAX_BYTES = 2 * 1024 * 1024


class GiftForm(forms.Form):
    """GIFT, from a file or typed. What was read stays in the field, to be mended there."""

    file = forms.FileField(label=_("File"), required=False)
    text = forms.CharField(
        label=_("Questions in GIFT"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 16, "cols": 100}),
    )
    filename = forms.CharField(required=False, max_length=200, widget=forms.HiddenInput)

    def clean_file(self) -> UploadedFile[Any] | None:
        file: UploadedFile[Any] | None = self.cleaned_data["file"]
        if file is not None and (file.size or 0) > MAX_BYTES:
            raise forms.ValidationError(
                _("A file may have 2 MB here; the API takes larger ones."), code="too-large"
            )
        return file

    def clean(self) -> dict[str, Any]:
        """Return the entered data with `text` as the file has it, if one was sent."""
        cleaned = self.cleaned_data
        file = cleaned.get("file")
        if isinstance(file, UploadedFile):
            try:
                cleaned["text"] = decode_text(file.read()).text
            except UndecodableTextError as error:
                raise forms.ValidationError(
                    _("The file cannot be read as text: %(error)s."), params={"error": error}
                ) from error
            cleaned["filename"] = (file.name or "")[:200]
        if not (cleaned.get("text") or "").strip() and "file" not in self.errors:
            raise forms.ValidationError(_("Choose a file, or type questions."), code="empty")
        return cleaned


class DraftGiftForm(GiftForm):
    """Questions for a draft: a bank keeps them too."""

    bank = forms.ModelChoiceField(QuestionBank.objects.all(), label=_("Bank that keeps them"))

    field_order = ("bank", "file", "text", "filename")
