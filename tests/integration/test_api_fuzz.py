"""Whatever a stranger sends, the API answers as it is described and never fails: requests made from its description."""

from contextlib import closing

import pytest
from hypothesis import HealthCheck, given, settings

from transactive.store import Store
from transactive.web.app import build_app
from transactive.web.pulse import Pulse
from transactive.web.queries import Reader

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed; make install-dev")

OPERATIONS = (
    *("slots", "clearings", "orders", "refusals", "members", "postings", "certificates", "blocks", "summary", "events"),
)


@pytest.fixture(scope="module")
def described(demo_run):
    """The API over the demo's week, as its own description shows it."""
    with closing(Store(demo_run.folder)) as store:
        app = build_app(demo_run.folder, Pulse(Reader(store)), local=True)
        config = schemathesis.Config.from_dict({"base-url": "http://127.0.0.1"})
        yield schemathesis.openapi.from_asgi(
            "/api/v1/schema/openapi.json", app, config=config, headers={"Host": "127.0.0.1"}
        )


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("kind", ["positive", "negative"])
def test_no_request_makes_it_fail(described, name, kind):
    operation = described[f"/api/v1/{name}"]["GET"]
    modes = getattr(schemathesis.GenerationMode, kind.upper())
    try:
        cases = operation.as_strategy(generation_mode=modes)
    except Exception:
        pytest.skip("nothing to get wrong")

    @settings(max_examples=25, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=cases)
    def ask(case):
        case.call_and_validate(headers={"Host": "127.0.0.1"})

    ask()


def test_every_operation_is_asked(described):
    assert {path for path in described} == {f"/api/v1/{name}" for name in OPERATIONS}  # noqa: C416
