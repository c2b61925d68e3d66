"""Back office of people: contacts, members, the outbox, the record of admin actions."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.contacts.admin_base import Pages, ReadOnlyAdmin, Section, actor_of, principal_of, url_of
from apps.contacts.capabilities import Capability
from apps.contacts.forms import InviteForm, MemberForm, MergeForm
from apps.contacts.members import change_member, invite_member
from apps.contacts.models import AdminAction, ApiToken, Contact, ContactChannel
from apps.contacts.plan_admin import members_in_words
from apps.contacts.services import merge_contacts
from apps.core import outbox
from apps.core.clock import now
from apps.core.models import OutboxMessage
from apps.organizations.models import OrgMembership


class ChannelInline(admin.TabularInline[ContactChannel, Contact]):
    model = ContactChannel
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
    search_fields = ("display_name", "external_id", "channels__value")
    inlines = (ChannelInline,)
    change_form_template = "admin/assay/contact_change_form.html"

    @admin.display(boolean=True, description="login")
    def has_login(self, obj: Contact) -> bool:
        return obj.user_id is not None

    def get_queryset(self, request: HttpRequest) -> Any:
        contacts = super().get_queryset(request).select_related("merged_into")
        cohorts = principal_of(request).visible_cohorts
        if cohorts is None:
            return contacts
        return contacts.filter(enrollments__cohort__in=cohorts).distinct()

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
        form = MergeForm(request.POST or None, source=source)
        if request.method == "POST" and form.is_valid():
            into = form.cleaned_data["into"]
            return self.carry_out(
                request,
                lambda: merge_contacts(source=source, into=into, actor=actor_of(request)),
                done=_("Merged into %(name)s.") % {"name": into},
                back=back,
            )
        return self.form_page(request, form, title=_("Merge %s") % source, back=back, about=source)


@admin.register(OrgMembership)
class MemberAdmin(Pages):
    """Logins of the organisation: invite, change the role, deactivate."""

    section, place = Section.PEOPLE, 30
    menu = gettext_lazy("Members")
    nothing_yet = gettext_lazy("Nobody can sign in yet.")
    change_capability = Capability.MANAGE_MEMBERS
    view_capability = Capability.MANAGE_MEMBERS
    list_display = ("email", "org_role", "status", "created_at")
    list_filter = ("org_role", "status")
    search_fields = ("user__email",)
    change_list_template = "admin/assay/member_change_list.html"

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return super().changelist_view(
            request, {**(extra_context or {}), "seats": members_in_words()}
        )

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("user")

    @admin.display(description="e-mail", ordering="user__email")
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
        """Change a member's role, or deactivate them."""
        member = self.get_object(request, object_id)
        if member is None or not self.has_change_permission(request, member):
            raise Http404
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
    view_capability = Capability.MANAGE_MEMBERS
    list_display = ("name", "prefix", "contact", "created_at", "expires_at", "revoked_at")
    exclude = ("token_hash",)
    actions = ("revoke",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("contact")

    @admin.action(description="Revoke the selected tokens at once")
    def revoke(self, request: HttpRequest, queryset: Any) -> None:
        for token in queryset.filter(revoked_at=None):
            token.revoked_at = now()
            token.save(update_fields=["revoked_at"])
            self.on_record(request, "revoked", token)


@admin.register(OutboxMessage)
class OutboxAdmin(ReadOnlyAdmin):
    """Work that is owed; what was parked after too many failures can be tried again."""

    section, place = Section.ORGANIZATION, 20
    menu = gettext_lazy("Outbox")
    nothing_yet = gettext_lazy("Nothing is owed: all work is done.")
    view_capability = Capability.AUDIT_READ
    list_display = ("topic", "key", "created_at", "attempts", "parked_at", "last_error")
    list_filter = ("topic", ("parked_at", admin.EmptyFieldListFilter))
    ordering = ("-parked_at", "available_at")
    actions = ("retry",)

    @admin.action(description="Try the selected messages again")
    def retry(self, request: HttpRequest, queryset: Any) -> HttpResponseRedirect | None:
        if not principal_of(request).has(Capability.MANAGE_SETTINGS):
            messages.error(request, _("You may look at the outbox, not change it."))
            return None
        parked = list(queryset)
        outbox.retry(parked)
        for message in parked:
            self.on_record(request, "retried", message, {"topic": message.topic})
        messages.success(request, _("%d messages are due again.") % len(parked))
        return None


@admin.register(AdminAction)
class AdminActionAdmin(ReadOnlyAdmin):
    """Who did what."""

    section, place = Section.ORGANIZATION, 10
    menu = gettext_lazy("Record of actions")
    nothing_yet = gettext_lazy("Nothing was done yet.")
    list_display = ("recorded_at", "actor", "action", "entity_type", "entity_id")
    list_filter = ("action",)
    ordering = ("-recorded_at",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("actor")
