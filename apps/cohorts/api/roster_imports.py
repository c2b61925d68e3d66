"""/v1: imports of rosters, how far they are, and what became of each row."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from apps.cohorts.api.base import CohortScopedViewSet
from apps.cohorts.models import ImportStatus, RosterImport, RosterImportRow
from apps.cohorts.roster_reports import report_csv, report_name
from apps.cohorts.selectors import of_staffed
from apps.cohorts.services import confirm_import
from apps.cohorts.services.imports import OUTCOMES
from apps.contacts.api import Requires, actor_of
from apps.contacts.capabilities import Capability
from apps.contacts.principal import Principal
from apps.core.api import CursorPagination
from apps.core.clock import now
from apps.core.problems import Invalid
from apps.programs.api.filters import filters


class RosterImportSerializer(serializers.ModelSerializer[RosterImport]):
    """An import or its trial (`is_dry_run`).

    `rows_total` is known once it runs; `counts` (created, updated, unchanged, refused) when it is
    done. `problem` says why an import failed; then it changed nothing. `confirms` is the trial
    whose file it imports.
    """

    cohort = serializers.UUIDField(source="cohort_id")
    requested_by = serializers.UUIDField(source="requested_by_id", allow_null=True)
    confirms = serializers.UUIDField(source="confirms_id", allow_null=True)
    status = serializers.ChoiceField(ImportStatus.choices)
    counts = serializers.DictField(child=serializers.IntegerField())
    problem = serializers.DictField(allow_null=True)

    class Meta:
        model = RosterImport
        fields = [
            "id",
            "cohort",
            "requested_by",
            "is_dry_run",
            "confirms",
            "filename",
            "class_id",
            "sha256",
            "size_bytes",
            "status",
            "rows_total",
            "rows_done",
            "format",
            "encoding",
            "encoding_guessed",
            "counts",
            "problem",
            "created_at",
            "started_at",
            "finished_at",
        ]
        read_only_fields = fields


class RosterImportRowSerializer(serializers.ModelSerializer[RosterImportRow]):
    """What became of one row; `did` are its single effects, `state` the enrolment's."""

    outcome = serializers.ChoiceField(OUTCOMES)
    did = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = RosterImportRow
        fields = [
            "position",
            "file",
            "line",
            "name",
            "outcome",
            "did",
            "state",
            "code",
            "message",
            "column",
        ]
        read_only_fields = fields


class RowPagination(CursorPagination):
    """In the order of the file."""

    ordering = "position"


class CsvRenderer(JSONRenderer):
    """Stands for CSV when representations are negotiated; problems are JSON all the same."""

    media_type = "text/csv"
    format = "csv"


class RosterImportViewSet(
    CohortScopedViewSet[RosterImport], mixins.ListModelMixin, mixins.RetrieveModelMixin
):
    """Imports of rosters and their trials."""

    permission_classes = [Requires(Capability.RUN_COHORTS, read=Capability.VIEW_LEARNERS)]
    queryset = RosterImport.objects.all()
    serializer_class = RosterImportSerializer
    filterset_class = filters(RosterImport, "cohort", "status", "is_dry_run")

    def visible(self, rows: QuerySet[RosterImport], principal: Principal) -> QuerySet[RosterImport]:
        return of_staffed(rows, principal, cohort="cohort")

    @extend_schema(request=None, responses={202: RosterImportSerializer})
    @action(detail=True, methods=["post"])
    def confirm(self, request: Request, **kwargs: Any) -> Response:
        """Import the file of a trial, as it was tried. Asked again, it is the same import."""
        trial = self.get_object()
        self.demand(Capability.RUN_COHORTS, trial.cohort_id)
        return accepted(confirm_import(trial=trial, actor=actor_of(request), at=now()))

    @extend_schema(
        responses=RosterImportRowSerializer(many=True),
        filters=False,
        parameters=[OpenApiParameter("outcome", str, enum=OUTCOMES)],
    )
    @action(detail=True, methods=["get"], pagination_class=RowPagination)
    def rows(self, request: Request, **kwargs: Any) -> Response:
        """What became of each row, in the file's order. Those of a trial are kept for a day."""
        rows: Any = self.get_object().rows.all()
        outcome = request.query_params.get("outcome")
        if outcome is not None:
            if outcome not in OUTCOMES:
                message = f"One of {', '.join(OUTCOMES)}."
                raise Invalid(errors=[{"field": "outcome", "code": "unknown", "message": message}])
            rows = rows.filter(outcome=outcome)
        page: Any = self.paginate_queryset(rows)
        return self.get_paginated_response(RosterImportRowSerializer(page, many=True).data)

    @extend_schema(
        filters=False,
        responses={(200, "text/csv"): OpenApiResponse(OpenApiTypes.STR, "The report.")},
    )
    @action(
        detail=True,
        methods=["get"],
        url_path="report.csv",
        renderer_classes=[CsvRenderer, JSONRenderer],
        pagination_class=None,
    )
    def report(self, request: Request, **kwargs: Any) -> HttpResponse:
        """The same rows as a file for spreadsheets."""
        asked = self.get_object()
        name = report_name(asked)
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return HttpResponse(
            report_csv(asked), content_type="text/csv; charset=utf-8", headers=headers
        )


def accepted(asked: RosterImport) -> Response:
    """Return the answer to who asked for an import: where to read how far it is."""
    address = reverse("rosterimport-detail", args=[asked.pk])
    return Response(
        RosterImportSerializer(asked).data, status=202, headers={"Location": str(address)}
    )
