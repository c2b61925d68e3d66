"""Filters whose names are those of the answers, not of the tables in between."""

from __future__ import annotations

from django_filters import BooleanFilter, CharFilter, UUIDFilter

from apps.programs.api.filters import IdFilterSet


class AttemptFilter(IdFilterSet):
    assessment = UUIDFilter(field_name="template_id")
    enrollment = UUIDFilter(field_name="enrollment_id")
    contact = UUIDFilter(field_name="contact_id")
    cohort = UUIDFilter(field_name="enrollment__cohort_id")
    version = UUIDFilter(field_name="version_id")
    status = CharFilter(field_name="status")


class ResultFilter(IdFilterSet):
    attempt = UUIDFilter(field_name="attempt_id")
    assessment = UUIDFilter(field_name="attempt__template_id")
    enrollment = UUIDFilter(field_name="attempt__enrollment_id")
    contact = UUIDFilter(field_name="attempt__contact_id")
    cohort = UUIDFilter(field_name="attempt__enrollment__cohort_id")
    passed = BooleanFilter(field_name="passed")
    is_final = BooleanFilter(field_name="is_final")
    is_void = BooleanFilter(field_name="is_void")


class GradingTaskFilter(IdFilterSet):
    assessment = UUIDFilter(field_name="attempt__template_id")
    cohort = UUIDFilter(field_name="attempt__enrollment__cohort_id")
    attempt = UUIDFilter(field_name="attempt_id")
    item = UUIDFilter(field_name="item_id")
    state = CharFilter(field_name="state")


class ReleaseFilter(IdFilterSet):
    assessment = UUIDFilter(field_name="template_id")
    cohort = UUIDFilter(field_name="cohort_id")
    attempt = UUIDFilter(field_name="attempt_id")


class WindowFilter(IdFilterSet):
    assessment = UUIDFilter(field_name="template_id")
    cohort = UUIDFilter(field_name="cohort_id")


class AccommodationFilter(IdFilterSet):
    assessment = UUIDFilter(field_name="template_id")
    contact = UUIDFilter(field_name="contact_id")
    is_standing = BooleanFilter(field_name="ended_at", lookup_expr="isnull")
