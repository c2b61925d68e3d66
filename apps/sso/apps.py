from allauth.socialaccount.providers import registry
from django.apps import AppConfig


class SsoConfig(AppConfig):
    name = "apps.sso"

    def ready(self) -> None:
        """Load django-allauth's providers: it does so for addresses of its own only."""
        registry.load()
