"""`transactive node …`: the box at a meter. Commands import what they need when they run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from transactive.cli.node.market_commands import confirm, invite, limit
from transactive.cli.quantities import Price, Seconds
from transactive.cli.report import report
from transactive.core.slots import HOUR

Flag = Annotated[bool, Parameter(negative="")]
node = App(name="node", help="The box at a meter: reads it, signs what it counts, and hands that over to the market.")

node.command(invite)
node.command(confirm)
node.command(limit)


@node.command
def account(folder: Path, *, json: Flag = False) -> None:
    """Make a member's own key in the folder of its box, before the meter is invited: then the box trades for it.

    Example: transactive node account box

    Parameters
    ----------
    folder
        Folder of the box; it is made.
    json
        Print the address as one JSON object on stdout, and nothing else there.
    """
    from transactive.cli.node.actions import make_own_account

    report(make_own_account(folder), json=json)


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
    never_pay_above: Price | None = None,
    sell_only_above: Price | None = None,
    chain: str = "",
    direct: str = "",
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
    never_pay_above
        Most that a buy of a box may bid that trades, µ¤/kWh or such as "20 ct/kWh"; without it no limit.
    sell_only_above
        Least that a sell of it may ask, µ¤/kWh or such as "10 ct/kWh"; without it no limit.
    chain
        Node of the market's chain, http(s)://…, that what is settled is read from too, or `copy`: of a market with a
        chain of its own the box executes every block itself (extra `chain`). Without it the box holds against its
        market what it has itself.
    direct
        Where the box meets others to trade with them itself, in a market whose mechanism is `direct`: TRANSPORT:PLACE,
        such as udp:192.168.1.10. Without it the box tells nobody what its home wants, and deals with nobody.
    json
        Print it as one JSON object on stdout, and nothing else there.
    """
    from transactive.cli.node.actions import MeterOptions, init_box
    from transactive.core.community.limits import NO_HIGHEST, NO_LOWEST

    highest = NO_HIGHEST if never_pay_above is None else never_pay_above
    lowest = NO_LOWEST if sell_only_above is None else sell_only_above
    settings = MeterOptions(
        meter, profile, secret, winter_hours, home_assistant, metrics, highest, lowest, chain, direct
    )  # fmt: skip
    made = init_box(folder, community, broker, settings, code, slot_minutes)
    report(made, json=json)


@node.command(name="run")
def run_box(folder: Path, *, quiet: Flag = False, challenge: Flag = False) -> None:
    """Run a box until Ctrl-C: what it signs is on its disk first, and nothing is forgotten before the market has it.

    It holds each slot that the market settles against its own records, orders and receipts, says loudly what is wrong,
    and keeps the evidence.

    Parameters
    ----------
    folder
        Folder of the box.
    quiet
        Say only what goes wrong.
    challenge
        Bring what is wrong before the judge contract by itself, with the key of the member's account or the box's own;
        needs a node of the chain (`chain` in box.toml) and the extra `chain`.
    """
    from transactive.cli.node.actions import run_until_interrupted

    run_until_interrupted(folder, quiet=quiet, challenge=challenge)


@node.command
def challenge(folder: Path, *, slot: int | None = None, node: str | None = None, json: Flag = False) -> None:
    """Bring what a box has found wrong before the judge contract, from the evidence that it has kept.

    Example: transactive node challenge box --node http://127.0.0.1:8545

    Parameters
    ----------
    folder
        Folder of the box.
    slot
        Number of the slot, as its folder in `evidence` is named; without it the newest one that is wrong.
    node
        Node of the market's chain, http(s)://…; without it the one in box.toml.
    json
        Print it as one JSON object on stdout, and nothing else there.
    """
    from transactive.cli.node.challenging import challenge_slot

    report(challenge_slot(folder, slot, node), json=json)


@node.command
def pause(folder: Path, *, json: Flag = False) -> None:
    """Pause a box: it measures and reports, and neither trades nor moves a device, whatever anybody tells it.

    Parameters
    ----------
    folder
        Folder of the box.
    json
        Print it as one JSON object on stdout, and nothing else there.
    """
    from transactive.cli.node.actions import switch

    report(switch(folder, paused=True), json=json)


@node.command
def resume(folder: Path, *, json: Flag = False) -> None:
    """Let a paused box trade and move its devices again.

    Parameters
    ----------
    folder
        Folder of the box.
    json
        Print it as one JSON object on stdout, and nothing else there.
    """
    from transactive.cli.node.actions import switch

    report(switch(folder, paused=False), json=json)


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
