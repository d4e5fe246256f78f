"""What `transactive predict` does about stakes: a pool made, forecasts sealed, shown and paid."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta

from transactive.cli.chain.signing import time_of_step
from transactive.cli.predict.actions import PERIODS, PUBLIC, money, predicted, send, signer_of, write_down
from transactive.cli.predict.report import Facts, account_name
from transactive.core.community.validation import explained
from transactive.core.errors import ContractRevert, InputError, StateError
from transactive.core.slots import parse_time, time_text
from transactive.core.spelling.quantities import whole
from transactive.core.units import kwh_text
from transactive.store.folder import write_private
from transactive.texts.predictions import QUANTITIES

if TYPE_CHECKING:
    from transactive.chain.keys.signers import Signers
    from transactive.chain.prediction.stakes import StakedPeriod, Stakes


class SealedForecast(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A forecast that was staked on. pool: address; forecast [Wh]; salt: 32 bytes as 0x-hex."""

    pool: str
    period: Annotated[int, Meta(ge=0)]
    member: Annotated[int, Meta(ge=0)]
    forecast: tuple[int, ...]
    salt: Annotated[str, Meta(pattern="^0x[0-9a-f]{64}$")]


@contextmanager
def staked(where: Any) -> Iterator[tuple[Stakes, Signers]]:  # noqa: ANN401 - options of the commands
    """A deployment with its pool. Raises InputError, ChainError."""
    from transactive.chain.prediction.stakes import Stakes

    with predicted(where) as (found, signers):
        yield Stakes(found), signers


