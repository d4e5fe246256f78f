"""What holds for all tests: how Hypothesis draws, and what is said at the end of those that did not run."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "transactive",
    deadline=None,  # how fast a machine is shows nothing about the program
    suppress_health_check=[HealthCheck.too_slow],  # for the same reason
    print_blob=True,
    derandomize=bool(os.environ.get("CI")),  # what decides on a change says the same twice; people's machines explore
)
settings.load_profile("transactive")


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
