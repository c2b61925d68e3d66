"""Every address with an id in it, found in the URLconf itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db import models
from django.urls import URLPattern, URLResolver, get_resolver

PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")

# Addresses whose parameter is a secret or a name of no row: nothing of an organisation is in them.
WITHOUT_ROWS = (
    "accounts/",  # allauth: signed links
    "invitations/",  # a signed link
    "admin/jsi18n/",
    "v1/catalog/",  # the platform's courses: every organisation reads the same
    "admin/catalog/",
    "admin/sso/ssoconnection/act/",  # a word
    "admin/r/",  # views on site by content type: tenant code reads none
    "admin/<url>",
    "admin/(?P<url>",
    "admin/^(?P<app_label>",  # an app's list of tables
)

# What a parameter names where the view does not tell by itself.
NAMES = {
    "enrollment_id": "cohorts.CohortEnrollment",
    "attempt_id": "assessment.AssessmentAttempt",
    "template_id": "assessment.AssessmentTemplate",
    "item_id": "programs.ModuleItem",
    "token_id": "contacts.ApiToken",
    "award_id": "credentials.CertificationAward",
    "version_id": "credentials.CertificationTemplateVersion",
    "staff_id": "cohorts.CohortStaff",
    "node_id": "requirements.RequirementNode",
    "domain_id": "sso.EmailDomain",
    "secret_id": "commerce.SourceSecret",
    "course_version_id": "programs.CourseVersion",
    "program_version_id": "programs.ProgramVersion",
    "import_id": "cohorts.RosterImport",
    "cohort_id": "cohorts.Cohort",
}
ROUTES = {
    "v1/cohorts/": "cohorts.Cohort",
    "v1/courses/": "programs.Course",
    "v1/assessments/": "assessment.AssessmentTemplate",
    "v1/question-banks/": "assessment.QuestionBank",
    "v1/assessment-versions/": "assessment.AssessmentVersion",
    "v1/credentials/": "credentials.CertificationAward",
    "v1/ai/sessions/": "ai_logs.AiSession",
}
WORDS = {"purpose": "revocation", "number": "1", "move": "end", "act": "remove"}


@dataclass(frozen=True)
class Endpoint:
    """One address and what each of its parameters names."""

    route: str
    callback: Any

    @property
    def parameters(self) -> list[str]:
        return PARAMETER.findall(self.route)

    def path(self, ids: dict[str, str]) -> str:
        return "/" + PARAMETER.sub(lambda match: ids[match.group(1)], self.route)


def walk(resolver: Any, prefix: str = "") -> Iterator[Endpoint]:
    for entry in resolver.url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield Endpoint(route, entry.callback)
        elif isinstance(entry, URLResolver):
            yield from walk(entry, route)


def endpoints() -> list[Endpoint]:
    """Return every address of an organisation's host that names a row."""
    return [
        endpoint
        for endpoint in walk(get_resolver())
        if ("<" in endpoint.route or "(?P" in endpoint.route)
        and not endpoint.route.startswith(WITHOUT_ROWS)
    ]


def model_of(endpoint: Endpoint) -> type[models.Model] | None:
    """Return the model of the row that `pk` or `object_id` names, as view or admin tells."""
    view = getattr(endpoint.callback, "cls", None)
    if view is not None:
        instance = view(swagger_fake_view=True)
        instance.request = instance.kwargs = instance.format_kwarg = None
        instance.action = next(iter(getattr(endpoint.callback, "actions", {}).values()), None)
        try:
            queryset = instance.get_queryset()
        except (AssertionError, AttributeError):
            return None
        found: type[models.Model] = queryset.model
        return found
    if endpoint.route.startswith("admin/"):
        _admin, app, name, *_rest = endpoint.route.split("/")
        for model in admin.site._registry:
            if (model._meta.app_label, model._meta.model_name) == (app, name):
                return model
    return None


def named_by(endpoint: Endpoint, parameter: str) -> type[models.Model]:
    """Return the model of the row that a parameter names; fails where that is nowhere said."""
    model = model_of(endpoint) if parameter in ("pk", "object_id") else None
    if model is not None:
        return model
    label = NAMES.get(parameter) or next(
        (label for start, label in ROUTES.items() if endpoint.route.startswith(start)), None
    )
    assert label, f"{endpoint.route}: say in tests/walls/endpoints.py what {parameter} names"
    return apps.get_model(label)
