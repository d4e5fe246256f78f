"""The command line. Commands import what they need when they run, so that `--help` is quick."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NoReturn

import cyclopts
from cyclopts import App

from transactive import __version__
from transactive.cli.agent.commands import agent
from transactive.cli.assistant.command import mcp
from transactive.cli.bench.commands import bench
from transactive.cli.bill.commands import bill
from transactive.cli.certificates.commands import certificates
from transactive.cli.chain.certificate_commands import chain
from transactive.cli.clear.commands import clear
from transactive.cli.community.commands import check, config, init
from transactive.cli.compare.command import compare
from transactive.cli.credits.commands import credits_app
from transactive.cli.damage import damage_of, forget_states
from transactive.cli.detect.commands import detect
from transactive.cli.feed.commands import feed
from transactive.cli.forecast.commands import forecast
from transactive.cli.govern.duties import govern
from transactive.cli.grid.commands import grid
from transactive.cli.insights.command import insights
from transactive.cli.keys.commands import keys as keys_app
from transactive.cli.live.commands import journal, live
from transactive.cli.models.commands import models as models_app
from transactive.cli.node.commands import node
from transactive.cli.notices.commands import notices
from transactive.cli.old_spellings import respelled
from transactive.cli.openadr.commands import openadr
from transactive.cli.predict.stakes import predict
from transactive.cli.privacy.commands import privacy
from transactive.cli.readings.commands import app as readings_app
from transactive.cli.readings.commands import import_readings
from transactive.cli.run.commands import run, serve
from transactive.cli.run.demo import demo
from transactive.cli.s2.commands import s2
from transactive.cli.schedule.commands import schedule
from transactive.cli.state.commands import state as state_app
from transactive.cli.statement.commands import statement, verify
from transactive.cli.surroundings import exit_code, give_up_output, heeding_signals, in_utf8, open_outputs, require_utf8
from transactive.cli.token.commands import token
from transactive.cli.usage import explained
from transactive.cli.watch.command import watch
from transactive.core.errors import StateError, TransactiveError
from transactive.core.installed import named_extras

USAGE = 2
NO_MEMORY = "there is not enough memory; close other programs, or take fewer members or days"
SHORT_OF_MEMORY: tuple[tuple[type[Exception], str], ...] = (
    (ImportError, "failed to map"),
    (SystemError, "without exception set"),
)
"""What libraries and native code raise in place of a MemoryError."""
OF_SYSTEM = 71
"""The system refused something that no other code stands for. Source: sysexits.h, EX_OSERR."""

app = App(
    name="transactive",
    help="A local energy market that anyone can run: from the meter to money, carbon and a chain.",
    version=__version__,
    version_flags=["--version"],
    help_flags=["--help", "-h"],
    suppress_keyboard_interrupt=False,
)


for command in (
    demo, watch, init, run, live, journal, node, check, readings_app, clear, compare, forecast, schedule, feed,
    govern, predict, grid, detect, config, serve, agent, bill, certificates, chain, insights, state_app, statement,
    verify, keys_app, models_app, credits_app, token, privacy, notices, mcp, openadr, s2, bench,
):  # fmt: skip
    app.command(command)
app.command(import_readings, name="import")


def main(tokens: Sequence[str] | None = None) -> None:
    """Run a command line; errors are one line on stderr and an exit code."""
    if tokens is None:
        in_utf8()
        open_outputs()
    given = sys.argv[1:] if tokens is None else tokens
    forget_states()
    try:
        with named_extras(), heeding_signals():
            require_utf8(given)
            app(respelled(given), exit_on_error=False, print_error=False)
            sys.stdout.flush()
    except cyclopts.CycloptsError as error:
        _fail(explained(error), "usage", USAGE)
    except TransactiveError as error:
        _fail_by_damage(error)
        _fail(str(error), error.code, error.exit_code)
    except KeyboardInterrupt as stop:
        sys.exit(exit_code(stop))
    except BrokenPipeError:  # the reader of a pipe has seen enough
        give_up_output(sys.stdout)
        sys.exit(1)
    except MemoryError:
        _fail(NO_MEMORY, "memory", OF_SYSTEM)
    except OSError as error:
        give_up_output(sys.stdout)
        where = error.filename or "output"
        _fail(
            f"{where}: {error.strerror or error}; free space or permissions, then run the same again",
            "system",
            OF_SYSTEM,
        )
    except Exception as error:
        if any(isinstance(error, kind) and words in str(error) for kind, words in SHORT_OF_MEMORY):
            _fail(NO_MEMORY, "memory", OF_SYSTEM)
        _fail_by_damage(error)
        raise


def _fail_by_damage(error: Exception) -> None:
    """Name what is damaged in a state that this command opened, if the error comes from that, and exit."""
    try:
        said = damage_of(error)
    except MemoryError:
        _fail(NO_MEMORY, "memory", OF_SYSTEM)
    if said:
        _fail(said, StateError.code, StateError.exit_code)


def _fail(message: str, code: str, exit_code: int) -> NoReturn:
    print(f"transactive: {code}: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(exit_code)
