"""Commands that pages show to be copied: each does in a shell what it says, whatever the folder is called."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from datetime import UTC
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from transactive.web.pages import carbon, compare, member, verify

FOLDER = Path("/tmp/our state; touch $(here) `there`")


READER: Any = SimpleNamespace(store=SimpleNamespace(path=FOLDER / "market.sqlite"))

SHOWN: dict[str, Callable[[], list[str]]] = {
    "carbon": lambda: carbon._commands(FOLDER, "ada"),
    "compare": lambda: [compare.compare_page(None, FOLDER, UTC)["command"]],
    "member": lambda: member._commands(READER, "ada"),
    "verify": lambda: [command for _, command in verify._commands(FOLDER, "-a b.json")],
}


@pytest.mark.parametrize("page", SHOWN)
def test_a_folder_is_one_word_of_every_command(page):
    found = 0
    for command in SHOWN[page]():
        words = shlex.split(command)
        assert words[0] == "transactive"
        if "--state" in words:
            assert words[words.index("--state") + 1] == str(FOLDER)
            found += 1
        assert not any(mark in word for word in words for mark in ";$`" if word != str(FOLDER))
    assert found
