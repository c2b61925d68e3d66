"""Back office of people: contacts, members, the outbox, the record of admin actions."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.contacts.admin_base import (
    LabelledFormSet,
    Name,
    Pages,
    ReadOnlyAdmin,
    ReferringAdmin,
    Section,
    actor_of,
    ended,
    principal_of,
    url_of,
)
from apps.contacts.admin_base.history import in_words, told, verb_of
from apps.contacts.capabilities import Capability
from apps.contacts.forms import InviteForm, MemberForm, MergeForm
from apps.contacts.members import change_member, invite_member
from apps.contacts.models import AdminAction, ApiToken, Contact, ContactChannel
from apps.contacts.plan_admin import members_in_words
from apps.contacts.searching import Search
from apps.contacts.services import merge_contacts, revoke_api_token
from apps.core import outbox
from apps.core.clock import now
from apps.core.models import OutboxMessage
from apps.organizations.models import OrgMembership

SEARCHED = ("display_name", "external_id", "channels__value")


class ChannelInline(admin.TabularInline[ContactChannel, Contact]):
    model = ContactChannel
    formset = LabelledFormSet
    extra = 0
    readonly_fields = ("verified_at",)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return principal_of(request).has(Capability.VIEW_LEARNERS)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return principal_of(request).has(Capability.MANAGE_CONTACTS)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return principal_of(request).has(Capability.MANAGE_CONTACTS)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return principal_of(request).has(Capability.MANAGE_CONTACTS)


@admin.register(Contact)
class ContactAdmin(Pages):
    """The people of the organisation; an instructor sees those of their cohorts."""

    section, place = Section.PEOPLE, 10
    nothing_yet = gettext_lazy(
        "Nobody yet. People come with a roster, an invitation, or one by one."
    )
    change_capability = Capability.MANAGE_CONTACTS
    view_capability = Capability.VIEW_LEARNERS
    list_display = ("display_name", "external_id", "has_login", "merged_into")
    search_fields = SEARCHED
    inlines = (ChannelInline,)
    change_form_template = "admin/assay/contact_change_form.html"

    @admin.display(boolean=True, description=gettext_lazy("login"))
    def has_login(self, obj: Contact) -> bool:
        return obj.user_id is not None

    def get_queryset(self, request: HttpRequest) -> Any:
        contacts = super().get_queryset(request).select_related("merged_into")
        cohorts = principal_of(request).visible_cohorts
        if cohorts is None:
            return contacts
        return contacts.filter(enrollments__cohort__in=cohorts).distinct()

    def render_change_form(self, request: Any, context: Any, *args: Any, **kwargs: Any) -> Any:
        contact: Any = kwargs.get("obj")
        if contact is not None:
            enrolled = contact.enrollments.select_related("cohort").order_by("-created_at")
            cohorts = principal_of(request).visible_cohorts
            context["enrollments"] = (
                enrolled if cohorts is None else enrolled.filter(cohort__in=cohorts)
            )
        return super().render_change_form(request, context, *args, **kwargs)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.merge_view)
        return [
            path("<path:object_id>/merge/", view, name="contacts_contact_merge"),
            *super().get_urls(),
        ]

    def merge_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        source = self.get_object(request, object_id)
        if source is None or not self.has_change_permission(request, source):
            raise Http404
        back = url_of(source)
        others = Contact.objects.filter(merged_into=None).exclude(pk=source.pk)
        in_order = others.order_by("display_name", "id").prefetch_related("channels")
        search = Search(request.GET, in_order, SEARCHED)
        form = MergeForm(request.POST or None, search=search)
        if request.method == "POST" and form.is_valid():
            into = form.cleaned_data["into"]
            return self.carry_out(
                request,
                lambda: merge_contacts(source=source, into=into, actor=actor_of(request)),
                done=_("Merged into %(name)s.") % {"name": into},
                back=back,
            )
        return self.search_page(
            request,
            form,
            search,
            title=_("Merge %s") % source,
            back=back,
            about=source,
            send=_("Merge"),
            danger=True,
        )


@admin.register(OrgMembership)
class MemberAdmin(Pages):
    """Logins of the organisation: invite, change the role, deactivate."""

    section, place = Section.PEOPLE, 30
    menu = gettext_lazy("Members")
    nothing_yet = gettext_lazy("Nobody can sign in yet.")
    change_capability = Capability.MANAGE_MEMBERS
    view_capability = Capability.AUDIT_READ
    list_display = ("email", "org_role", "status", "created_at")
    fields = readonly_fields = list_display
    list_filter = ("org_role", "status")
    search_fields = ("user__email",)
    change_list_template = "admin/assay/member_change_list.html"

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return super().changelist_view(
            request, {**(extra_context or {}), "seats": members_in_words()}
        )

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("user")

    @admin.display(description=gettext_lazy("e-mail"), ordering="user__email")
    def email(self, obj: OrgMembership) -> str:
        return obj.user.email

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Invite somebody; the mail is sent by a worker."""
        if not self.has_add_permission(request):
            raise Http404
        form = InviteForm(request.POST or None)
        title = _("Invite a member")
        if request.method == "POST" and form.is_valid():
            return self.filled_in(
                request,
                form,
                lambda: invite_member(
                    **form.cleaned_data,
                    principal=principal_of(request),
                    actor=actor_of(request),
                    at=now(),
                ),
                title=title,
                done=_("The invitation is on its way."),
                back=self.changelist_url(),
            )
        return self.form_page(request, form, title=title, back=self.changelist_url())

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Change a member's role, or deactivate them; who only looks is shown the row."""
        member = self.found(request, object_id)
        if not self.has_change_permission(request, member):
            return super().change_view(request, object_id, form_url, extra_context)
        initial = {"org_role": member.org_role, "status": member.status}
        form = MemberForm(request.POST or None, initial=initial)
        title = member.user.email
        if request.method == "POST" and form.is_valid():
            return self.filled_in(
                request,
                form,
                lambda: change_member(
                    membership_id=member.pk,
                    principal=principal_of(request),
                    actor=actor_of(request),
                    **form.cleaned_data,
                ),
                title=title,
                done=_("Changed."),
                back=self.changelist_url(),
            )
        return self.form_page(request, form, title=title, back=self.changelist_url())


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnlyAdmin):
    """Whose keys there are; the secrets are nowhere."""

    section, place = Section.PEOPLE, 40
    menu = gettext_lazy("API tokens")
    nothing_yet = gettext_lazy(
        "Nobody has made a token yet. Everybody makes their own on their account page."
    )
    change_capability = Capability.MANAGE_MEMBERS
    view_capability = Capability.AUDIT_READ
    list_display = ("name", "contact", "prefix", "last_used_on", "expires_at", "state")
    list_filter = (
        (
            "revoked_at",
            ended(
                gettext_lazy("revocation"),
                no=gettext_lazy("not revoked"),
                yes=gettext_lazy("revoked"),
            ),
        ),
    )
    search_fields = ("name", "prefix", "contact__display_name")
    ordering = ("-created_at",)
    exclude = ("token_hash",)
    actions = ("revoke",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("contact")

    @admin.display(description=gettext_lazy("state"))
    def state(self, obj: ApiToken) -> str:
        if obj.revoked_at is not None:
            return _("revoked")
        is_over = obj.expires_at is not None and obj.expires_at <= now()
        return _("expired") if is_over else _("in use")

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return self._may_change(request)

    @admin.action(description=gettext_lazy("Revoke the selected tokens…"), permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        """Ask, then revoke: whatever uses them is refused at once."""
        tokens = queryset.filter(revoked_at=None)
        if not tokens.exists():
            messages.warning(request, _("They are revoked already."))
            return None
        question = self.asked(
            request,
            tokens,
            action="revoke",
            sentence=_("Whatever uses these tokens is refused at once. This can't be undone."),
            send=_("Revoke the tokens"),
            danger=True,
        )
        if question is not None:
            return question

        def work() -> None:
            for token in tokens:
                revoke_api_token(token=token, actor=actor_of(request), at=now())

        self.succeeded(request, work, done=_("Revoked."))
        return None


@admin.register(OutboxMessage)
class OutboxAdmin(ReferringAdmin):
    """Work that is owed; what was parked after too many failures can be tried again."""

    section, place = Section.ORGANIZATION, 20
    menu = gettext_lazy("Outbox")
    nothing_yet = gettext_lazy("Nothing is owed: all work is done.")
    view_capability = Capability.AUDIT_READ
    list_display = ("topic", "about", "created_at", "attempts", "parked_at", "problem")
    list_filter = (
        "topic",
        (
            "parked_at",
            ended(gettext_lazy("state"), no=gettext_lazy("owed"), yes=gettext_lazy("parked")),
        ),
    )
    search_fields = ("key", "last_error")
    ordering = ("-parked_at", "available_at")
    fields = (
        "topic",
        "about",
        "payload",
        "created_at",
        "available_at",
        "attempts",
        "parked_at",
        "last_error",
    )
    readonly_fields = ("about",)
    actions = ("retry",)

    def named(self, row: OutboxMessage) -> Name | None:
        label = outbox.subjects().get(row.topic)
        try:
            return (label, UUID(row.key)) if label else None
        except ValueError:
            return None

    @admin.display(description=gettext_lazy("last error"))
    def problem(self, obj: OutboxMessage) -> str:
        return Truncator(obj.last_error).chars(120) or "–"

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return principal_of(request).has(Capability.MANAGE_SETTINGS)

    @admin.action(
        description=gettext_lazy("Try the selected messages again"), permissions=["retry"]
    )
    def retry(self, request: HttpRequest, queryset: Any) -> None:
        parked = list(queryset)

        def work() -> None:
            outbox.retry(parked)
            for message in parked:
                self.on_record(request, "retried", message, {"topic": message.topic})

        done = ngettext("%d message is due again.", "%d messages are due again.", len(parked))
        self.succeeded(request, work, done=done % len(parked))


class ActionFilter(admin.SimpleListFilter):
    """What was done, in words."""

    title = gettext_lazy("what")
    parameter_name = "action"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        done = AdminAction.objects.order_by("action").values_list("action", flat=True).distinct()
        return sorted(((one, in_words(one)) for one in done), key=lambda pair: pair[1])

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(action=self.value()) if self.value() else queryset


@admin.register(AdminAction)
class AdminActionAdmin(ReferringAdmin):
    """Who did what."""

    section, place = Section.ORGANIZATION, 10
    menu = gettext_lazy("Record of actions")
    nothing_yet = gettext_lazy("Nothing was done yet.")
    list_display = ("recorded_at", "who", "what", "about", "more")
    list_filter = (ActionFilter,)
    search_fields = ("actor__display_name", "action")
    date_hierarchy = "recorded_at"
    ordering = ("-recorded_at",)
    fields = readonly_fields = ("recorded_at", "who", "what", "about", "more")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("actor")

    def named(self, row: AdminAction) -> Name | None:
        return (row.entity_type, row.entity_id) if row.entity_id and row.entity_type else None

    def may_read_history(self, request: HttpRequest, obj: Any) -> bool:
        """Never: nothing is done to a record."""
        return False

    @admin.display(description=gettext_lazy("who"), ordering="actor__display_name")
    def who(self, obj: AdminAction) -> str:
        return obj.actor.display_name if obj.actor else _("the platform")

    @admin.display(description=gettext_lazy("what"), ordering="action")
    def what(self, obj: AdminAction) -> str:
        return verb_of(obj.action)

    @admin.display(description=gettext_lazy("more"))
    def more(self, obj: AdminAction) -> str:
        lines = told(obj.details)
        return format_html_join(SafeString("<br>"), "{}", ((line,) for line in lines)) or "–"
