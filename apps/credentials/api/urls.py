"""Addresses under /v1 of templates, awards and credentials."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from apps.credentials.api import public, views

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register(
    "certification-templates", views.CertificationTemplateViewSet, basename="certificationtemplate"
)
router.register(
    "certification-template-versions",
    views.CertificationTemplateVersionViewSet,
    basename="certificationtemplateversion",
)
router.register("certification-awards", views.AwardViewSet, basename="certificationaward")
router.register("award-holds", views.AwardHoldViewSet, basename="awardhold")
router.register("credentials", views.CredentialViewSet, basename="credential")

urlpatterns = [
    path("credentials/verify", public.VerifyView.as_view(), name="credential-check"),
    path("credentials/<uuid:pk>", public.CredentialView.as_view(), name="credential-bytes"),
    path(
        "credentials/<uuid:pk>/verify", public.VerifyAwardView.as_view(), name="credential-verify"
    ),
    *router.urls,
]
