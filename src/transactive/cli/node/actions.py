"""What `transactive node …` does."""

from __future__ import annotations

import re
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

from transactive.config.community_file import load
from transactive.core.boxes.enrolment import topic_name
from transactive.core.community.limits import NO_HIGHEST, NO_LOWEST
from transactive.core.errors import InputError
from transactive.core.slots import HOUR, SLOT_MINUTES, time_text
from transactive.links.addresses import broker_parts
from transactive.links.direct.transport import load as load_transport
from transactive.links.evm import EvmNode
from transactive.links.sources.address import open_meter
from transactive.node.settings import COPY, BoxSettings, box_key, box_settings, make_box, meter_address

CHAIN_ID = 31337
"""Chain that records are signed for, as the market's readings are."""


def invite_member(
    path: Path,
    member: str,
    broker: str,
    state: Path | None,
    seconds: int,
    *,
    confirm: bool = False,
    account: str | None = None,
) -> dict[str, Any]:
    """Invite a member's meter. confirm: `confirm_meter` has to follow. Raises InputError for nobody.

    account: address of the member's own, whose key its box or it alone has.
    """
    from transactive.cli.chain_options import address_of
    from transactive.engine.live.boxes.own_accounts import add_account
    from transactive.engine.live.invitations import Invitations
    from transactive.store.folder import make_private

    broker_parts(broker)
    community = load(path)
    if member not in community.ids:
        raise InputError(f"{member}: is no member of {path.name}; members are {', '.join(community.ids)}")
    folder = state or path.parent / f"{path.stem}.live"
    make_private(folder)
    if account is not None:
        add_account(folder, community.ids.index(member), address_of(account, "--account"), int(time.time()))
    made = Invitations(folder).add(community.ids.index(member), int(time.time()), seconds, confirm=confirm)
    minutes, name = community.clock.length // 60, topic_name(community.name)
    return {
        "member": member,
        "community": name,
        "code": made.code,
        "until": time_text(made.until),
        "at_the_box": f"transactive node init box --community {name} --broker {broker} --slot-minutes {minutes}"
        f" --code {made.code} --meter tcp://HOST:PORT",
    }


def confirm_meter(path: Path, member: str, meter: str, state: Path | None) -> dict[str, Any]:
    """Let a meter use a member's invitation. Raises InputError for nobody, no address and no open invitation."""
    from transactive.engine.live.invitations import Invitations

    community = load(path)
    if member not in community.ids:
        raise InputError(f"{member}: is no member of {path.name}; members are {', '.join(community.ids)}")
    if not re.fullmatch(r"0x[0-9a-f]{40}", meter.lower()):
        raise InputError(f"{meter}: write the address that the box shows, 0x and 40 hexadecimal digits")
    folder = state or path.parent / f"{path.stem}.live"
    Invitations(folder).confirm(community.ids.index(member), meter.lower(), int(time.time()))
    return {"member": member, "meter": meter.lower(), "next": "the market enrols it as soon as its box asks again"}


class MeterOptions(NamedTuple):
    """What people say of a meter."""

    meter: str
    profile: str = "dsmr-p1"
    secret: str = ""
    winter_hours: int = 1
    home_assistant: str = ""
    metrics: str = ""
    highest_buy: int = NO_HIGHEST
    lowest_sell: int = NO_LOWEST
    chain: str = ""
    direct: str = ""


def init_box(
    folder: Path, community: str, broker: str, meter: MeterOptions, code: str, slot_minutes: int
) -> dict[str, Any]:
    """Make a box. Raises InputError for slots that no market has, and for addresses and profiles that are none."""
    if slot_minutes not in SLOT_MINUTES:
        raise InputError(f"--slot-minutes {slot_minutes}: slots have {', '.join(map(str, SLOT_MINUTES))} minutes")
    for url in (broker, meter.home_assistant or broker):
        broker_parts(url)
    if meter.chain not in ("", COPY):
        EvmNode(meter.chain)
    if meter.direct:
        name, _, place = meter.direct.partition(":")
        if not place:
            raise InputError(f"--direct {meter.direct}: write TRANSPORT:PLACE, such as udp:192.168.1.10")
        load_transport(name)
    profile = _whole_path(meter.profile) if meter.profile.endswith(".toml") else meter.profile
    secret = _whole_path(meter.secret) if meter.secret else ""
    winter = meter.winter_hours * HOUR
    open_meter(meter_address(meter.meter, profile, folder, winter, secret))
    settings = BoxSettings(
        community, broker, meter.meter, slot_minutes * 60, CHAIN_ID, profile, secret, meter.home_assistant,
        meter.metrics, winter, code, meter.highest_buy, meter.lowest_sell, meter.chain, direct=meter.direct,
    )  # fmt: skip
    key = make_box(folder, settings)
    return {"folder": str(folder), "meter": key.address, "next": f"transactive node run {folder}"}


def limit_import(path: Path, member: str, watts: int, minutes: int, state: Path | None) -> dict[str, Any]:
    """Limit what a member takes from the grid from now on. Raises InputError for nobody, and for no time."""
    from transactive.engine.live.boxes.import_limits import add_limit
    from transactive.store.folder import make_private

    community = load(path)
    if member not in community.ids:
        raise InputError(f"{member}: is no member of {path.name}; members are {', '.join(community.ids)}")
    folder, now = state or path.parent / f"{path.stem}.live", int(time.time())
    make_private(folder)
    made = add_limit(folder, community.ids.index(member), (now, now + minutes * 60), watts, now)
    return {"member": member, "most_import_w": watts, "from": time_text(made.start), "until": time_text(made.end)}


def switch(folder: Path, *, paused: bool) -> dict[str, Any]:
    """The member's switch: pause a box, or let it go on."""
    from transactive.node.dispatch.driver import pause

    box_settings(folder)
    pause(folder, paused)
    return {"folder": str(folder), "paused": paused}


def make_own_account(folder: Path) -> dict[str, Any]:
    """Make a member's key in the folder of its box."""
    from transactive.node.agent.account import make_account

    address = make_account(folder)
    return {
        "account": address,
        "next": f"the operator invites your meter with --account {address}, before the market opens; keep a copy of"
        f" {folder / 'account'} in a safe place: who has it has your money",
    }


def _whole_path(named: str) -> str:
    """A file as the box finds it from wherever it is started."""
    return str(Path(named).resolve())


def run_until_interrupted(folder: Path, *, quiet: bool, challenge: bool = False) -> None:
    """Run a box until a signal ends it. challenge: what its market settles wrongly is brought before the judge."""
    from transactive.cli.node.challenging import challenger
    from transactive.node.life import Box

    def tell(text: str) -> None:
        if not quiet or text.startswith("not "):
            print(text, file=sys.stderr, flush=True)

    settings = box_settings(folder)
    box = Box(settings, folder, box_key(folder), tell, challenger(folder, settings) if challenge else None)

    def end(_signal: int, _frame: FrameType | None) -> None:
        box.end()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    box.run()
