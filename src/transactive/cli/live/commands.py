"""`transactive live` and `journal`: the commands with their options; what they do is imported when they run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from transactive.cli.quantities import Seconds, Share
from transactive.core.errors import InputError

Flag = Annotated[bool, Parameter(negative="")]

journal = App(name="journal", help="What came in while a market was live, in the order in which it counted.")


def live(
    community: Path,
    *,
    broker: str | None = None,
    days: int = 365,
    from_recording: Flag = False,
    speed: float | None = None,
    patience: Seconds = 120,
    spread: Seconds = 20,
    late: Share = 0.0,
    late_by: Seconds = 7_200,
    state: Path | None = None,
    page: Annotated[bool, Parameter(negative="--no-page")] = True,
    stay: Flag = False,
    port: int = 8080,
    seed: str = "transactive",
    node: str | None = None,
    deployment: Path | None = None,
    final_blocks: int = 32,
    json: Flag = False,
) -> None:
    """Run a community's market live: gates close by the clock, meters report, late ones settle as traded.

    With --broker boxes at meters report over it; see `node invite`. With --from-recording homes follow a recording, and
    a box at each meter signs what it counts: without --speed time goes from event to event, as fast as it can, and the
    outcome is that of `run` on the same readings, to the hash. After Ctrl-C or worse the same command goes on.

    Parameters
    ----------
    community
        Community file, as `init` writes it.
    broker
        Where boxes report: mqtt://[USER:PASSWORD@]HOST[:PORT], or mqtts:// with TLS and ?ca=FILE&cert=FILE&key=FILE.
    days
        How long the market is open, from its first slot on.
    from_recording
        Rehearse: the readings that the file names are what the homes do.
    speed
        Seconds of the market in one second on the wall, such as 1800.
    patience
        How long after its end a slot waits for meters [s], or with a unit such as 2min.
    spread
        Within what time after a slot's end meters report, each at a moment of its own [s].
    late
        What share of a rehearsal's reports comes late, such as 0.02 or 2%.
    late_by
        How much later those come [s], or with a unit such as 2h.
    state
        Folder for journal, database and chain; without it a folder beside the community file.
    page
        Serve the page while the market is open.
    stay
        Keep serving the page after the last slot, until Ctrl-C.
    port
        Where the page is served; the next free port if it is busy.
    seed
        Seed of the demo keys that sign.
    node
        Chain on which members decide: a number counts from the first open gate on once its block is final. With the
        chain away the rules that were known last go on.
    deployment
        Its contracts, with a governor.
    final_blocks
        Blocks on top of one after which it counts as final.
    json
        Print the summary as one JSON object on stdout, and nothing else there.
    """
    from transactive.cli.live.rehearsal import GovernorOption, run_live, run_with_boxes
    from transactive.core.units import PPM
    from transactive.engine.live.session import Pace

    if from_recording == (broker is not None):
        raise InputError("live: give --broker where boxes report, or --from-recording to rehearse on the readings")
    if (node is None) != (deployment is None) or final_blocks < 0:
        raise InputError("live: --node and --deployment go together, and --final-blocks is 0 or more")
    governor = None if node is None or deployment is None else GovernorOption(node, deployment, final_blocks)
    pace = Pace(speed, patience, spread, round(late * PPM), late_by)
    served = port if page or stay else None
    if broker is None:
        run_live(community, pace, governor, state=state, json=json, port=served, stay=stay, seed=seed)
    else:
        run_with_boxes(
            community, pace, governor, broker, days, state=state, json=json, port=served, stay=stay, seed=seed
        )


@journal.command
def replay(file: Path, community: Path, *, state: Path, seed: str = "transactive", json: Flag = False) -> None:
    """Run the slots that a journal settles, anew: a live session is a replay of its journal, to the hash.

    Parameters
    ----------
    file
        Journal of a live session, journal.sqlite in its folder.
    community
        Community file of the session.
    state
        Another folder, for the database and chain of the replay.
    seed
        Seed of the demo keys of the session.
    json
        Print the summary as one JSON object on stdout, and nothing else there.
    """
    from transactive.cli.live.rehearsal import run_journal

    run_journal(file, community, state, seed=seed, json=json)


@journal.command
def show(file: Path, *, json: Flag = False) -> None:
    """Say what a journal holds: its records by meter, the slots that it settles, and what came late.

    Parameters
    ----------
    file
        Journal of a live session, journal.sqlite in its folder.
    json
        Print it as one JSON object on stdout, and nothing else there.
    """
    from transactive.cli.live.contents import show_journal

    show_journal(file, json=json)
