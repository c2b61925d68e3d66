"""Addresses under /v1 of requirements."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from apps.requirements.api import authoring_views as authoring
from apps.requirements.api import decision_views as decisions
from apps.requirements.api import enrollment_views as enrollments

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("requirement-sets", authoring.RequirementSetViewSet, basename="requirementset")
router.register(
    "requirement-set-versions",
    authoring.RequirementSetVersionViewSet,
    basename="requirementsetversion",
)
router.register("requirement-nodes", authoring.RequirementNodeViewSet, basename="requirementnode")
router.register("requirement-edges", authoring.RequirementEdgeViewSet, basename="requirementedge")
router.register(
    "requirements/assignments", decisions.AssignmentViewSet, basename="requirementassignment"
)
router.register(
    "requirements/evaluations", decisions.EvaluationViewSet, basename="requirementevaluation"
)
router.register("requirements/sign-offs", enrollments.SignOffViewSet, basename="signoff")
router.register("requirements/waivers", enrollments.WaiverViewSet, basename="waiver")

urlpatterns = [
    path(
        "enrollments/<uuid:pk>/requirements",
        enrollments.StandingView.as_view(),
        name="enrollment-requirements",
    ),
    path(
        "enrollments/<uuid:pk>/sign-offs",
        enrollments.SignOffsView.as_view(),
        name="enrollment-sign-offs",
    ),
    path(
        "enrollments/<uuid:pk>/waivers",
        enrollments.WaiversView.as_view(),
        name="enrollment-waivers",
    ),
    *router.urls,
]
