"""Shops: made, changed, their secrets shown once, rotated and revoked."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.db.models import Count, Max, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.commerce import services
from apps.commerce.forms import RotateForm, SourceChangeForm, SourceForm
from apps.commerce.models import Source, SourceSecret
from apps.commerce.services import NewSecret
from apps.contacts.admin_base import (
    ReadOnlyAdmin,
    Section,
    actor_of,
    refusal_of,
    url_of,
)
from apps.contacts.admin_base.requests import refuse_in
from apps.contacts.capabilities import Capability
from apps.core.clock import now


@admin.register(Source)
class SourceAdmin(ReadOnlyAdmin):
    """Shops that send orders."""

    section, place = Section.COMMERCE, 40
    nothing_yet = gettext_lazy("No shop sends its orders here yet.")
    change_capability = Capability.MANAGE_COMMERCE
    view_capability = Capability.VIEW_COMMERCE
    list_display = ("title", "slug", "sells_in", "last_delivery", "is_in_use")
    search_fields = ("title", "slug")
    ordering = ("title",)
    verbs: ClassVar[tuple[str, ...]] = ("edit", "rotate", "disable", "enable")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        found: QuerySet[Any] = (
            super()
            .get_queryset(request)
            .annotate(
                heard_at=Max("deliveries__recorded_at"),
                good_secrets=Count(
                    "secrets",
                    filter=Q(secrets__revoked_at=None)
                    & (Q(secrets__expires_at=None) | Q(secrets__expires_at__gt=now())),
                    distinct=True,
                ),
            )
        )
        return found

    @admin.display(description=gettext_lazy("sells in"))
    def sells_in(self, source: Any) -> str:
        return ", ".join(source.currencies) or _("any currency")

    @admin.display(description=gettext_lazy("last delivery"))
    def last_delivery(self, source: Any) -> Any:
        return source.heard_at or "–"

    @admin.display(description=gettext_lazy("accepted"), boolean=True)
    def is_in_use(self, source: Any) -> bool:
        return source.disabled_at is None and source.good_secrets > 0

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._may_change(request)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path(
                f"<uuid:object_id>/{verb}/",
                view(getattr(self, f"{verb}_view")),
                name=f"commerce_source_{verb}",
            )
            for verb in self.verbs
        ]
        revoke = path(
            "<uuid:object_id>/secrets/<uuid:secret_id>/revoke/",
            view(self.revoke_view),
            name="commerce_source_revoke",
        )
        return [revoke, *own, *super().get_urls()]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Make a source, and show its secret this once."""
        if not self.has_add_permission(request):
            raise Http404
        form = SourceForm(request.POST or None)
        made: list[NewSecret] = []
        if request.method == "POST" and form.is_valid():
            problem = refusal_of(
                lambda: made.append(
                    services.add_source(actor=actor_of(request), **form.cleaned_data)
                )
            )
            if problem is None:
                return self._secret_page(request, made[0])
            refuse_in(form, problem)
        title, back = _("Add a webhook source"), self.changelist_url()
        return self.form_page(request, form, title=title, back=back)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show the source with its address and its secrets."""
        source = self.found(request, object_id)
        at = now()
        secrets = source.secrets.select_related("created_by").order_by("-created_at")
        return self.page(
            request,
            "webhook_source",
            title=source.title,
            source=source,
            may_change=self._may_change(request),
            endpoint=request.build_absolute_uri(reverse("order-list")),
            secrets=[(secret, _state(secret, at)) for secret in secrets],
            sellables=source.sellables.count(),
            orders=source.orders.count(),
            deliveries=source.deliveries.order_by("-recorded_at")[:5],
        )

    def edit_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """Change the name and the currencies."""
        source = self._to_change(request, object_id)
        initial = {"title": source.title, "currencies": source.currencies}
        form = SourceChangeForm(request.POST or None, initial=initial)
        title, back = _("Change the source"), url_of(source)
        if request.method != "POST" or not form.is_valid():
            return self.form_page(request, form, title=title, back=back, about=source)
        return self.filled_in(
            request,
            form,
            lambda: services.change_source(
                source=source, actor=actor_of(request), **form.cleaned_data
            ),
            title=title,
            done=_("Changed."),
            back=back,
            about=source,
        )

    def rotate_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """Make a new secret and show it this once; the old one runs out."""
        source = self._to_change(request, object_id)
        form = RotateForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            made = services.rotate_secret(
                source=source, actor=actor_of(request), at=now(), **form.cleaned_data
            )
            return self._secret_page(request, made)
        title, send = _("Rotate the secret"), _("Make a new secret")
        return self.form_page(
            request, form, title=title, back=url_of(source), about=source, send=send
        )

    def revoke_view(self, request: HttpRequest, object_id: UUID, secret_id: UUID) -> HttpResponse:
        """End a secret at once, after asking."""
        source = self._to_change(request, object_id)
        secret = source.secrets.filter(pk=secret_id).first()
        if secret is None:
            raise Http404
        return self._asked(
            request,
            source,
            lambda: services.revoke_secret(secret=secret, actor=actor_of(request), at=now()),
            title=_("Revoke the secret %s") % secret,
            means=_("Nothing that is signed with it is accepted any more, from this moment on."),
            done=_("Revoked."),
        )

    def disable_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """Refuse the source's webhooks from now on, after asking."""
        source = self._to_change(request, object_id)
        return self._asked(
            request,
            source,
            lambda: services.disable_source(source=source, actor=actor_of(request), at=now()),
            title=_("Disable %s") % source,
            means=_("Its webhooks are refused from now on. What it sold stays as it is."),
            done=_("Disabled."),
        )

    def enable_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """Accept the source's webhooks again, after asking."""
        source = self._to_change(request, object_id)
        return self._asked(
            request,
            source,
            lambda: services.enable_source(source=source, actor=actor_of(request)),
            title=_("Enable %s") % source,
            means=_("Its webhooks are accepted again."),
            done=_("Enabled."),
        )

    def _to_change(self, request: HttpRequest, object_id: UUID) -> Source:
        source: Source = self.found(request, str(object_id))
        if not self._may_change(request):
            raise Http404
        return source

    def _asked(
        self, request: HttpRequest, source: Source, work: Any, *, title: str, means: str, done: str
    ) -> HttpResponse:
        back = url_of(source)
        if request.method == "POST":
            return self.carry_out(request, work, done=done, back=back)
        return self.page(
            request, "webhook_confirm", title=title, about=source, back=back, means=means
        )

    def _secret_page(self, request: HttpRequest, made: NewSecret) -> HttpResponse:
        """Show a secret, never again: no page of the back office is kept by a cache."""
        return self.page(
            request,
            "webhook_secret",
            title=_("The secret of %s") % made.row.source,
            about=made.row.source,
            secret=made.text,
            back=url_of(made.row.source),
            endpoint=request.build_absolute_uri(reverse("order-list")),
        )


def _state(secret: SourceSecret, at: Any) -> tuple[str, str]:
    """Return how a secret stands: a word for its look, and a sentence."""
    if secret.revoked_at is not None:
        return "bad", _("revoked")
    if secret.expires_at is None:
        return "good", _("in use")
    return ("warn", _("runs out")) if secret.expires_at > at else ("", _("has run out"))
