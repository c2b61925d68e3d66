"""Calls made at the same moment, each on a connection of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from django.db import connection

from apps.core.tenancy import tenant_context


def at_once(*calls: Callable[[], Any], timeout: float = 60) -> list[Any]:
    """Return what each call returned or raised, in order; all start together."""
    tenant = connection.tenant
    gate = threading.Barrier(len(calls))
    results: list[Any] = [TimeoutError("did not finish")] * len(calls)

    def run(number: int, call: Callable[[], Any]) -> None:
        try:
            with tenant_context(tenant):
                gate.wait(timeout)
                results[number] = call()
        except Exception as error:  # noqa: BLE001 - what a call raised is its result
            results[number] = error
        finally:
            connection.close()

    threads = [
        threading.Thread(target=run, args=(number, call), daemon=True)
        for number, call in enumerate(calls)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout)
    return results
