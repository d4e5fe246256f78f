"""`transactive node …`: the box at a meter. Commands import what they need when they run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from transactive.cli.quantities import Seconds
from transactive.cli.report import report
from transactive.core.slots import HOUR

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
    confirm: Flag = False,
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
    confirm
        The code alone is not enough: the box is let in by `node confirm`, once its address was compared.
    json
        Print it as one JSON object on stdout, and nothing else there.
    """
    from transactive.cli.node.actions import invite_member

    report(invite_member(community, member, broker, state, minutes * 60, confirm=confirm), json=json)


@node.command
def confirm(community: Path, member: str, meter: str, *, state: Path | None = None, json: Flag = False) -> None:
    """Let a meter in that was invited with --confirm. The operator's command, where the market runs.

    Parameters
    ----------
    community
        Community file.
    member
        Whose meter it is.
    meter
        Address that its box shows (`node init` prints it).
    state
        Folder of the live market; without it a folder beside the community file.
    json
        Print it as one JSON object on stdout, and nothing else there.
    """
    from transactive.cli.node.actions import confirm_meter

    report(confirm_meter(community, member, meter, state), json=json)


@node.command
def init(
    folder: Path,
    *,
    community: str,
    broker: str,
    meter: str,
    code: str,
    slot_minutes: int,
    profile: str = "dsmr-p1",
    secret: str = "",
    winter_hours: int = 1,
    home_assistant: str = "",
    metrics: str = "",
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
        Where the meter is: tcp://HOST:PORT, serial:///dev/ttyUSB0, http://HOST, mqtt://BROKER/NAME or modbus://HOST/UNIT.
    code
        Of the invitation.
    slot_minutes
        Length of the market's slots.
    profile
        Kind of the meter, as `node profiles` lists them, or the file of a profile of your own.
    secret
        File with the meter's token or key, where it wants one.
    winter_hours
        How far the meter's winter time is ahead of UTC: 1 in the Netherlands, 0 in Ireland.
    home_assistant
        Broker of the home, if the box shall appear in its Home Assistant: mqtt://[USER:PASSWORD@]HOST[:PORT].
    metrics
        Where Prometheus asks how the box is, such as 127.0.0.1:9464.
    json
        Print it as one JSON object on stdout, and nothing else there.
    """
    from transactive.cli.node.actions import MeterOptions, init_box

    settings = MeterOptions(meter, profile, secret, winter_hours, home_assistant, metrics)
    made = init_box(folder, community, broker, settings, code, slot_minutes)
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
def probe(
    meter: str,
    *,
    profile: str = "dsmr-p1",
    secret: str = "",
    winter_hours: int = 1,
    count: int = 1,
    wait: Seconds = 30,
    json: Flag = False,
) -> None:
    """Say what a meter says, without recording it.

    Parameters
    ----------
    meter
        Where it is: tcp://HOST:PORT, serial:///dev/ttyUSB0, http://HOST, mqtt://BROKER/NAME, modbus://HOST/UNIT, or a
        file with what it sent.
    profile
        Its kind, as `node profiles` lists them, or the file of a profile of your own.
    secret
        File with its token or key, where it wants one.
    winter_hours
        How far the meter's winter time is ahead of UTC.
    count
        How many messages are read; each is told as it comes.
    wait
        How long a meter may say nothing [s].
    json
        Print it as one JSON object on stdout, and nothing else there.
    """
    from transactive.cli.node.probing import probe_meter

    live = count > 1 and not json
    report(probe_meter(meter, profile, secret, winter_hours * HOUR, count, wait, live=live), json=json)


@node.command
def profiles(*, json: Flag = False) -> None:
    """List the kinds of meters that a box can read, and what each was proved with.

    Parameters
    ----------
    json
        Print it as one JSON object on stdout, and nothing else there.
    """
    from transactive.cli.node.probing import known_profiles

    report(known_profiles(), json=json)
