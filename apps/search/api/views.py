"""/v1/search: one ranked list of what the caller may see."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response

from apps.cohorts.api.base import principal_of
from apps.contacts.api import Requires
from apps.core.api import ApiView
from apps.search.api.serializers import HitSerializer, SearchSerializer
from apps.search.rules import read_query
from apps.search.selectors.findings import search


class SearchPagination(PageNumberPagination):
    """`?page=` and `?page_size=` (at most 50): hits have an order of their own."""

    page_size = 20
    page_size_query_param = "page_size"
    max_page_size = 50


class SearchView(ApiView, GenericAPIView[Any]):
    """Full text and, for misspelt titles, likeness. The best 200 hits are counted and paged."""

    permission_classes = [Requires(None, read=None)]
    http_method_names = ["get", "head"]
    pagination_class = SearchPagination
    serializer_class = HitSerializer
    filter_backends = []

    @extend_schema(parameters=[SearchSerializer], responses=HitSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Find programs, courses, lessons and, for staff, questions.

        Learners find lessons of what they take now, unless locked, and the programs and courses
        that they take or may begin on their own.
        """
        asked = SearchSerializer(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        wanted = asked.validated_data
        kinds = (wanted["kind"],) if "kind" in wanted else ()
        found: Any = search(principal_of(request), read_query(wanted["q"]), kinds)
        page = self.paginate_queryset(found)
        return self.get_paginated_response(HitSerializer(page, many=True).data)
