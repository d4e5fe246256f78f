"""Many lives, over processes, until so many calls are made or the time is up; then a report."""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count, islice

from tests.fuzz.adversary.community import Community
from tests.fuzz.adversary.direct import Direct
from tests.fuzz.adversary.markets.balance import BalanceStage
from tests.fuzz.adversary.markets.board import BoardStage
from tests.fuzz.adversary.stage import Stage
from tests.fuzz.anchors_life import AnchorsLife
from tests.fuzz.balance_life import BalanceLife
from tests.fuzz.carbon_credits_life import CarbonCreditsLife
from tests.fuzz.certificates_life import CertificatesLife
from tests.fuzz.currency_life import CurrencyLife
from tests.fuzz.deals_stage import Deals
from tests.fuzz.forecast_pool_life import ForecastPoolLife
from tests.fuzz.governor_life import GovernorLife
from tests.fuzz.groups_stage import Groups
from tests.fuzz.life import Life, Tally
from tests.fuzz.lost_keys_stage import LostKeys
from tests.fuzz.machine import new_machine
from tests.fuzz.prediction_market_life import PredictionMarketLife
from tests.fuzz.register_life import RegisterLife
from tests.fuzz.registry_life import RegistryLife
from tests.fuzz.rules_life import RulesLife
from tests.fuzz.settlement_life import SettlementLife
from tests.fuzz.trade_board_life import TradeBoardLife
from tests.fuzz.votes_stage import Votes
from tests.fuzz.witness_life import WitnessLife

LIVES: dict[str, type[Life] | type[RegisterLife]] = {
    life.contract: life
    for life in (
        CurrencyLife,
        RegistryLife,
        SettlementLife,
        BalanceLife,
        TradeBoardLife,
        CarbonCreditsLife,
        CertificatesLife,
        RegisterLife,
        RulesLife,
        GovernorLife,
        AnchorsLife,
        WitnessLife,
        PredictionMarketLife,
        ForecastPoolLife,
    )
}
STAGES: dict[str, type[Stage]] = {
    stage.contract: stage for stage in (Community, Direct, BalanceStage, BoardStage, LostKeys, Groups, Votes, Deals)
}
"""Where roles are dishonest, alone and in pairs, under rules that no twin states."""
CALLS_PER_LIFE, CALLS_PER_STAGE = 1_000, 500
EVERY_ON_PYEVM = 25
"""One life in so many is lived on py-evm, the EVM that the program uses, when the rest is on revm."""


@dataclass(frozen=True, slots=True)
class Job:
    """One life: which contract, which number, how long, on which machine."""

    contract: str
    number: int
    calls: int
    machine: str


@dataclass(slots=True)
class Outcome:
    """What a campaign did."""

    tally: Tally = field(default_factory=Tally)
    failures: list[str] = field(default_factory=list)
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    on_machine: dict[str, int] = field(default_factory=dict)


def live(job: Job) -> tuple[Job, Tally, str, float]:
    """Live one life: the job, what was tried, what went wrong, CPU seconds."""
    tally, start, wrong = Tally(), time.process_time(), ""
    try:
        (LIVES | STAGES)[job.contract](new_machine(job.machine), job.number, tally).run(job.calls)
    except AssertionError as error:
        wrong = str(error) or f"{job}: an assertion of the life failed"
    except Exception as error:
        error.add_note(f"in {job}")
        raise
    return job, tally, wrong, time.process_time() - start


def jobs(contracts: list[str], seed: int, machine: str) -> Iterator[Job]:
    """Lives for ever, contract by contract; a seed is the number of the first."""
    for number in count(seed):
        for contract in contracts:
            mixed = machine == "revm" and number % EVERY_ON_PYEVM == 0 and contract in LIVES
            yield Job(contract, number, calls_of(contract), "py-evm" if mixed else machine)


def calls_of(contract: str) -> int:
    """Calls of a life, or of a life on a stage."""
    return CALLS_PER_LIFE if contract in LIVES else CALLS_PER_STAGE


def campaign(
    work: Iterator[Job], calls: int, processes: int, seconds: float, tell: Callable[[Outcome], None]
) -> Outcome:
    """Run lives until `calls` are made, `seconds` are over, Ctrl-C is pressed, or a life and its twin differ."""
    found, start, running = Outcome(), time.monotonic(), set[Future[tuple[Job, Tally, str, float]]]()
    # a fresh interpreter each: a fork would take along what the parent had open
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, initializer=leave_interrupts_to_the_parent) as pool:
        running |= {pool.submit(live, job) for job in islice(work, processes + 1)}
        with suppress(KeyboardInterrupt):
            while running and not found.failures and found.tally.total < calls and found.seconds < seconds:
                done, running = wait(running, timeout=2, return_when=FIRST_COMPLETED)
                collect(found, done)
                running |= {pool.submit(live, job) for job in islice(work, len(done))}
                found.seconds = time.monotonic() - start
                tell(found)
        for future in running:
            future.cancel()
        collect(found, {future for future in running if not future.cancelled()})
    found.seconds = time.monotonic() - start
    return found


def leave_interrupts_to_the_parent() -> None:
    """Let a life that has begun come to its end."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def collect(found: Outcome, done: set[Future[tuple[Job, Tally, str, float]]]) -> None:
    """Add what finished lives say."""
    for future in done:
        job, tally, wrong, cpu = future.result()
        found.tally += tally
        found.cpu_seconds += cpu
        found.on_machine[job.machine] = found.on_machine.get(job.machine, 0) + tally.total
        if wrong:
            found.failures.append(f"{wrong}\n  again: make fuzz ARGS='--only {job.contract} --life {job.number}'")
