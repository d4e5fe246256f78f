"""`transactive node …`: the box at a meter. Commands import what they need when they run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from transactive.cli.quantities import Seconds
from transactive.cli.report import report

Flag = Annotated[bool, Parameter(negative="")]
node = App(name="node", help="The box at a meter: reads it, signs what it counts, and hands that over to the market.")


@node.command
def invite(
    community: Path,
    member: str,
    *,
    broker: str,
    state: Path | None = None,
    minutes: int = 30,
    json: Flag = False,
) -> None:
    """Invite a member's meter: prints what is typed at its box. The operator's command, where the market runs.

    Example: transactive node invite c/community.toml ada --broker mqtt://192.168.1.10

    Parameters
    ----------
    community
        Community file.
    member
        Whose meter it is.
    broker
        Where boxes report: mqtt://HOST, or mqtts://HOST with TLS.
    state
        Folder of the live market; without it a folder beside the community file.
    minutes
        How long the invitation holds; it is used once.
    json
        Print it as one JSON object on stdout, and nothing else there.
    """
    from transactive.cli.node.actions import invite_member

    report(invite_member(community, member, broker, state, minutes * 60), json=json)


@node.command
def init(
    folder: Path,
    *,
    community: str,
    broker: str,
    meter: str,
    code: str,
    slot_minutes: int,
    winter_hours: int = 1,
    json: Flag = False,
) -> None:
    """Make a box: its settings, and a key that never leaves the folder.

    Example: transactive node init box --community green-street --broker mqtt://192.168.1.10
    --meter tcp://192.168.1.20:2001 --slot-minutes 15 --code AAAAA-BBBBB-CCCCC-DDDDD

    Parameters
    ----------
    folder
        Where settings, key and outbox are kept.
    community
        Its name on the broker, as `node invite` prints it.
    broker
        Where the box reports: mqtt://[USER:PASSWORD@]HOST[:PORT], or mqtts:// with TLS and ?ca=FILE&cert=FILE&key=FILE.
    meter
        P1 port of the meter on the network: tcp://HOST:PORT.
    code
        Of the invitation.
    slot_minutes
        Length of the market's slots.
    winter_hours
        How far the meter's winter time is ahead of UTC: 1 in the Netherlands, 0 in Ireland.
    json
        Print it as one JSON object on stdout, and nothing else there.
    """
    from transactive.cli.node.actions import init_box

    made = init_box(folder, community, broker, meter, code, slot_minutes, winter_hours)
    report(made, json=json)


@node.command(name="run")
def run_box(folder: Path, *, quiet: Flag = False) -> None:
    """Run a box until Ctrl-C: what it signs is on its disk first, and nothing is forgotten before the market has it.

    Parameters
    ----------
    folder
        Folder of the box.
    quiet
        Say only what goes wrong.
    """
    from transactive.cli.node.actions import run_until_interrupted

    run_until_interrupted(folder, quiet=quiet)


@node.command
def probe(meter: str, *, winter_hours: int = 1, count: int = 1, wait: Seconds = 30, json: Flag = False) -> None:
    """Say what a meter says, without recording it.

    Parameters
    ----------
    meter
        P1 port of the meter on the network, tcp://HOST:PORT, or a file with telegrams.
    winter_hours
        How far the meter's winter time is ahead of UTC.
    count
        How many telegrams are read.
    wait
        How long a meter may say nothing [s].
    json
        Print it as one JSON object on stdout, and nothing else there.
    """
    from transactive.cli.node.probing import probe_meter

    report(probe_meter(meter, winter_hours, count, wait), json=json)