def run_open_pool(
    where: Any,  # noqa: ANN401 - options of the commands
    quantity: str,
    slots: tuple[int, int | None],
    terms: tuple[int, int],
    least: str,
) -> Facts:
    """Deploy a pool, and write its address into the deployment."""
    from transactive.chain.acts.values import amount_n

    with staked(where) as (stakes, signers):
        found, (scale, slope), (first, last) = stakes.predictions, terms, slots
        if "forecast_pool" in found.known.contracts:
            raise InputError("the deployment has a pool of stakes already; `predict stakes` tells how a day stands")
        if quantity not in QUANTITIES:
            raise InputError(f"--quantity {quantity}: there are {', '.join(QUANTITIES)}, of all members together")
        if min(scale, slope) <= 0:
            raise InputError("--scale and --slope are above zero")
        slot, deadline = found.slot_seconds, found.window + (PERIODS + 1) * found.per_period * found.slot_seconds
        lead = (int(found.client.read(found.settlement, "lead")) + 1) * slot
        last = found.per_period - 1 if last is None else last
        if not 0 <= first <= last < found.per_period:
            raise InputError(
                f"--first, --last: a settlement period has slots 0 to {found.per_period - 1}, in this order"
            )
        numbers = (QUANTITIES.index(quantity), first, last, lead, slot, scale, slope, amount_n(least), deadline)
        made = write_down(where, found, signers.role("owner"), "forecast_pool", *numbers)
        return made | {"largest_stake": money(found, scale * slope // 2)}


def run_stake(where: Any, day: str, forecast: str, account: str, amount: str, output: Path) -> Facts:  # noqa: ANN401
    """Seal a forecast into a file, and stake on it; typed again after an interruption it goes on with the file's."""
    from transactive.chain.acts.values import amount_n
    from transactive.chain.prediction.scoring import sealed

    quantiles, wanted = _quantiles(forecast), amount_n(amount)
    with staked(where) as (stakes, signers):
        found, number = stakes.predictions, stakes.number(parse_time(day), day)
        key, member = signer_of(found, signers, account), found.known.index(account)
        _refuse_stake(stakes, number, account, wanted)
        made = SealedForecast(str(stakes.pool.address), number, member, quantiles, "0x" + secrets.token_hex(32))
        kept = _kept(output, made)
        missing = max(wanted - stakes.funds(member), 0)
        hidden = sealed(quantiles, bytes.fromhex(kept.salt[2:]), member, number)
        try:
            gas = send(found, stakes.pool, key, missing, "fund", missing) if missing else 0
            gas += send(found, stakes.pool, key, 0, "wager", number, hidden, wanted)
        except ContractRevert:  # nothing was staked on it
            output.unlink()
            raise
        facts = _told(stakes, stakes.period(number))
        return facts | {"written": str(output), "gas": gas, "know": PUBLIC}


def _refuse_stake(stakes: Stakes, number: int, account: str, wanted: int) -> None:
    """Raise InputError for a stake [n¤] that the pool would refuse, before money moves there."""
    found, period = stakes.predictions, stakes.period(number)
    member = found.known.index(account)
    if not stakes.terms["least"] <= wanted <= stakes.most:
        least, most = (money(found, amount) for amount in (stakes.terms["least"], stakes.most))
        raise InputError(f"--amount: a stake here is {least} to {most}")
    if time_of_step(found.client) >= period.gate:
        raise InputError(f"the gate closed at {time_text(period.gate)}; stake on a later day")
    if any(one.member == member for one in period.wagers):
        raise InputError(f"{account} has staked on this day; a stake counts once and cannot be changed")
    own, all_of = stakes.reach(member)
    if not own:
        raise InputError(f"nobody has said how much of a slot {account} makes up; `chain forecasts set-reach` does")
    if 2 * own > all_of:
        raise InputError(
            f"{account} makes up more than half of what all reach; nobody stakes on what is mostly its own"
        )


def run_reveal(where: Any, file: Path, account: str) -> Facts:  # noqa: ANN401 - options of the commands
    """Show what was sealed."""
    from transactive.chain.prediction.scoring import packed

    kept = _read(file)
    with staked(where) as (stakes, signers):
        found, period = stakes.predictions, stakes.period(kept.period)
        places = [place for place, one in enumerate(period.wagers) if one.member == kept.member]
        if kept.pool != str(stakes.pool.address) or not places:
            raise InputError(f"{file}: is of no stake in this pool; give the file that `predict stake` wrote for it")
        key, salt = signer_of(found, signers, account), bytes.fromhex(kept.salt[2:])
        gas = send(found, stakes.pool, key, 0, "show", kept.period, places[0], packed(kept.forecast), salt)
        return _told(stakes, stakes.period(kept.period)) | {"gas": gas}


def run_pay(where: Any, day: str, by: str) -> Facts:  # noqa: ANN401 - options of the commands
    """Write the total down, pay, or give stakes back: whatever is next."""
    with staked(where) as (stakes, signers):
        found, number = stakes.predictions, stakes.number(parse_time(day), day)
        period, key, now = stakes.period(number), signers.named(by), time_of_step(found.client)
        if period.outcome is not None:
            gas = send(found, stakes.pool, key, 0, "pay", number)
            means = "stakes are paid by score, or given back if too much was substituted"
        elif (evidence := found.evidence(period.first, period.last, late=now >= period.refundable_from)) is None:
            gas = send(found, stakes.pool, key, 0, "refund", number)
            means = "there was no outcome by the deadline: stakes went back"
        else:
            gas = send(found, stakes.pool, key, 0, "settle", number, *evidence)
            means = "what was metered is written down; `predict pay` pays"
        return _told(stakes, stakes.period(number)) | {"means": means, "gas": gas}


def run_stakes(where: Any, day: str) -> Facts:  # noqa: ANN401 - options of the commands
    """How a day stands."""
    with staked(where) as (stakes, _):
        return _told(stakes, stakes.period(stakes.number(parse_time(day), day)))


def _told(stakes: Stakes, period: StakedPeriod) -> Facts:
    """How a period stands."""
    found, seconds, terms = stakes.predictions, stakes.predictions.slot_seconds, stakes.terms
    outcome = period.outcome
    names = {one.member: account_name(found.known, one.member) for one in period.wagers}
    return {
        "of": f"{QUANTITIES[terms['lane']]}, {time_text(period.first * seconds)} to"
        f" {time_text((period.last + 1) * seconds)}",
        "stage": period.stage,
        "gate": time_text(period.gate),
        "shown_until": time_text(period.reveal_until),
        "stakes": {names[one.member]: money(found, one.stake) for one in period.wagers},
        "forecasts": {
            names[one.member]: "sealed" if one.forecast is None else ", ".join(kwh_text(wh, 3) for wh in one.forecast)
            for one in period.wagers
        },
        "metered": None if outcome is None else f"{kwh_text(outcome.total, 3)} kWh",
    }


def _quantiles(text: str) -> tuple[int, ...]:
    """Quantiles [Wh] of numbers with one unit behind the last. Raises InputError."""
    from transactive.chain.prediction.scoring import packed

    values, _, unit = text.strip().rpartition(" ")
    made = tuple(whole(f"{one.strip()} {unit}", "_wh", place="FORECAST") for one in values.split(","))
    packed(made)
    return made


def _kept(path: Path, made: SealedForecast) -> SealedForecast:
    """Write a new file that only its owner reads, or take up what an interrupted command wrote of the same forecast.

    Its hash may be on chain by then: another salt would leave a stake that nobody can show. Raises InputError.
    """
    if path.exists():
        before = _read(path)
        if msgspec.structs.replace(before, salt=made.salt) != made:
            raise InputError(f"{path}: is there already; give another --output, so that no forecast is lost")
        return before
    try:
        write_private(path, msgspec.json.format(msgspec.json.encode(made)) + b"\n")
    except StateError as error:
        raise InputError(str(error)) from None
    return made


def _read(path: Path) -> SealedForecast:
    """A file that `predict stake` wrote. Raises InputError."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=SealedForecast)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); `predict stake` writes it") from None
    except msgspec.DecodeError as error:
        raise InputError(f"{path}: {explained(str(error), SealedForecast)}; `predict stake` writes it") from None
