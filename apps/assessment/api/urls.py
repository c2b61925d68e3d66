"""Addresses under /v1 of assessment."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from apps.assessment.api import authoring_views as authoring
from apps.assessment.api.attempt_views import AttemptViewSet, StartView
from apps.assessment.api.autosave import ResponsesView, ResponseView
from apps.assessment.api.gift import BankImportView, VersionImportView
from apps.assessment.api.grading_views import GradingTaskViewSet
from apps.assessment.api.result_views import GradebookView, ReleaseViewSet, ResultViewSet
from apps.assessment.api.terms import AccommodationViewSet, WindowViewSet

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("assessments", authoring.AssessmentViewSet, basename="assessment")
router.register(
    "assessment-versions", authoring.AssessmentVersionViewSet, basename="assessmentversion"
)
router.register("assessment-items", authoring.AssessmentItemViewSet, basename="assessmentitem")
router.register("assessment-placements", authoring.PlacementViewSet, basename="assessmentplacement")
router.register("rubrics", authoring.RubricViewSet, basename="rubric")
router.register("rubric-criteria", authoring.RubricCriterionViewSet, basename="rubriccriterion")
router.register("rubric-levels", authoring.RubricLevelViewSet, basename="rubriclevel")
router.register("question-banks", authoring.QuestionBankViewSet, basename="questionbank")
router.register("bank-items", authoring.BankItemViewSet, basename="bankitem")
router.register("assessment-windows", WindowViewSet, basename="assessmentwindow")
router.register("accommodations", AccommodationViewSet, basename="accommodation")
router.register("attempts", AttemptViewSet, basename="attempt")
router.register("grading-tasks", GradingTaskViewSet, basename="gradingtask")
router.register("results", ResultViewSet, basename="result")
router.register("result-releases", ReleaseViewSet, basename="resultrelease")

urlpatterns = [
    path(
        "attempts/<uuid:attempt_id>/responses/<uuid:item_id>",
        ResponseView.as_view(),
        name="attempt-response",
    ),
    path("attempts/<uuid:attempt_id>/responses", ResponsesView.as_view(), name="attempt-responses"),
    path("assessments/<uuid:pk>/attempts", StartView.as_view(), name="assessment-attempts"),
    path("cohorts/<uuid:pk>/gradebook", GradebookView.as_view(), name="cohort-gradebook"),
    path("question-banks/<uuid:pk>/import", BankImportView.as_view(), name="bank-import"),
    path("assessment-versions/<uuid:pk>/import", VersionImportView.as_view(), name="draft-import"),
    *router.urls,
]
