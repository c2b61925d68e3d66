"""Addresses at the root of an organisation's host that its credentials name."""

from django.urls import path

from apps.credentials import views

urlpatterns = [
    path(".well-known/did.json", views.did_json, name="did-document"),
    path("credentials/issuer", views.profile, name="issuer-profile"),
    path("credentials/achievements/<uuid:version_id>", views.achievement, name="achievement"),
    path(
        "credentials/status/<slug:purpose>/<int:number>",
        views.status_list_credential,
        name="status-list",
    ),
]
