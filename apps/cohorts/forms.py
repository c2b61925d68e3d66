"""What people fill in about cohorts, sessions, attendance and rosters."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.cohorts.models import (
    AttendanceStatus,
    Cohort,
    CohortEnrollment,
    CohortSession,
    StaffRole,
    validate_timezone,
)
from apps.cohorts.roster.reader import MAX_BYTES
from apps.cohorts.selectors import SheetRow
from apps.cohorts.services import AttendanceEntry, Meeting
from apps.cohorts.services.attendance import MAX_MINUTES


class CohortForm(forms.ModelForm[Cohort]):
    """A new cohort, or what may change about one."""

    class Meta:
        model = Cohort
        fields = (
            "program_version",
            "title",
            "slug",
            "starts_on",
            "ends_on",
            "is_self_paced",
            "capacity",
            "timezone",
        )


class WallClockField(forms.DateTimeField):
    """What a clock on the wall shows: a date and a time without a time zone."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")

    def clean(self, value: Any) -> Any:
        moment = super().clean(value)
        return timezone.make_naive(moment) if isinstance(moment, datetime) else moment


class MeetingForm(forms.Form):
    """What a session is about, and where."""

    title = forms.CharField(max_length=200)
    location = forms.CharField(max_length=200, required=False)
    url = forms.CharField(max_length=2000, required=False, label=_("Web address"))
    is_required = forms.BooleanField(required=False, initial=True, label=_("Required"))
    first = WallClockField(label=_("Starts"))
    minutes = forms.IntegerField(min_value=1, max_value=7 * 24 * 60, initial=60)
    rule = forms.CharField(
        max_length=500,
        required=False,
        label=_("Repeats"),
        help_text=_("Empty for one session, or a rule like FREQ=WEEKLY;BYDAY=MO;COUNT=8."),
    )
    timezone = forms.CharField(
        max_length=64, required=False, help_text=_("The cohort's unless given.")
    )

    def clean_timezone(self) -> str:
        name: str = self.cleaned_data["timezone"]
        if name:
            validate_timezone(name)
        return name

    @property
    def meeting(self) -> Meeting:
        said = self.cleaned_data
        return Meeting(said["title"], said["location"], said["url"], said["is_required"])

    @property
    def length(self) -> timedelta:
        return timedelta(minutes=self.cleaned_data["minutes"])


class RescheduleForm(forms.Form):
    """When and where a session takes place instead, by the session's own wall clock."""

    starts = WallClockField()
    ends = WallClockField()
    location = forms.CharField(max_length=200, required=False)
    url = forms.CharField(max_length=2000, required=False, label=_("Web address"))

    @classmethod
    def of(cls, session: CohortSession, data: Any = None) -> RescheduleForm:
        zone = ZoneInfo(session.timezone)
        return cls(
            data,
            initial={
                "starts": session.starts_at.astimezone(zone).replace(tzinfo=None),
                "ends": session.ends_at.astimezone(zone).replace(tzinfo=None),
                "location": session.location,
                "url": session.url,
            },
        )


class AddLearnerForm(forms.Form):
    """Somebody who is to take part, by their address; the name is for who is new here."""

    email = forms.EmailField(max_length=254, label=_("E-mail"))
    display_name = forms.CharField(
        max_length=200,
        required=False,
        label=_("Name"),
        help_text=_("Needed for somebody whose address is not known yet."),
    )
    only_invite = forms.BooleanField(
        required=False, label=_("Only invite: they take part once they accept")
    )


class AddStaffForm(forms.Form):
    """Somebody who is to work with the cohort."""

    email = forms.EmailField(max_length=254, label=_("E-mail"))
    role = forms.ChoiceField(choices=StaffRole.choices)


class ChosenForm(forms.Form):
    """Some of the people of a cohort."""

    enrollment = forms.ModelMultipleChoiceField(queryset=CohortEnrollment.objects.none())

    def __init__(self, cohort: Cohort, data: Any) -> None:
        super().__init__(data)
        people = cohort.enrollments.select_related("contact").order_by("created_at", "id")
        field = self.fields["enrollment"]
        if isinstance(field, forms.ModelMultipleChoiceField):
            field.queryset = people

    @property
    def chosen(self) -> list[CohortEnrollment]:
        """Return whom it names, nobody if it names strangers, in the order they came."""
        return list(self.cleaned_data["enrollment"]) if self.is_valid() else []


class RosterForm(forms.Form):
    """A roster to try."""

    file = forms.FileField(label=_("CSV file or OneRoster package"))
    class_id = forms.CharField(
        max_length=200,
        required=False,
        label=_("Class"),
        help_text=_("The class to import, where the roster has several."),
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MAX_BYTES:
            raise forms.ValidationError(
                _("A roster may have %(megabytes)s MB."),
                params={"megabytes": MAX_BYTES // 1024**2},
            )
        return file


class SheetRowForm(forms.Form):
    """One learner's line on the sheet.

    Beside each field goes, hidden, what the writer saw, so that only what they changed is written
    and a colleague's line is never overwritten by one that nobody touched.
    """

    enrollment_id = forms.UUIDField(widget=forms.HiddenInput)
    revision = forms.IntegerField(min_value=0, max_value=2**31 - 1, widget=forms.HiddenInput)
    status = forms.ChoiceField(
        choices=[("", "–"), *AttendanceStatus.choices],
        required=False,
        show_hidden_initial=True,
        widget=forms.Select(attrs={"aria-label": _("Attendance")}),
    )
    minutes = forms.IntegerField(
        min_value=0,
        max_value=MAX_MINUTES,
        required=False,
        show_hidden_initial=True,
        widget=forms.NumberInput(attrs={"aria-label": _("Minutes")}),
    )
    note = forms.CharField(
        max_length=2000,
        required=False,
        show_hidden_initial=True,
        widget=forms.TextInput(attrs={"aria-label": _("Note")}),
    )

    @property
    def is_touched(self) -> bool:
        """Whether the writer changed anything about this learner."""
        return bool({"status", "minutes", "note"} & set(self.changed_data))

    def clean(self) -> dict[str, Any]:
        said = self.cleaned_data
        if self.is_touched and not said.get("status") and "status" not in self.errors:
            self.add_error("status", _("Choose whether they were there."))
        return said

    @property
    def entry(self) -> AttendanceEntry:
        said = self.cleaned_data
        return AttendanceEntry(
            enrollment_id=said["enrollment_id"],
            status=said["status"],
            minutes=said["minutes"],
            note=said["note"],
        )


MAX_LINES = 2_000
"""How many lines one page sends: eight fields each, below what a request may have."""

SheetFormSet = forms.formset_factory(
    SheetRowForm, extra=0, max_num=MAX_LINES, absolute_max=MAX_LINES, validate_max=True
)


def sheet_initial(rows: Iterable[SheetRow]) -> list[dict[str, Any]]:
    """Return what the sheet shows before anybody types."""
    return [
        {
            "enrollment_id": row.enrollment_id,
            "revision": row.revision,
            "status": row.record.status if row.record else "",
            "minutes": row.record.minutes if row.record else None,
            "note": row.record.note if row.record else "",
        }
        for row in rows
    ]
