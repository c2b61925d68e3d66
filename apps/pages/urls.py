"""The learners' pages, on an organisation's host."""

from __future__ import annotations

from django.urls import path

from apps.pages.views import (
    account,
    assessments,
    certificates,
    invitations,
    learning,
    searching,
)

app_name = "pages"

ENROLLMENT = "enrollments/<uuid:enrollment_id>"
ITEM = f"{ENROLLMENT}/items/<uuid:item_id>"
ASSESSMENT = f"{ENROLLMENT}/assessments/<uuid:template_id>"
ATTEMPT = "attempts/<uuid:attempt_id>"

urlpatterns = [
    path("", learning.start, name="dashboard"),
    path(ENROLLMENT, learning.progress, name="progress"),
    path(f"{ENROLLMENT}/accept", learning.accept, name="accept"),
    path(f"{ENROLLMENT}/courses/<slug:slug>", learning.course, name="course"),
    path(ITEM, learning.item, name="item"),
    path(f"{ITEM}/complete", learning.complete_item, name="complete-item"),
    path(ASSESSMENT, assessments.assessment, name="assessment"),
    path(f"{ASSESSMENT}/start", assessments.begin, name="begin"),
    path(ATTEMPT, assessments.attempt, name="attempt"),
    path(f"{ATTEMPT}/submit", assessments.submit, name="submit"),
    path(f"{ATTEMPT}/result", assessments.result, name="result"),
    path("search", searching.search, name="search"),
    path("certificates", certificates.certificates, name="certificates"),
    path("credentials/<uuid:award_id>", certificates.credential, name="credential"),
    path("account", account.account, name="account"),
    path("account/tokens", account.tokens, name="tokens"),
    path("account/tokens/<uuid:token_id>/revoke", account.revoke_token, name="revoke-token"),
    path("invitations/<str:token>", invitations.invitation, name="invitation"),
]
