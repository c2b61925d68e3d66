"""What is asked, and how hits look under /v1."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.core.api import StrictSerializer
from apps.search.models import DocumentKind


class SearchSerializer(StrictSerializer):
    """What is looked for."""

    q = serializers.CharField(
        allow_blank=True,
        required=False,
        default="",
        help_text="2 to 200 characters: words, “a phrase”, -without, this or that.",
    )
    kind = serializers.ChoiceField(
        DocumentKind.choices, required=False, help_text="Only things of this kind."
    )
    page = serializers.CharField(required=False, help_text="The number of the page, from 1.")
    page_size = serializers.CharField(required=False, help_text="Hits on a page, at most 50.")


class HitSerializer(serializers.Serializer[Any]):
    """Something that was found. `id` is that of the program, course, module item or question.

    `title_html` and `excerpt_html` are safe HTML: everything is escaped but `<mark>`. `is_exact` is
    false where only the title is spelt alike. `enrollment` is where the caller may open it.
    """

    kind = serializers.ChoiceField(DocumentKind.choices)
    id = serializers.UUIDField()
    title = serializers.CharField()
    title_html = serializers.CharField()
    excerpt_html = serializers.CharField()
    within = serializers.CharField(help_text="The title of the course or assessment it is part of.")
    is_exact = serializers.BooleanField()
    enrollment = serializers.UUIDField(source="enrollment_id", allow_null=True)
    program = serializers.UUIDField(source="program_id", allow_null=True)
    program_version = serializers.UUIDField(source="program_version_id", allow_null=True)
    course = serializers.UUIDField(source="course_id", allow_null=True)
    course_version = serializers.UUIDField(source="course_version_id", allow_null=True)
    assessment = serializers.UUIDField(source="assessment_id", allow_null=True)
    assessment_version = serializers.UUIDField(source="assessment_version_id", allow_null=True)
