"""What an organisation's host answers."""

from importlib.util import find_spec

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView

API: list[URLPattern | URLResolver] = [
    path("", include("apps.contacts.urls")),
    *(
        path("", include(f"apps.{app}.api.urls"))
        for app in ("programs", "cohorts", "assessment", "requirements", "credentials")
        if find_spec(f"apps.{app}.api") and find_spec(f"apps.{app}.api.urls")
    ),
    path("schema", SpectacularAPIView.as_view(), name="schema"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.account.urls")),
    path("v1/", include(API)),
    path("", include("apps.credentials.public_urls")),
    *([path("", include("apps.pages.urls"))] if find_spec("apps.pages.urls") else []),
]
