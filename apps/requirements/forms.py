"""What people fill in: the graph of a draft, words about a learner, assignments."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.contacts.admin_base import LabelledFormSet, VersionPartForm
from apps.contacts.capabilities import READING, Capability
from apps.requirements.kinds import SAYS, TYPED, Misfit, edge_misfits, node_misfits
from apps.requirements.models import RequirementEdge, RequirementNode, RequirementSetVersion

REASON_LENGTH = 2_000
SIGNATORIES = [("", "---------")] + [
    (capability.value, capability.value.replace("_", " "))
    for capability in Capability
    if capability not in READING
]


def kind_fields() -> str:
    """Return kind -> its fields, and all of them, as JSON for the page's script."""
    kinds = {kind.value: says.fields for kind, says in SAYS.items()}
    return json.dumps({"kinds": kinds, "all": TYPED})


class FittingForm(VersionPartForm):
    """A part whose fields have to fit each other."""

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        for misfit in self.misfits():
            if misfit.field in self.fields and misfit.field not in self.errors:
                self.add_error(
                    misfit.field, forms.ValidationError(str(misfit.message), misfit.code)
                )
        return cleaned

    def misfits(self) -> Iterable[Misfit]:
        """Return what does not fit in `cleaned_data`."""
        raise NotImplementedError


class RequirementNodeForm(FittingForm):
    """One requirement of a draft. The script shows the fields of the chosen kind only."""

    class Meta:
        model = RequirementNode
        exclude = ("version",)
        labels: ClassVar[dict[str, Any]] = {
            "is_root": _("Stands for the whole"),
            "module_key": _("Module"),
            "item_key": _("Item"),
            "min_percent": _("At least (%)"),
            "attendance_count": _("Number of sessions"),
            "attendance_percent": _("Share of the sessions (%)"),
            "signoff_capability": _("Signed off by"),
            "credential_program": _("Credential of the program"),
            "group_min_count": _("Members needed"),
            "group_min_credits": _("Credits needed"),
            "deadline_days": _("Deadline (days)"),
            "deadline_on": _("Deadline (date)"),
        }
        help_texts: ClassVar[dict[str, Any]] = {
            "key": _(
                "Names the same requirement in later versions: keep it, and sign-offs and waivers "
                "count on. Made from the title if left empty."
            ),
            "kind": _("What has to be done. The fields below follow from it."),
            "is_root": _("In a certification: whoever meets this one has earned the award."),
            "course": _("One of the program's courses."),
            "module_key": _("The key of a module of the course."),
            "item_key": _("The key of an item of the course."),
            "min_percent": _("More than the assessment itself asks for; empty: a pass is enough."),
            "attendance_count": _("So many required sessions, or a share of them."),
            "attendance_percent": _("Excused sessions are taken out of the count."),
            "signoff_capability": _("Who may say that it is met; nobody does so about themselves."),
            "group_min_count": _("So many of its members, or credits; empty: all of them."),
            "group_min_credits": _("A sum of the members' credits."),
            "credits": _("What it bears in a group that counts credits."),
            "deadline_days": _("Days after enrolling; or give a date."),
            "deadline_on": _("The last day that is in time, where the cohort is."),
            "retention": _(
                "Sticky: once met it stays so while its evidence stands. Live: it must hold always."
            ),
        }
        widgets: ClassVar[dict[str, Any]] = {
            "kind": forms.Select(attrs={"class": "requirement-kind"}),
            "module_key": forms.TextInput(attrs={"list": "module-keys", "size": 30}),
            "item_key": forms.TextInput(attrs={"list": "item-keys", "size": 30}),
            "signoff_capability": forms.Select(choices=SIGNATORIES),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "kind" in self.fields:
            self.fields["kind"].widget.attrs["data-fields"] = kind_fields()

    def misfits(self) -> Iterable[Misfit]:
        return node_misfits(self.cleaned_data)


class RequirementEdgeForm(FittingForm):
    """An edge of a draft, read as a sentence: the first is a member of, comes before, unlocks."""

    class Meta:
        model = RequirementEdge
        fields = ("source", "kind", "target", "condition", "threshold")
        labels: ClassVar[dict[str, Any]] = {
            "source": _("This requirement"),
            "kind": _("does"),
            "target": _("that one"),
            "condition": _("if it is"),
            "threshold": _("percent"),
        }
        help_texts: ClassVar[dict[str, Any]] = {
            "source": _("New requirements can be connected once they are saved."),
            "condition": _("Only what unlocks has another condition than “satisfied”."),
            "threshold": _("For a condition on the score."),
        }

    def misfits(self) -> Iterable[Misfit]:
        return edge_misfits(self.cleaned_data)


class RequirementEdgeFormSet(LabelledFormSet):
    """The edges of a draft: none of them twice."""

    def clean(self) -> None:
        super().clean()
        seen: set[tuple[Any, ...]] = set()
        for form in self.forms:
            said = form.cleaned_data if form.is_bound and hasattr(form, "cleaned_data") else {}
            if not said or said.get("DELETE"):
                continue
            edge = tuple(said.get(name) for name in ("source", "kind", "target", "condition"))
            if edge in seen:
                form.add_error("target", forms.ValidationError(_("This is said already."), "twice"))
            seen.add(edge)


def _reason(*, required: bool = True) -> forms.CharField:
    return forms.CharField(
        label=_("Reason"),
        max_length=REASON_LENGTH,
        required=required,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Stays on record and can be read by the learner."),
    )


class SignOffForm(forms.Form):
    reason = _reason(required=False)


class WithdrawForm(forms.Form):
    reason = _reason()


class WaiveForm(forms.Form):
    reason = _reason()
    expires_at = forms.DateTimeField(
        label=_("Until"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=_("Date and time in UTC; empty: for good."),
    )


class AssignForm(forms.Form):
    """Which version to assign to the chosen learners, and why."""

    set_version = forms.ModelChoiceField(
        label=_("Version"),
        queryset=RequirementSetVersion.objects.none(),
        help_text=_("Published versions of the sets of the learners' program."),
    )
    reason = _reason()

    def __init__(self, *args: Any, programs: Collection[UUID], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["set_version"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101
        field.queryset = (
            RequirementSetVersion.objects.published()
            .filter(definition__program__in=programs, definition__archived_at=None)
            .select_related("definition")
            .order_by("definition__title", "-number")
        )
