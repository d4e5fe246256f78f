"""Tools that some tests need and no Python package brings: one sentence when one is missing, the same for all tests."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

BRINGS_ALL = "make test-tools"


def missing(tool: str, brought_by: str = f"`{BRINGS_ALL}` brings it") -> NoReturn:
    """Skip a test for want of a tool; where `CI` is set every test must run, so there it fails."""
    reason = f"{tool} is missing; {brought_by}"
    if os.environ.get("CI"):
        pytest.fail(f"{reason}, and with CI set every test must run", pytrace=False)
    pytest.skip(reason)
