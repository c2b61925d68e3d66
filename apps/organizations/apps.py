from django.apps import AppConfig
from django.db.models.signals import post_delete
from django_tenants.signals import tenant_delete_callback


class OrganizationsConfig(AppConfig):
    name = "apps.organizations"

    def ready(self) -> None:
        # It listens to every model, to drop a schema with its row, which we never do; and while
        # anybody listens, Django reads each row before it deletes it.
        post_delete.disconnect(tenant_delete_callback)
