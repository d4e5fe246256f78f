"""Errors for who calls a function: an option of the command line is named as the argument that it is here."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from transactive.core.errors import InputError
from transactive.core.installed import named_extras

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")
OPTION = re.compile(r"--([a-z][a-z-]*)")


def spoken(function: Callable[Arguments, Answer]) -> Callable[Arguments, Answer]:
    """Let a function of the face name arguments in what it raises, and the extra that is missing."""

    @wraps(function)
    def said(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Answer:
        try:
            with named_extras():
                return function(*args, **kwargs)
        except InputError as error:
            error.args = (as_arguments(str(error)),)
            raise

    return said


def as_arguments(text: str) -> str:
    """A message with `--test-days` as `test_days`, and without the advice to ask a command for help."""
    return OPTION.sub(lambda found: found[1].replace("-", "_"), text.removesuffix("; see --help"))
