"""Read a model's file in a child process first: a file that crashes a parser, or never ends, is a refused model.

A library's own parser is native code, which a changed file can take down with the whole process. The child may use
so much memory and time and no more; it reads the model and lets it forecast once. Run as
`python -m transactive.engine.models.trial_reading` with the file on standard input.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys

import numpy as np

from transactive.core.errors import DataError, InputError
from transactive.core.slots import DAY
from transactive.forecasting.models.model_file import digest, opened, restored
from transactive.forecasting.series import History

MEMORY = 4 << 30
"""Bytes of addresses that the child may have; libraries alone take one to two GiB of them."""
SECONDS, PATIENCE = 20, 120
"""Of processor time, and until an answer on a busy machine."""
DAYS, REFUSED = 60, 3
"""Days of a made-up history to forecast from, and the child's exit code for a file that it can name the fault of."""


def try_reading(data: bytes, name: str) -> None:
    """Have a child read a model's bytes. `name` is of the file, for messages. Raises DataError where it did not."""
    command = [sys.executable, "-P", "-m", "transactive.engine.models.trial_reading"]
    alone = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    try:
        done = subprocess.run(  # noqa: S603 - our own
            command, input=data, capture_output=True, timeout=PATIENCE, check=False, env=os.environ | alone
        )
    except subprocess.TimeoutExpired:
        raise DataError(_refused(name, f"was not read within {PATIENCE} s")) from None
    if done.returncode == REFUSED:
        raise DataError(f"model {name}: {done.stdout.decode(errors='replace').strip()}")
    if done.returncode:
        raise DataError(_refused(name, f"ended the process that read it first ({_how(done.returncode)})"))


def _refused(name: str, what: str) -> str:
    return f"model {name}: {what}; put the original back, or roll back to another model"


def _how(code: int) -> str:
    """An exit code in words."""
    if code >= 0:
        return f"exit code {code}, as with too little memory"
    with contextlib.suppress(ValueError):
        return signal.Signals(-code).name
    return f"signal {-code}"


def main() -> None:
    """Read the model on standard input within the limits, and let it forecast once."""
    _limit()
    data = sys.stdin.buffer.read()
    try:
        file = opened(data, digest(data), "")
        model = restored(file, "")
    except InputError as error:
        print(str(error).removeprefix("model : "))
        sys.exit(REFUSED)
    values = np.full((DAYS * DAY // file.learnt.slot_seconds, 2), 300.0)
    with contextlib.suppress(ArithmeticError, LookupError, TypeError, ValueError, DataError):
        model.predict(History(0, file.learnt.slot_seconds, values), file.learnt.horizon)  # fit for other series perhaps


def _limit() -> None:
    """Bound memory and time, where the system can, and leave no core file."""
    try:
        import resource
    except ModuleNotFoundError:  # Windows
        return
    for what, most in ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CPU, SECONDS), (resource.RLIMIT_CORE, 0)):
        hard = resource.getrlimit(what)[1]
        with contextlib.suppress(ValueError, OSError):  # macOS refuses a limit of addresses
            resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


if __name__ == "__main__":
    main()
