"""What the platform's own host answers."""

from django.urls import URLPattern, URLResolver, include, path

from apps.organizations import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.platform_home, name="platform-home"),
    path("favicon.ico", views.favicon, name="favicon"),
    path("status/", views.status, name="status"),
    path("catalog/", include("apps.catalog.urls")),
]

handler400 = "apps.pages.views.problems.bad_request"
handler403 = "apps.pages.views.problems.forbidden"
handler404 = "apps.pages.views.problems.not_found"
handler500 = "apps.pages.views.problems.server_error"
