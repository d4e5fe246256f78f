"""What holds for all tests: how Hypothesis draws, and what is said at the end of those that did not run."""

from __future__ import annotations

import gc
import os
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "transactive",
    max_examples=50,
    deadline=None,  # how fast a machine is shows nothing about the program
    suppress_health_check=[HealthCheck.too_slow],  # for the same reason
    print_blob=True,
    derandomize=bool(os.environ.get("CI")),  # what decides on a change says the same twice; people's machines explore
)
settings.register_profile("long", settings.get_profile("transactive"), max_examples=200)  # in `make test-long`
settings.load_profile("transactive")

gc.set_threshold(50_000, 20, 20)  # to look again and again through modules and tests, which stay, takes minutes

LONGEST_FILES = (
    "test_readme",
    "test_page",
    "test_hashes",
    "test_group_runs",
    "test_node_faults",
    "test_joining",
    "test_live",
    "test_older_states",
    "test_openadr",
    "test_corrected_readings",
    "test_demo",
    "test_live_decisions",
    "test_api_fuzz",
    "test_member_acts_page",
    "test_artifacts",
    "test_api",
    "test_docs",
    "test_deciding",
    "test_upgrade_kills",
    "test_drafts",
    "test_certificates",
    "test_direct_run",
    "test_surroundings",
    "test_settlement_mechanisms",
    "test_carbon_accounting",
    "test_structure",
)
"""Begun first, so that at the end no worker is alone with one of them."""


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: some tests wait for processes, ports and times, and leave theirs free."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first; the rest keeps its order."""
    places = {name: place for place, name in enumerate(LONGEST_FILES)}
    items.sort(key=lambda item: places.get(item.path.stem, len(places)))


def pytest_collection_finish() -> None:
    """Let the collector look no more at what there is now."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    """Say below everything else which tests were skipped, by reason; each reason names what brings the missing tool."""
    yield
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or hasattr(session.config, "workerinput"):
        return
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in reporter.stats.get("skipped", []))
    for reason, tests in sorted(reasons.items()):
        reporter.write_line(f"skipped {tests} test{'s' if tests > 1 else ''}: {reason}", yellow=True)
