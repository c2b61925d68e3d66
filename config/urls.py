"""What an organisation's host answers."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView

from apps.organizations.views import favicon

API: list[URLPattern | URLResolver] = [
    path("", include("apps.contacts.urls")),
    path("", include("apps.programs.api.urls")),
    path("", include("apps.cohorts.api.urls")),
    path("", include("apps.assessment.api.urls")),
    path("", include("apps.ai_logs.api.urls")),
    path("", include("apps.requirements.api.urls")),
    path("", include("apps.credentials.api.urls")),
    path("", include("apps.commerce.api.urls")),
    path("", include("apps.reporting.api.urls")),
    path("", include("apps.portability.api.urls")),
    path("", include("apps.search.api.urls")),
    path("schema", SpectacularAPIView.as_view(), name="schema"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/", admin.site.urls),
    path("favicon.ico", favicon, name="favicon"),
    path("accounts/sso/", include("apps.sso.urls")),
    path("accounts/", include("apps.pages.account_urls")),
    path("v1/", include(API)),
    path("", include("apps.credentials.public_urls")),
    path("", include("apps.pages.urls")),
]

handler400 = "apps.pages.views.problems.bad_request"
handler403 = "apps.pages.views.problems.forbidden"
handler404 = "apps.pages.views.problems.not_found"
handler429 = "apps.pages.views.problems.too_many_requests"
handler500 = "apps.pages.views.problems.server_error"
