"""A real browser before a real web process."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from apps.accounts.models import User
from apps.contacts.models import Contact
from tests.database import Server
from tests.factories import PASSWORD
from tests.flows.conftest import Stack

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
SWITCHES = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A browser of this machine; where checks are automatic, its absence is a failure."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        message = f"needs a browser, one of {', '.join(BROWSERS)}"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    # Playwright keeps an event loop in this thread, in which the test's own queries are no danger.
    with pytest.MonkeyPatch.context() as patch, playwright.sync_playwright() as started:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        running = started.chromium.launch(executable_path=program, args=list(SWITCHES))
        yield running
        running.close()


@pytest.fixture
def site(server: Server, own_database: str, tmp_path: Path) -> Iterator[str]:
    """The address of the organisation's host, served by a real web process."""
    stack = Stack(server, own_database, tmp_path)
    try:
        stack.start_web()
        yield f"http://a.localhost:{stack.port}"
    finally:
        stack.stop()


def signed_in(chromium: Any, site: str, learner: Contact, **options: Any) -> Any:
    """Return a window of the learner; a complaint of the browser fails the test."""
    page = chromium.new_context(**options).new_page()
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    page.goto(f"{site}/accounts/login/")
    page.fill("[name=login]", User.objects.get(pk=learner.user_id).email)
    page.fill("[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    return page
