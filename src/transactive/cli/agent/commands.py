"""`transactive agent …`: what members allow those who trade for them, and how they change it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from transactive.cli.quantities import Price
from transactive.cli.report import report

if TYPE_CHECKING:
    from transactive.core.community.community import Community
    from transactive.core.proofs.members.authorisation import Authorisation
    from transactive.services.acts.asked import Allowing

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
    from transactive.services.acts.authorisations import shown

    standing = shown(state)
    ids = standing.community.ids
    facts = {ids[each.account]: facts_of(each, standing.community) for each in standing.of(standing.first)}
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
    from transactive.services.acts.asked import AskAuthorise

    limits = {
        "never_pay_above_micro_per_kwh": never_pay_above,
        "sell_only_above_micro_per_kwh": sell_only_above,
    }
    _act(state, member, AskAuthorise(**limits, start=start, end=end), keys, password_file, json=json)


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
    from transactive.services.acts.asked import AskPause

    _act(state, member, AskPause(start=start, end=end), keys, password_file, json=json)


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
    from transactive.services.acts.asked import AskResume

    _act(state, member, AskResume(), keys, password_file, json=json)


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
    from transactive.services.acts.asked import AskRevoke

    _act(state, member, AskRevoke(), keys, password_file, json=json)


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


def _act(
    state: Path, member: str, asked: Allowing, keys: Path | None, password_file: Path | None, *, json: bool
) -> None:
    """Do what a member asks for, and print what was signed."""
    import time

    from transactive.cli.chain_options import keys_of
    from transactive.core.accounts import NAMED
    from transactive.services.acts.authorisations import Asker, allow, shown
    from transactive.services.acts.signers import deployment_of, signer_of

    community = shown(state).community
    known = deployment_of(state)
    signer = signer_of(state, keys_of(keys, password_file, known.accounts[: -len(NAMED)]))
    made = allow(state, member, asked, signer, Asker(now=int(time.time())))
    signed = {"signature": made.signature, "agent_key": made.key or None}
    report(facts_of(made.authorisation, community) | signed, json=json)
