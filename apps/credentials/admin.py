"""Back office of credentials: what can be earned, who was awarded it, what waits, the keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.contacts.admin_base import (
    DefinitionAdmin,
    ReadOnlyAdmin,
    Section,
    VersionAdmin,
    actor_of,
    ended,
    principal_of,
    refusal_of,
    refuse_in,
    url_of,
)
from apps.contacts.capabilities import Capability
from apps.contacts.searching import Search
from apps.core.clock import now
from apps.credentials import services
from apps.credentials.badges import data_uri
from apps.credentials.forms import (
    FinalReasonForm,
    GrantForm,
    ReasonForm,
    ResolveForm,
    RevokeKeyForm,
    TemplateVersionForm,
)
from apps.credentials.models import (
    AwardHold,
    CertificationAward,
    CertificationTemplate,
    CertificationTemplateVersion,
    CredentialDocument,
    CredentialEvent,
    IssuerKey,
)
from apps.credentials.selectors.awards import visible_awards, visible_enrollments, visible_holds
from apps.credentials.services import AwardOutcome
from apps.credentials.vocabulary import AwardMode, AwardState

LEARNERS = ("contact__display_name", "contact__external_id", "contact__channels__value")


@admin.register(CertificationTemplate)
class CertificationTemplateAdmin(DefinitionAdmin):
    """What can be earned in a program."""

    section, place = Section.AUTHORING, 80
    menu = gettext_lazy("Credential templates")
    nothing_yet = gettext_lazy("Nothing can be earned yet.")
    list_display = ("title", "program", "newest")
    list_filter = ("type", "program")
    list_select_related = ("program",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        published = obj is not None and obj.versions.exclude(number=None).exists()
        return ("type", "program") if published else ()


@admin.register(CertificationTemplateVersion)
class CertificationTemplateVersionAdmin(VersionAdmin):
    """What the credential says."""

    section, place = Section.AUTHORING, 90
    form = TemplateVersionForm
    fields = (
        "definition",
        "name",
        "description",
        "criteria_markdown",
        "requirement_set",
        "award_mode",
        "validity_days",
        "badge_letters",
        ("badge_background", "badge_foreground"),
        "badge_preview",
        "tags",
        "alignments",
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return (*super().get_readonly_fields(request, obj), "badge_preview")

    @admin.display(description="badge")
    def badge_preview(self, obj: Any) -> str:
        badge = obj.badge() if obj is not None else ""
        if not badge:
            return "–"
        return format_html(
            '<img src="{}" alt="{}" width="96" height="96">', data_uri(badge), obj.name
        )

    def consequences(self, version: Any) -> list[str]:
        kept = version.definition.awards.live().count()
        sentences = [
            *super().consequences(version),
            _("New awards say what this version says."),
            ngettext(
                "The %(count)d award that was made stays as it was signed.",
                "The %(count)d awards that were made stay as they were signed.",
                kept,
            )
            % {"count": kept},
        ]
        if version.award_mode == AwardMode.AUTOMATIC:
            sentences.append(_("It is awarded by itself to whoever meets the requirements."))
        return sentences


class FormViews(ReadOnlyAdmin):
    """Read-only rows, with one page of a form for each thing that can be done about one."""

    verbs: ClassVar[tuple[str, ...]] = ()

    def get_urls(self) -> list[URLPattern]:
        base = f"{self.opts.app_label}_{self.opts.model_name}"
        own = [
            path(
                f"<path:object_id>/{verb}/",
                self.admin_site.admin_view(getattr(self, f"{verb}_view")),
                name=f"{base}_{verb}",
            )
            for verb in self.verbs
        ]
        return [*own, *super().get_urls()]

    def render_change_form(self, request: Any, context: Any, *args: Any, **kwargs: Any) -> Any:
        context["may_decide"] = self._may_change(request)
        return super().render_change_form(request, context, *args, **kwargs)

    def row(self, request: HttpRequest, object_id: str) -> Any:
        """Return the row, to somebody who may do something about it; raises Http404."""
        row = self.get_object(request, object_id)
        if row is None or not self._may_change(request):
            raise Http404
        return row

    def decide(
        self,
        request: HttpRequest,
        row: Any,
        form: forms.Form,
        service: Callable[..., Any],
        *,
        title: str,
        done: str,
    ) -> HttpResponse:
        """Show the form, and call the service with what was filled in, the actor and the time."""
        back = url_of(row)
        if request.method != "POST" or not form.is_valid():
            return self.form_page(request, form, title=title, back=back, about=row)
        said = {name: value for name, value in form.cleaned_data.items() if name != "confirmed"}

        def work() -> None:
            service(actor=actor_of(request), at=now(), **said)

        return self.carry_out(request, work, done=done, back=back)


class EventInline(admin.TabularInline[CredentialEvent, CertificationAward]):
    """The award's line of events."""

    model = CredentialEvent
    fields = ("revision", "type", "actor", "reason", "occurred_at")
    readonly_fields = fields
    extra = 0
    can_delete = False
    ordering = ("revision",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[CredentialEvent]:
        return super().get_queryset(request).select_related("actor", "award")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return principal_of(request).has(Capability.VIEW_LEARNERS)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(CertificationAward)
class CertificationAwardAdmin(FormViews):
    """Who was awarded what. To award by hand is a form, as is everything that ends an award."""

    section, place = Section.CREDENTIALS, 10
    menu = gettext_lazy("Awards")
    nothing_yet = gettext_lazy("Nobody was awarded anything yet.")
    change_capability = Capability.AWARD
    view_capability = Capability.VIEW_LEARNERS
    verbs = ("revoke", "suspend", "reinstate")
    change_form_template = "admin/assay/award_change_form.html"
    list_display = (
        "certificate_number",
        "state",
        "legal_name",
        "template",
        "issued_at",
        "expires_at",
    )
    list_filter = (
        "template",
        (
            "revoked_at",
            ended(
                gettext_lazy("revocation"),
                no=gettext_lazy("not revoked"),
                yes=gettext_lazy("revoked"),
            ),
        ),
    )
    list_select_related = ("template",)
    search_fields = ("certificate_number", "legal_name", "contact__display_name")
    ordering = ("-issued_at",)
    exclude = ("facts",)
    inlines = (EventInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[CertificationAward]:
        return visible_awards(principal_of(request), at=now()).select_related(
            "template", "contact", "template_version__definition"
        )

    @admin.display(description="state")
    def state(self, obj: Any) -> str:
        return str(AwardState(obj.state).label)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._may_change(request)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Award by hand; what a fresh look does not confirm becomes a hold."""
        if not self.has_add_permission(request):
            raise Http404
        search = Search(request.GET, visible_enrollments(principal_of(request)), LEARNERS)
        form = GrantForm(request.POST or None, search=search)
        back = self.changelist_url()
        title = _("Award")
        if request.method == "POST" and form.is_valid():
            outcomes: list[AwardOutcome] = []

            def work() -> None:
                at, said = now(), form.cleaned_data
                outcomes.append(services.grant_award(actor=actor_of(request), at=at, **said))

            problem = refusal_of(work)
            if problem is None:
                return self._awarded(request, outcomes[0])
            refuse_in(form, problem)
        return self.search_page(request, form, search, title=title, back=back, send=title)

    def _awarded(self, request: HttpRequest, outcome: AwardOutcome) -> HttpResponse:
        """Say what became of it, on the page of the award or of the hold in its way."""
        row = outcome.award or outcome.hold
        if outcome.award is None:
            said = _("Not awarded yet: this hold has to be decided about first.")
            messages.warning(request, said)
        elif outcome.is_new:
            messages.success(request, _("Awarded."))
        else:
            messages.warning(request, _("Nothing new was awarded: they hold this award already."))
        return HttpResponseRedirect(url_of(row) if row is not None else self.changelist_url())

    def revoke_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        award = self.row(request, object_id)

        def revoke(**said: Any) -> None:
            services.revoke_award(award=award, **said)

        form = FinalReasonForm(request.POST or None)
        title = _("Revoke %s") % award
        return self.decide(request, award, form, revoke, title=title, done=_("Revoked."))

    def suspend_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        award = self.row(request, object_id)

        def suspend(**said: Any) -> None:
            services.suspend_award(award=award, **said)

        form = ReasonForm(request.POST or None)
        title = _("Suspend %s") % award
        return self.decide(request, award, form, suspend, title=title, done=_("Suspended."))

    def reinstate_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        award = self.row(request, object_id)

        def reinstate(**said: Any) -> None:
            services.reinstate_award(award=award, **said)

        form = ReasonForm(request.POST or None)
        title = _("Reinstate %s") % award
        return self.decide(request, award, form, reinstate, title=title, done=_("In force again."))


@admin.register(AwardHold)
class AwardHoldAdmin(FormViews):
    """What about awards waits for a person."""

    section, place = Section.CREDENTIALS, 20
    menu = gettext_lazy("Holds")
    nothing_yet = gettext_lazy("Nothing waits for a decision.")
    change_capability = Capability.AWARD
    view_capability = Capability.VIEW_LEARNERS
    verbs = ("resolve",)
    change_form_template = "admin/assay/hold_change_form.html"
    list_display = ("contact", "template", "code", "reason", "opened_at", "resolution")
    list_filter = (
        (
            "resolved_at",
            ended(
                gettext_lazy("decision"),
                no=gettext_lazy("waits for a decision"),
                yes=gettext_lazy("decided"),
            ),
        ),
        "code",
        "template",
    )
    ordering = ("-opened_at",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[AwardHold]:
        holds = visible_holds(principal_of(request))
        return holds.select_related("contact", "template", "award", "enrollment__cohort")

    def resolve_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        hold = self.row(request, object_id)

        def resolve(**said: Any) -> None:
            services.resolve_hold(hold=hold, **said)

        form = ResolveForm(request.POST or None)
        title = _("Decide about %s") % hold
        return self.decide(request, hold, form, resolve, title=title, done=_("Decided."))


@admin.register(IssuerKey)
class IssuerKeyAdmin(FormViews):
    """With what the organisation signs. The private halves are nowhere to be seen."""

    section, place = Section.CREDENTIALS, 40
    menu = gettext_lazy("Signing keys")
    nothing_yet = gettext_lazy("There is no key yet; the first award makes one.")
    change_capability = Capability.MANAGE_SETTINGS
    view_capability = Capability.AUDIT_READ
    verbs = ("revoke",)
    change_list_template = "admin/assay/issuerkey_change_list.html"
    change_form_template = "admin/assay/issuerkey_change_form.html"
    list_display = ("public_key", "state", "valid_from", "retired_at", "revoked_at")
    list_filter = ("state",)
    ordering = ("-valid_from",)
    exclude = ("sealed_private_key",)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.rotate_view)
        return [path("rotate/", view, name="credentials_issuerkey_rotate"), *super().get_urls()]

    def rotate_view(self, request: HttpRequest) -> HttpResponse:
        """Sign with a new key from now on; what the old one signed goes on verifying."""
        if request.method != "POST" or not self._may_change(request):
            raise Http404
        return self.carry_out(
            request,
            lambda: services.rotate_key(actor=actor_of(request), at=now()),
            done=_("A new key signs from now on. The old one still verifies what it signed."),
            back=self.changelist_url(),
        )

    def revoke_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        key = self.row(request, object_id)

        def revoke(**said: Any) -> None:
            services.revoke_key(key=key, **said)

        form = RevokeKeyForm(request.POST or None)
        title = _("Withdraw the key %s") % key
        return self.decide(request, key, form, revoke, title=title, done=_("Withdrawn."))

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        context = {**(extra_context or {}), "may_rotate": self._may_change(request)}
        return super().changelist_view(request, context)


@admin.register(CredentialDocument)
class CredentialDocumentAdmin(ReadOnlyAdmin):
    """What was signed, as it was signed."""

    section, place = Section.CREDENTIALS, 30
    menu = gettext_lazy("Signed credentials")
    nothing_yet = gettext_lazy("Nothing was signed yet.")
    view_capability = Capability.VIEW_LEARNERS
    list_display = ("award", "media_type", "sha256", "recorded_at")
    search_fields = ("sha256", "award__certificate_number")
    fields = ("award", "media_type", "sha256", "key", "recorded_at", "signed")
    readonly_fields = ("recorded_at", "signed")
    ordering = ("-recorded_at",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[CredentialDocument]:
        awards = visible_awards(principal_of(request), at=now())
        documents = CredentialDocument.objects.filter(award__in=awards.values("pk"))
        return documents.select_related("award", "key").defer("content")

    @admin.display(description="credential")
    def signed(self, obj: Any) -> str:
        url = reverse("credential-bytes", args=[obj.award_id])
        return format_html('<a href="{}">{}</a>', url, url)
