"""How long what was said is kept, as owners said it over time."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.ai_logs.forms import RetentionForm
from apps.ai_logs.models import AiRetentionPolicy
from apps.ai_logs.selectors.retention import retention_days
from apps.ai_logs.services.retention import set_retention
from apps.contacts.admin_base import ReadOnlyAdmin, Section, actor_of
from apps.contacts.capabilities import Capability


@admin.register(AiRetentionPolicy)
class AiRetentionPolicyAdmin(ReadOnlyAdmin):
    """The newest policy counts; saying another adds a row."""

    section, place = Section.AI, 60
    menu = gettext_lazy("Retention")
    nothing_yet = gettext_lazy("No policy: what was said stays until somebody erases it.")
    change_capability = Capability.SET_RETENTION
    view_capability = Capability.AUDIT_READ
    list_display = ("told", "actor", "recorded_at")
    ordering = ("-recorded_at", "-id")
    fields = ("told", "actor", "recorded_at")
    readonly_fields = ("told", "recorded_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("actor")

    @admin.display(description=gettext_lazy("policy"))
    def told(self, policy: AiRetentionPolicy) -> str:
        if policy.days is None:
            return _("Texts stay until somebody erases them")
        said = ngettext(
            "Texts are destroyed %(days)d day after the last message",
            "Texts are destroyed %(days)d days after the last message",
            policy.days,
        )
        return said % {"days": policy.days}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._may_change(request)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Say another policy; what it destroys that is there now is told before."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = RetentionForm(request.POST or None, initial={"days": retention_days()})
        page: dict[str, Any] = {
            "title": _("Keep what was said"),
            "back": self.changelist_url(),
            "send": _("Set the policy"),
            "explained": _(
                "When a conversation is older, its key and its texts are destroyed for good; who "
                "asked which model when, tokens and costs stay in the log. Conversations with a "
                "flag that nobody has decided about wait for the decision."
            ),
        }
        if request.method != "POST" or not form.is_valid():
            return self.form_page(request, form, **page)
        return self.filled_in(
            request,
            form,
            lambda: set_retention(days=form.cleaned_data["days"], actor=actor_of(request)),
            done=_("The policy is set."),
            **page,
        )
