"""`transactive agent …`: what members allow those who trade for them, and how they change it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from transactive.cli.quantities import Price
from transactive.cli.report import report

if TYPE_CHECKING:
    from transactive.core.community.community import Community
    from transactive.core.proofs.authorisation import Authorisation

agent = App(name="agent", help="Limits that members set for their agents.")

Flag = Annotated[bool, Parameter(negative="")]


@agent.command
def show(*, state: Path, member: str | None = None, json: Flag = False) -> None:
    """Show each member's agent and its limits, as they hold for the next slot that is traded.

    Example: transactive agent show --state my-community/community.state

    Parameters
    ----------
    state
        State folder of a run.
    member
        Show this member alone.
    json
        Print one JSON object on stdout.
    """
    from transactive.core.errors import InputError
    from transactive.services.authorisation_changes import shown, standing

    community, given, first = shown(state)
    facts = {community.ids[a.account]: facts_of(a, community) for a in standing(community, given, first)}
    if member is not None and member not in facts:
        raise InputError(f"--member {member} is not in the community; it has {', '.join(facts)}")
    report(facts if member is None else {member: facts[member]}, json=json)


@agent.command
def authorise(
    *,
    state: Path,
    member: str,
    never_pay_above: Price | None = None,
    sell_only_above: Price | None = None,
    start: Annotated[str | None, Parameter(name="--from")] = None,
    end: Annotated[str | None, Parameter(name="--until")] = None,
    keys: Path | None = None,
    password_file: Path | None = None,
    json: Flag = False,
) -> None:
    """Sign new limits for a member's agent; they replace all earlier ones, and a pause ends.

    A run that goes on takes them up at its next gate, for slots of which nothing is traded yet.
    Example: transactive agent authorise --state my-state --member ada --never-pay-above 200000

    Parameters
    ----------
    state
        State folder of a run that goes on or was interrupted.
    member
        Whose agent.
    never_pay_above
        Most that a buy may bid, µ¤/kWh or such as "20 ct/kWh", the network fee apart; without it no limit.
    sell_only_above
        Least that a sell may ask, µ¤/kWh or such as "10 ct/kWh"; without it no limit.
    start
        First slot, UTC; without it the first whose gate is open.
    end
        End, UTC; without it as long as before.
    keys
        Folder of your own keys, as `keys new` makes it; without it the demo keys of the run's seed sign.
    password_file
        File whose first line is the password of the keys; otherwise TRANSACTIVE_PASSWORD, or it is asked for.
    json
        Print what was signed as one JSON object on stdout.
    """
    from transactive.core.community.limits import NO_HIGHEST, NO_LOWEST
    from transactive.services.authorisation_changes import shown

    _, given, _ = shown(state)
    limits = {
        "highest_buy": NO_HIGHEST if never_pay_above is None else never_pay_above,
        "lowest_sell": NO_LOWEST if sell_only_above is None else sell_only_above,
        "paused_from": 0,
        "paused_until": 0,
        "valid_until": max(each.authorisation.valid_until for each in given),
        **_time("valid_from", start),
        **_time("valid_until", end),
    }
    _renew(state, member, limits, keys, password_file, json=json)


@agent.command
def pause(
    *,
    state: Path,
    member: str,
    start: Annotated[str | None, Parameter(name="--from")] = None,
    end: Annotated[str | None, Parameter(name="--to")] = None,
    keys: Path | None = None,
    password_file: Path | None = None,
    json: Flag = False,
) -> None:
    """Pause a member's agent: no orders from a slot on; its limits stay as they are.

    Example: transactive agent pause --state my-state --member ada --to 2017-06-09T00:00Z

    Parameters
    ----------
    state
        State folder of a run that goes on or was interrupted.
    member
        Whose agent.
    start
        First slot without orders, UTC; without it the first whose gate is open.
    end
        First slot with orders again, UTC; without it until `agent resume`.
    keys
        Folder of your own keys; without it the demo keys of the run's seed sign.
    password_file
        File whose first line is the password of the keys; otherwise TRANSACTIVE_PASSWORD, or it is asked for.
    json
        Print what was signed as one JSON object on stdout.
    """
    from transactive.engine.authorisations import FOR_GOOD

    times = {"paused_until": FOR_GOOD, **_time("paused_from", start), **_time("paused_until", end)}
    _renew(state, member, times, keys, password_file, json=json)


@agent.command
def resume(
    *, state: Path, member: str, keys: Path | None = None, password_file: Path | None = None, json: Flag = False
) -> None:
    """End a pause: the agent trades again, from the first slot whose gate is open.

    Parameters
    ----------
    state
        State folder of a run that goes on or was interrupted.
    member
        Whose agent.
    keys
        Folder of your own keys; without it the demo keys of the run's seed sign.
    password_file
        File whose first line is the password of the keys; otherwise TRANSACTIVE_PASSWORD, or it is asked for.
    json
        Print what was signed as one JSON object on stdout.
    """
    _renew(state, member, {"paused_from": 0, "paused_until": 0}, keys, password_file, json=json)


@agent.command
def revoke(
    *, state: Path, member: str, keys: Path | None = None, password_file: Path | None = None, json: Flag = False
) -> None:
    """Take a member's authorisation back: no orders from the first slot whose gate is open, until it signs another.

    Parameters
    ----------
    state
        State folder of a run that goes on or was interrupted.
    member
        Whose agent.
    keys
        Folder of your own keys; without it the demo keys of the run's seed sign.
    password_file
        File whose first line is the password of the keys; otherwise TRANSACTIVE_PASSWORD, or it is asked for.
    json
        Print what was signed as one JSON object on stdout.
    """
    _renew(state, member, {"valid_until": 0}, keys, password_file, json=json)


def facts_of(given: Authorisation, community: Community) -> dict[str, Any]:
    """What an authorisation says, for people and programs: prices as whole µ¤/kWh and times."""
    from transactive.core.community.limits import NO_HIGHEST, NO_LOWEST
    from transactive.core.slots import time_text
    from transactive.engine.authorisations import FOR_GOOD

    paused = given.paused_from < given.paused_until
    return {
        "agent": given.agent,
        "serial": given.serial,
        "never_pay_above": None if given.highest_buy == NO_HIGHEST else given.highest_buy,
        "sell_only_above": None if given.lowest_sell == NO_LOWEST else given.lowest_sell,
        "green_first": community.members[given.account].prefer == "green",
        "paused_from": time_text(given.paused_from) if paused else None,
        "paused_until": time_text(given.paused_until) if paused and given.paused_until < FOR_GOOD else None,
        "valid_from": time_text(given.valid_from),
        "valid_until": time_text(given.valid_until) if given.valid_until else "revoked",
    }


def _time(key: str, text: str | None) -> dict[str, int]:
    """A time of an authorisation, if it is given. Raises InputError for a malformed one."""
    from transactive.core.slots import parse_time

    return {} if text is None else {key: parse_time(text)}


def _renew(
    state: Path, member: str, changes: dict[str, int], keys: Path | None, password_file: Path | None, *, json: bool
) -> None:
    """Sign and keep an authorisation with some of its fields changed, and print it."""
    import msgspec

    from transactive.chain.deployments.deployment import FILE, load
    from transactive.chain.keys.keys import DemoKeys
    from transactive.cli.chain_options import keys_of
    from transactive.core.accounts import NAMED
    from transactive.core.errors import InputError
    from transactive.core.proofs.signed_orders import domain
    from transactive.services.authorisation_changes import renew, seed_of, shown

    community, _, _ = shown(state)
    known = load(state / FILE)
    signers = keys_of(keys, password_file, known.accounts[: -len(NAMED)]) or DemoKeys(seed_of(state))

    def change(latest: Authorisation) -> Authorisation:
        if not latest.valid_until and "valid_until" not in changes:
            raise InputError(f"--member {member}: its authorisation is revoked; sign one with `agent authorise`")
        fresh = {"paused_from": latest.valid_from} | changes if "paused_until" in changes else changes
        return msgspec.structs.replace(latest, **fresh)

    separator = domain(known.chain_id, known.address("settlement"))
    made = renew(state, member, change, signers, separator)
    signed = {"signature": made.signature, "agent_key": made.key or None}
    report(facts_of(made.authorisation, community) | signed, json=json)
