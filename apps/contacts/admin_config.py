"""Django's admin, with the organisation's own site as the default one."""

from django.contrib.admin import autodiscover
from django.contrib.admin.apps import SimpleAdminConfig


class OrganizationAdminConfig(SimpleAdminConfig):
    default_site = "apps.contacts.admin_site.OrganizationAdminSite"

    def ready(self) -> None:
        super().ready()
        autodiscover()
