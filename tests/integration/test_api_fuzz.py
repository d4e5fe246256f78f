"""Whatever a stranger sends, the API answers as it is described and never fails: requests made from its description."""

from contextlib import closing

import pytest
from hypothesis import HealthCheck, given, settings

from transactive.store import Store
from transactive.store.read.runs import Reader
from transactive.web.app import build_app
from transactive.web.change_feed import ChangeFeed

HOST = {"Host": "127.0.0.1"}
LISTS = (
    *("slots", "clearings", "orders", "refusals", "members", "postings", "certificates", "blocks", "items", "acts"),
    *("forecasts", "models", "model-events", "model-days", "grid/loads", "grid/forecasts", "grid/interventions"),
)
WITH_PARAMETERS = (
    *LISTS,
    "proposals/{number}",
    "proposals/{number}/consequences",
    "history",
    "battery",
    "looks",
    "insights",
    "events",
    "bills",
    "bills/{place}/xml",
    "bills/{place}/pdf",
    "forecasts/totals",
)
WITHOUT = ("summary", "compare", "held-readings", "proposals", "predictions", "drafts", "forecasts/leaderboard")
STEP = "/api/v1/items/{number}/{outcome}"
BRING, ACCEPT = "/api/v1/readings", "/api/v1/readings/{token}"
SEALS, OPENINGS = "/api/v1/forecasts/seals", "/api/v1/forecasts/openings"
DO, ANSWER, DECIDE, DRAFT = "/api/v1/acts", "/api/v1/held-readings/{said}", "/api/v1/proposals/acts", "/api/v1/drafts"


@pytest.fixture(scope="module")
def described(demo_run):
    """The API over the demo's week, as its own description shows it."""
    import schemathesis  # it takes seconds, which only the worker that runs these tests needs to spend

    with closing(Store(demo_run.folder)) as store:
        app = build_app(demo_run.folder, ChangeFeed(Reader(store)), local=True)
        config = schemathesis.Config.from_dict({"base-url": "http://127.0.0.1"})
        yield schemathesis.openapi.from_asgi("/api/v1/schema/openapi.json", app, config=config, headers=HOST)


@pytest.mark.parametrize(
    ("name", "mode"),
    [(name, "POSITIVE") for name in (*WITH_PARAMETERS, *WITHOUT)] + [(name, "NEGATIVE") for name in WITH_PARAMETERS],
)
def test_no_request_makes_it_fail(described, name, mode):
    _ask(described[f"/api/v1/{name}"]["GET"], mode)


def test_no_step_makes_it_fail(described):
    _ask(described[STEP]["PUT"], "POSITIVE")
    _ask(described[BRING]["POST"], "POSITIVE")
    _ask(described[ACCEPT]["PUT"], "POSITIVE")
    _ask(described[DO]["POST"], "POSITIVE")
    _ask(described[DECIDE]["POST"], "POSITIVE")
    _ask(described[ANSWER]["PUT"], "POSITIVE")
    _ask(described[DRAFT]["POST"], "POSITIVE")
    _ask(described[SEALS]["POST"], "POSITIVE")
    _ask(described[OPENINGS]["POST"], "POSITIVE")


def _ask(operation, mode):
    """Ask what the description of an operation allows, or what it does not."""

    from schemathesis import GenerationMode
    from schemathesis.specs.openapi import checks

    elsewhere_tested = [
        checks.positive_data_acceptance,  # a cursor is any text to the description, but only ours is accepted
        checks.negative_data_rejection,  # parameters that nobody knows are ignored
    ]

    @settings(max_examples=12, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=GenerationMode[mode]))
    def ask(case):
        case.call_and_validate(headers=HOST, excluded_checks=elsewhere_tested)

    ask()


def test_every_operation_is_asked(described):
    assert set(described) == {
        STEP,
        BRING,
        ACCEPT,
        ANSWER,
        DECIDE,
        SEALS,
        OPENINGS,
        *(f"/api/v1/{name}" for name in (*WITH_PARAMETERS, *WITHOUT)),
    }
