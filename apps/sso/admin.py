"""Back office: how members sign in, for the organisation's owners."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.contacts.admin_base import ReadOnlyAdmin, Section, actor_of, principal_of
from apps.contacts.capabilities import Capability
from apps.core.clock import now
from apps.core.problems import Problem
from apps.sso import overview
from apps.sso.forms import (
    BreakGlassForm,
    DomainForm,
    EnforceForm,
    JoiningForm,
    OidcForm,
    SamlForm,
)
from apps.sso.models import SsoConnection, SsoIdentity
from apps.sso.selectors import own_connection
from apps.sso.services import connections, domains, enforcement, factors
from apps.sso.services.identities import unlink_identity

PAGE = "admin:sso_ssoconnection_changelist"


def posted(request: HttpRequest) -> Any:
    """Return what a form was sent with, also if that is nothing; None for a look at it."""
    return request.POST if request.method == "POST" else None


@admin.register(SsoConnection)
class SsoAdmin(ReadOnlyAdmin):
    """One page with everything about signing in; owners change it, staff who read all may look."""

    section, place = Section.ORGANIZATION, 40
    menu = gettext_lazy("Single sign-on")
    view_capability = Capability.AUDIT_READ
    change_capability = Capability.MANAGE_OWNERS

    def get_urls(self) -> list[URLPattern]:
        """Return the page's addresses only: there is nothing to see of a single row."""
        view = self.admin_site.admin_view
        return [
            path("", view(self.changelist_view), name="sso_ssoconnection_changelist"),
            path("saml/", view(self.saml_view), name="sso_saml"),
            path("oidc/", view(self.oidc_view), name="sso_oidc"),
            path("joining/", view(self.joining_view), name="sso_joining"),
            path("enforce/", view(self.enforce_view), name="sso_enforce"),
            path("break-glass/", view(self.break_glass_view), name="sso_break_glass"),
            path("domains/add/", view(self.add_domain_view), name="sso_add_domain"),
            path("act/<slug:act>/", view(self.act_view), name="sso_act"),
            path("domains/<uuid:domain_id>/<slug:act>/", view(self.domain_view), name="sso_domain"),
        ]

    # --- Looking -----------------------------------------------------------------------------

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        found = overview.sign_in_overview(at=now())
        return self._page(request, "sso", _("Single sign-on"), found=found)

    def _page(
        self, request: HttpRequest, template: str, title: str, **context: Any
    ) -> HttpResponse:
        shared = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "back": reverse(PAGE),
            "may_change": self._may_change(request),
        }
        return TemplateResponse(request, f"admin/assay/{template}.html", {**shared, **context})

    # --- Changing ----------------------------------------------------------------------------

    def _form_view(
        self,
        request: HttpRequest,
        form: Form,
        work: Callable[[dict[str, Any]], Any],
        *,
        title: str,
        done: str,
        template: str = "form_page",
        **context: Any,
    ) -> HttpResponse:
        """Show a form; on POST call the service, and show its refusal in the form."""
        if not self._may_change(request):
            raise PermissionDenied
        if request.method == "POST" and form.is_valid():
            try:
                with transaction.atomic():
                    work(form.cleaned_data)
            except Problem as problem:
                form.add_error(None, problem.detail or problem.title)
            else:
                self.message_user(request, done)
                return HttpResponseRedirect(reverse(PAGE))
        return self._page(request, template, title, form=form, **context)

    def _who(self, request: HttpRequest) -> dict[str, Any]:
        return {"principal": principal_of(request), "actor": actor_of(request)}

    def saml_view(self, request: HttpRequest) -> HttpResponse:
        form = SamlForm(posted(request), request.FILES if request.method == "POST" else None)
        return self._form_view(
            request,
            form,
            lambda given: connections.describe_saml(
                **self._who(request), at=now(), url=given["url"], xml=given["file"]
            ),
            title=_("Identity provider: SAML 2.0"),
            done=_("The identity provider is described. Test it next."),
            template="sso_form",
        )

    def oidc_view(self, request: HttpRequest) -> HttpResponse:
        row = own_connection()
        known = row is not None and row.sealed_client_secret is not None
        initial = (
            {
                "issuer": row.provider_id,
                "client_id": row.client_id,
                "believes_unverified_email": row.believes_unverified_email,
            }
            if row is not None and known
            else {}
        )
        form = OidcForm(posted(request), has_secret=known, initial=initial)
        return self._form_view(
            request,
            form,
            lambda given: connections.describe_oidc(**self._who(request), at=now(), **given),
            title=_("Identity provider: OpenID Connect"),
            done=_("The identity provider is described. Test it next."),
            template="sso_form",
        )

    def joining_view(self, request: HttpRequest) -> HttpResponse:
        row = own_connection()
        if row is None:
            raise Http404
        names = ("provisions_members", "joining_role", "admins_make_tokens")
        form = JoiningForm(posted(request), initial={name: getattr(row, name) for name in names})
        return self._form_view(
            request,
            form,
            lambda given: connections.change_joining(**self._who(request), **given),
            title=_("Who signs in for the first time"),
            done=_("Saved."),
        )

    def enforce_view(self, request: HttpRequest) -> HttpResponse:
        form = EnforceForm(posted(request), owners=overview.possible_break_glass())
        return self._form_view(
            request,
            form,
            lambda given: enforcement.enforce_sso(
                **self._who(request),
                break_glass_id=given["break_glass"].pk,
                revokes_tokens=given["revokes_tokens"],
                at=now(),
            ),
            title=_("Enforce single sign-on"),
            done=_("Single sign-on is the only way in."),
            template="sso_enforce",
            consequences=overview.consequences_of_enforcing(at=now()),
        )

    def break_glass_view(self, request: HttpRequest) -> HttpResponse:
        form = BreakGlassForm(posted(request), owners=overview.possible_break_glass())
        return self._form_view(
            request,
            form,
            lambda given: enforcement.change_break_glass(
                **self._who(request), break_glass_id=given["break_glass"].pk
            ),
            title=_("Owner for emergencies"),
            done=_("Saved."),
        )

    def add_domain_view(self, request: HttpRequest) -> HttpResponse:
        return self._form_view(
            request,
            DomainForm(posted(request)),
            lambda given: domains.add_domain(**self._who(request), domain=given["domain"]),
            title=_("Add an e-mail domain"),
            done=_("Now put the record into the domain's DNS, then check it here."),
        )

    def act_view(self, request: HttpRequest, act: str) -> HttpResponse:
        """Do what needs one press: refresh, offer, withdraw, relax, want factors or not."""
        who = self._who(request) if self._may_change(request) else {}
        acts: dict[str, tuple[Callable[[], Any], str]] = {
            "offer": (
                lambda: connections.offer_sso(**who, is_offered=True),
                _("The sign-in page offers the identity provider."),
            ),
            "withdraw": (
                lambda: connections.offer_sso(**who, is_offered=False),
                _("The sign-in page does not offer the identity provider any more."),
            ),
            "relax": (
                lambda: enforcement.relax_sso(**who),
                _("The other ways in are open again."),
            ),
            "require-factor": (
                lambda: factors.require_factors(**who, is_required=True),
                _("Staff need a second factor from now on."),
            ),
            "relax-factor": (
                lambda: factors.require_factors(**who, is_required=False),
                _("A second factor is everybody's own choice again."),
            ),
        }
        if request.method != "POST" or act not in {*acts, "refresh"}:
            raise Http404
        if not who:
            raise PermissionDenied
        if act == "refresh":
            return self._refresh(request)
        work, done = acts[act]
        return self.carry_out(request, work, done=done, back=reverse(PAGE))

    def _refresh(self, request: HttpRequest) -> HttpResponse:
        """Fetch the metadata again; outside a transaction, as the provider may take its time."""
        error = connections.refresh_own_metadata(**self._who(request), at=now())
        if error:
            self.message_user(request, error, level=messages.ERROR)
        else:
            self.message_user(request, _("The metadata is up to date."))
        return HttpResponseRedirect(reverse(PAGE))

    def domain_view(self, request: HttpRequest, domain_id: UUID, act: str) -> HttpResponse:
        """Check or remove one domain."""
        if request.method != "POST" or act not in ("check", "remove"):
            raise Http404
        if not self._may_change(request):
            raise PermissionDenied
        who = self._who(request)
        try:
            if act == "check":
                proved = domains.check_domain(**who, domain_id=domain_id, at=now())
                if proved:
                    self.message_user(request, _("The domain is verified."))
                else:
                    self.message_user(
                        request, _("The record was not found."), level=messages.WARNING
                    )
            else:
                domains.remove_domain(**who, domain_id=domain_id)
                self.message_user(request, _("The domain is removed."))
        except domains.UnknownEmailDomain as error:
            raise Http404 from error
        return HttpResponseRedirect(reverse(PAGE))


@admin.register(SsoIdentity)
class SsoIdentityAdmin(ReadOnlyAdmin):
    """Who is behind which subject of the identity provider."""

    section, place = Section.ORGANIZATION, 50
    menu = gettext_lazy("Single sign-on identities")
    view_capability = Capability.AUDIT_READ
    change_capability = Capability.MANAGE_OWNERS
    list_display = ("email", "subject", "provider_id", "last_used_at")
    search_fields = ("email", "subject")
    ordering = ("email",)
    actions = ("unlink",)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return super().get_actions(request) if self._may_change(request) else {}

    @admin.action(description="Unlink: the next sign-in binds anew")
    def unlink(self, request: HttpRequest, queryset: Any) -> HttpResponse:
        def work() -> None:
            for identity in queryset:
                unlink_identity(
                    principal=principal_of(request),
                    actor=actor_of(request),
                    identity_id=identity.pk,
                )

        back = reverse("admin:sso_ssoidentity_changelist")
        return self.carry_out(request, work, done=_("Unlinked, and signed out."), back=back)
