"""`transactive demo --market balance --on-chain`: a day on the balance market contract, and what it did."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from rich import box
from rich.console import Console
from rich.table import Table

from transactive.cli.run.actions import demo_setting, demo_slots
from transactive.core.errors import InputError
from transactive.core.units import money_text
from transactive.studies.day_on_chain.day import run_day
from transactive.studies.day_on_chain.figures import BalanceDay, SlotOnChain


def run_balance_day(
    *, days: int, start: str, json: bool, state: Path | None, seed: str, node: str | None, market: str
) -> None:
    """Trade the demo community on the contract and print the summary; everything else goes to stderr.

    Raises InputError for another mechanism and for a node: the contract shows every reading, so it runs here only.
    """
    if market != "balance":
        raise InputError(f"--on-chain: --market {market} has no contract to trade on; give --market balance")
    if node:
        raise InputError(
            "--on-chain: the balance market shows each member's readings, so it stays here; leave --node out"
        )
    setting = demo_setting(market)
    slots = demo_slots(setting, start, days)
    folder = state or Path(tempfile.mkdtemp(prefix="transactive-"))
    with _progress(len(slots), setting.community.name) as after_slot:
        day = run_day(setting, slots, folder, seed=seed, after_slot=after_slot, timer=time.perf_counter)
    if json:
        print(msgspec.json.encode(day).decode())
    else:
        show(day, setting.community.name, setting.community.currency)
    sys.stdout.flush()


@contextmanager
def _progress(slots: int, title: str) -> Iterator[Callable[[SlotOnChain], None]]:
    """Give a function to call after each settled slot."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(title, total=slots)
        yield lambda slot: progress.update(task, advance=1, description=f"{title} {slot.slot} {slot.orders} orders")


def show(day: BalanceDay, name: str, currency: str) -> None:
    """Print the slots, what the day came to, and whether chain and twin agree."""
    console = Console(highlight=False)
    console.print(
        f"[bold]{name}[/]: {day.members} members, {day.slots} slots on the balance_market contract, {day.seconds:.1f} s"
    )
    console.print(_slots(day))
    facts = Table.grid(padding=(0, 2))
    for fact, text in (
        (
            "orders, transactions",
            f"{day.orders} of {day.transactions}; {day.refused} not sent, as they would be refused",
        ),
        ("promised", f"{day.produced_wh / 1000:.1f} kWh to deliver, {day.consumed_wh / 1000:.1f} kWh to use"),
        ("producers were paid", f"{money_text(int(day.earned_n))} {currency}"),
        ("consumers paid", f"{money_text(int(day.paid_n))} {currency}"),
        ("network, the rest traded outside", f"{money_text(int(day.network_n))} {currency}"),
        ("gas of an order, of a reading", f"{day.gas_per_order:,}, {day.gas_per_reading:,}"),
        ("gas a member and slot, all in", f"{day.gas_per_member_and_slot:,}"),
        ("money made less money held", f"{day.money_residual_n} n{currency}"),
        ("left in the contract", f"{day.left_in_contract_n} n{currency}"),
        ("contract equals its twin", "to the last unit, after every slot" if day.twin_equals_chain else "NO"),
    ):
        facts.add_row(f"  {fact}", text)
    console.print(facts)
    console.print(f"  to run the chain again: transactive chain replay --node {day.url}", soft_wrap=True)


def _slots(day: BalanceDay) -> Table:
    """One line a slot with an order: base and quotes a kWh, Wh promised and then read, what the network has of it."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("UTC", no_wrap=True)
    for title in ("base", "sell", "buy", "orders", "sold", "bought", "given", "used", "network"):
        table.add_column(title, justify="right", no_wrap=True)
    for slot in day.by_slot:
        if slot.orders:
            prices = (slot.base, slot.production_price, slot.consumption_price)
            energy = (slot.produced_wh, slot.consumed_wh, slot.certified_wh, slot.used_wh)
            table.add_row(
                slot.slot[8:16].replace("T", " "),
                *(f"{price / 1_000_000:.3f}" for price in prices),
                str(slot.orders),
                *(str(wh) for wh in energy),
                money_text(int(slot.network_n)),
            )
    return table
