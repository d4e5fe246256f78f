"""The command line. Commands import what they need when they run, so that `--help` is quick."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import cyclopts
from cyclopts import App, Parameter

from transactive import __version__
from transactive.cli.agent.commands import agent
from transactive.cli.assistant.command import mcp
from transactive.cli.bill.commands import bill
from transactive.cli.certificates.commands import certificates
from transactive.cli.chain.exit import chain
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
from transactive.cli.old_spellings import respelled
from transactive.cli.readings.commands import app as readings_app
from transactive.cli.readings.commands import import_readings
from transactive.cli.run.demo import demo
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


app.command(demo)
app.command(watch)


@app.command
def init(folder: Path, *, preset: str | None = None) -> None:
    """Write a commented example of a community, with readings, that runs as it is.

    Parameters
    ----------
    folder
        Where community.toml, readings.csv and credits.toml are written; no file is replaced.
    preset
        A law's model of sharing in place of a market, such as at-eeg-dynamic; docs/concepts/sharing.md lists them.
    """
    from transactive.cli.community.commands import write_example

    write_example(folder, preset)


@app.command
def run(
    community: Path,
    *,
    state: Path | None = None,
    json: Annotated[bool, Parameter(negative="")] = False,
    page: Annotated[bool, Parameter(negative="--no-page")] = True,
    stay: Annotated[bool, Parameter(negative="")] = False,
    port: int = 8080,
    seed: str = "transactive",
    compiled: Annotated[bool, Parameter(negative="")] = False,
    node: str | None = None,
    deployment: Path | None = None,
    token: str | None = None,
    keys: Path | None = None,
    password_file: Path | None = None,
    discard_chain: Annotated[bool, Parameter(negative="")] = False,
    accept_corrections: str | None = None,
    profile: str | None = None,
) -> None:
    """Run a community's recorded data; after an interruption, or with more readings, the same command goes on.

    A reading that was settled and is another one now is settled again, as a difference in the next slot.

    Parameters
    ----------
    community
        Community file, as `init` writes it.
    state
        Folder for database and chain; without it a folder beside the community file.
    json
        Print the summary as one JSON object on stdout, and nothing else there.
    page
        Serve the page while the run goes on.
    stay
        Keep serving the page after the run, until Ctrl-C.
    port
        Where the page is served; the next free port if it is busy.
    seed
        Seed of the demo keys that sign, without --keys.
    compiled
        Use compiled code on all processors. It takes seconds to start, so it pays from a few hundred homes on. Needs
        the extra `compiled`; the result is the same.
    node
        Settle on a node elsewhere: http(s)://, ws(s):// or ipc:PATH; without it on a chain in the state folder.
    deployment
        File that `chain deploy` wrote; without it the run deploys its own contracts.
    token
        Address of an ERC-20 of nine decimals to settle in; the on-ramp needs to hold what is staked and paid in.
    keys
        Folder of your own keys, as `keys new` makes it; needed on every chain but a development one.
    password_file
        File whose first line is the password of the keys; otherwise TRANSACTIVE_PASSWORD, or it is asked for.
    discard_chain
        Begin anew although the chain in the state folder has committed slots that the database does not have: that
        chain is deleted, with all that it proves.
    accept_corrections
        Your word for readings that correct more than 1 % of the settled ones: the 16 digits that `run` told with them.
    profile
        How to read the readings: the name of a profile that ships, or a TOML file; without it the one of the
        community file, or it is found.
    """
    from transactive.cli.run.command import run_community

    run_community(
        community,
        state=state,
        json=json,
        page=page,
        stay=stay,
        port=port,
        seed=seed,
        compiled=compiled,
        node=node,
        deployment=deployment,
        token=token,
        keys=keys,
        password_file=password_file,
        discard_chain=discard_chain,
        accept_corrections=accept_corrections,
        profile=profile,
    )


app.command(live)
app.command(journal)
app.command(node)


@app.command
def check(community: Path, *, profile: str | None = None) -> None:
    """Validate a community file and its data without running anything.

    Parameters
    ----------
    community
        Community file.
    profile
        How to read the readings: the name of a profile that ships, or a TOML file; without it the one of the
        community file, or it is found.
    """
    from transactive.cli.community.commands import check_community

    check_community(community, profile)


app.command(import_readings, name="import")
app.command(readings_app)


@app.command
def clear(
    orders: Path,
    *,
    mechanism: str = "uniform",
    output: Annotated[Path, Parameter(alias="-o")],
    trades: Annotated[Path | None, Parameter(alias="-t")] = None,
    svg: Path | None = None,
    network: Path | None = None,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Clear an order file: writes the allocation, the trades and a picture of the merit order.

    Parameters
    ----------
    orders
        CSV or Parquet with id, side (buy or sell), price_micro_per_kwh, energy_wh, member; any price, also negative.
        Order kinds, listings and preferences have columns of their own: see docs/concepts/mechanisms.md.
    mechanism
        How to clear: uniform, pay_as_bid, continuous, listings, preferences or locational.
    output
        CSV of what each order got: id, allocated_wh, price_micro_per_kwh, money_n.
    trades
        CSV of who traded with whom.
    svg
        Picture of the merit order.
    network
        For locational, with a column node: TOML with nodes (the grid's side first) and [[lines]] of from, to, limit_wh
        and, as known, limit_back_wh, loss_ppm or loss_at_limit_ppm, reactance; or JSON of pandapower.
    json
        Print the figures as one JSON object on stdout, and nothing else there.
    """
    from transactive.cli.clear.command import run_clear

    run_clear(orders, mechanism=mechanism, allocation=output, trades=trades, svg=svg, json=json, network=network)


app.command(compare)


app.command(forecast)
app.command(schedule)
app.command(feed)
app.command(govern)
app.command(grid)
app.command(detect)


config = App(name="config", help="Community files.")
app.command(config)


@config.command
def schema() -> None:
    """Print the JSON Schema of a community file, for editors."""
    from transactive.cli.community.commands import print_schema

    print_schema()


@app.command
def serve(*, state: Path, port: int = 8080, host: str = "127.0.0.1") -> None:
    """Serve the page and the API over the state of a run.

    Parameters
    ----------
    state
        Folder of the run.
    port
        Where they are served; the next free port if it is busy.
    host
        Address to listen on; any but this machine's own needs a token first.
        At this machine a printed link lets your browser in.
    """
    from transactive.cli.run.serve import serve_state

    serve_state(state, port, host)


app.command(agent)
app.command(bill)
app.command(certificates)
app.command(chain)
app.command(insights)
app.command(state_app)
app.command(statement)
app.command(verify)
app.command(keys_app)
app.command(models_app)
app.command(credits_app)
app.command(token)
app.command(mcp)


@app.command
def bench(
    *names: str,
    json: Annotated[bool, Parameter(negative="")] = False,
    shards: Annotated[bool, Parameter(negative="")] = False,
    runs: int | None = None,
) -> None:
    """Measure the project's figures against a reference in the same run.

    Exits with 1 if a target does not hold.

    Parameters
    ----------
    names
        Benches to run; without a name all but `store`, `shards` and `country`, which take minutes and gigabytes.
    json
        Print the report as one JSON object on stdout, and nothing else there.
    shards
        Run the bench `shards` too: 10^8 orders over processes.
    runs
        Runs of which `store` takes the median, in place of five with 500 members and one with 4,090.

    """
    from transactive.cli.bench import run_benches

    sys.exit(run_benches((*names, "shards") if shards else names, json=json, runs=runs))


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
