"""What deciding together costs: gas of proposal and ballots, and a proposal's consequences beside one plain run.

Gas is of real transactions on an embedded chain, with an electorate of 300. For comparison, OpenZeppelin's Governor,
which counts tokens: about 170,000 for a proposal of three actions, and 80,000 for a vote by signature.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

from transactive.bench.measure import BenchTimer, Reference
from transactive.bench.registry import bench
from transactive.bench.report import Row
from transactive.config.setting import load_setting
from transactive.config.shipped import DEMO
from transactive.core.community.changes.records import RulesChange, TariffChange
from transactive.core.governance.ballots import Ballot
from transactive.core.slots import parse_time, time_text
from transactive.engine.recorded import recorded_run
from transactive.engine.replay import slots_of
from transactive.studies.consequences import consequences

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from transactive.chain.keys.keys import DemoKeys

HOUR, DAY, WINDOW = 3_600, 24, 1_800
START = 17_000 * DAY * HOUR
ELECTORATE = 300
PROPOSE = "propose three actions"
BALLOTS = "ballots in a batch of 100, each"
REFERENCES = {PROPOSE: 170_000, BALLOTS: 80_000}
REPLAYED, DAYS = "2017-06-05T00:00Z", 14


@bench("governance", summary="gas of proposals and ballots, and what it takes to show a proposal's consequences")
def governance(meter: BenchTimer) -> Iterator[Row]:
    """Measure gas of a vote among 300, and replay two weeks of the demo under another network fee."""
    from transactive.chain.keys.keys import DemoKeys

    for name, gas in governor_gas(DemoKeys("gas")).items():
        other = REFERENCES.get(name)
        if other is None:
            yield Row(name=name, value=gas, unit="gas")
        else:
            where = "OpenZeppelin Governor, about"
            yield Row(
                name=name, value=gas, unit="gas", reference=where, reference_value=other, ratio=gas / other
            )  # fmt: skip
    setting, start = load_setting(DEMO), parse_time(REPLAYED)
    slots = slots_of(setting, start, DAYS)
    fee = TariffChange(network_fee_micro_per_kwh=setting.community.tariff.numbers[1] + 10_000)
    change = RulesChange(slot=time_text(setting.measured_end), tariff=fee)
    plain = Reference("one plain run", lambda: recorded_run(setting, slots).run())
    yield meter.time(
        "consequences, two weeks of the demo", lambda: consequences(DEMO, change, DAYS, start), plain, unit="s",
        repeats=1,
    )  # fmt: skip


def governor_gas(keys: DemoKeys) -> dict[str, int]:
    """A proposal of three actions among 300 members: made, seconded, voted on, in signed ballots too, and executed."""
    from transactive.chain.nodes.client import ChainClient

    members, owner, operator = [keys.account(i) for i in range(ELECTORATE)], keys.role("owner"), keys.role("operator")
    with closing(ChainClient.open("embedded::memory:", genesis_time=1, alloc=keys.addresses(ELECTORATE))) as client:
        registry = client.deploy(owner, "registry", 4 * DAY * HOUR)
        client.send(owner, registry, "setRegistrar", owner.address)
        for first in range(0, ELECTORATE, 100):
            for member in members[first : first + 100]:
                client.send(owner, registry, "register", member.address, 3)
            client.block(client.head_timestamp + 1)
        clock = (10, HOUR, DAY, WINDOW, 2 * DAY * HOUR, 2 * DAY * HOUR, 0, owner.address, 1, registry.address)
        settlement = client.deploy(owner, "settlement", registry.address, *clock)
        rules = client.deploy(owner, "rules", HOUR, [(0, 10**5, 10**5)] * 3, [0] * 3, bytes(32))
        client.block(START)
        kinds = [(1, 7 * DAY * HOUR, 120_000, 500_000, 0), (1, 7 * DAY * HOUR, 250_000, 666_667, 0)]
        addresses = (registry.address, settlement.address, rules.address, owner.address)
        governor = client.deploy(owner, "governor", *addresses, DAY * HOUR, HOUR, DAY * HOUR, *kinds, [])
        found = {"deploy governor": client.block(client.head_timestamp + 1).receipts[0].gas_used}
        client.send(owner, rules, "setGovernor", governor.address)
        client.block(client.head_timestamp + 1)

        def gas(name: str, sender: LocalAccount, function: str, *arguments: object) -> None:
            client.send(sender, governor, function, *arguments)
            found[name] = client.block(client.head_timestamp + 1).receipts[-1].gas_used

        since = START + 30 * DAY * HOUR
        calls = [rules.encode_abi("setRule", [rule, 77, since]) for rule in range(3)]
        actions, document = [(rules.address, bytes.fromhex(call[2:])) for call in calls], b"\x07" * 32
        client.send(members[6], governor, "propose", 0, actions, document)
        gas(PROPOSE, members[7], "propose", 0, actions, document)
        gas("second, and the vote begins", members[8], "second", 1)
        gas("vote, first of 32", members[0], "vote", 1, 0, 1)
        gas("vote", members[1], "vote", 1, 1, 1)
        content, where = bytes(client.read(governor, "contents", 1)), (client.chain_id, governor.address)
        ballots = [Ballot(1, content, i, 1).signed(bytes(members[i].key), *where).content for i in range(100, 200)]
        gas(BALLOTS, operator, "castMany", 1, ballots)
        found[BALLOTS] //= len(ballots)
        client.block(int(client.read(governor, "dueAt", 1)))
        gas("execute three actions", operator, "execute", 1, actions, document)
        return found
