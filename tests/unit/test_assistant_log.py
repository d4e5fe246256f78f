"""An assistant that asks a lot washes nothing away: first and last lines of each token and day stay, and a number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transactive.core.slots import DAY
from transactive.web.accounts import assistant_log
from transactive.web.accounts.assistant_log import LOG, AssistantRequest, RequestLog, asked_by_assistants, folded

ENDS = 2


@pytest.fixture(autouse=True, scope="module")
def short():
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(assistant_log, "KEPT_AT_ENDS", ENDS)
        patched.setattr(assistant_log, "LARGEST_LOG", 600)
        yield


def test_what_stood_before_a_flood_is_still_there(tmp_path):
    log = RequestLog(tmp_path)
    log.note(AssistantRequest(DAY + 1, "a", "GET", "/api/v1/secret"))
    for number in range(200):
        log.note(AssistantRequest(DAY + 2 + number, "b", "GET", f"/api/v1/{number}"))
    assert (tmp_path / LOG).stat().st_size < 3_000
    found = asked_by_assistants(tmp_path)
    assert found[0].place == "/api/v1/secret"
    of_b = asked_by_assistants(tmp_path, "b")
    assert [each.place for each in of_b[:ENDS]] == ["/api/v1/0", "/api/v1/1"]
    assert of_b[-1].place == "/api/v1/199"
    assert sum(each.dropped or 1 for each in of_b) == 200


@given(st.lists(st.tuples(st.integers(0, 2 * DAY), st.sampled_from("ab")), max_size=40), st.integers(0, 40))
def test_folding_twice_loses_no_count_and_no_end(asked, cut):
    lines = [AssistantRequest(time, token, "GET", str(n)) for n, (time, token) in enumerate(sorted(asked))]
    once = folded([*folded(lines[:cut], 2 * DAY), *lines[cut:]], 2 * DAY)
    for day in range(3):
        for token in "ab":
            own = [each for each in lines if (each.time // DAY, each.token) == (day, token)]
            kept = [each for each in once if (each.time // DAY, each.token) == (day, token)]
            real = [each for each in kept if not each.dropped]
            assert real[:ENDS] == own[:ENDS]
            assert real[-ENDS:] == own[-ENDS:]
            assert len(real) <= 2 * ENDS
            assert sum(each.dropped or 1 for each in kept) == len(own)


def test_a_line_goes_after_a_year():
    old = AssistantRequest(1, "a", "GET", "/")
    assert folded([old], 366 * DAY) == [old]
    assert folded([old], 366 * DAY + 1) == []
