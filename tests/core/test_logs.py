"""The lines of the log."""

from __future__ import annotations

import json
import logging
import sys

import pytest
from django.core.exceptions import PermissionDenied

from apps.core.logs import JsonFormatter


@pytest.mark.parametrize(
    ("raised", "is_traced"), [(PermissionDenied(), False), (KeyError("x"), True)]
)
def test_format_traces_a_fault_and_no_refusal(raised: Exception, is_traced: bool) -> None:
    try:
        raise raised
    except type(raised):
        record = logging.LogRecord("a", logging.WARNING, "", 1, "No: %s", ("/x",), sys.exc_info())

    entry = json.loads(JsonFormatter().format(record))

    assert (entry["message"], "exception" in entry) == ("No: /x", is_traced)
