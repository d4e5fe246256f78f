"""The report of a campaign, as Markdown."""

from __future__ import annotations

import platform
import re
from collections import Counter, defaultdict
from importlib.metadata import PackageNotFoundError, version

from tests.fuzz.campaign import Outcome
from transactive.chain.artifact import artifact, source
from transactive.chain.revert_reasons import UNKNOWN

HEAD = """# Fuzzing the contracts and the register

Random calls on each contract and, at once, on its twin in plain Python: the same reason when a call is refused, the
same state when it goes through, compared field by field every fifty calls. Written by the last run of

```
make fuzz{arguments}
```

Every call is made by whoever could be right, and in {swapped:.0%} of the cases by anybody at all. In half of the lives
the currency is a hostile token that is itself a member and, while it pays, calls back into the contract. Signatures
come with wrong keys, chains, contracts, terms and nonces, or twice. Time jumps from a second to a whole period. At the
end all is paused, everybody leaves, and nothing may remain. Calls run on the state of an EVM without blocks around it:
revm where it can be installed, every twenty-fifth life (all of them in `make test`) on py-evm, the EVM of the embedded
chain. A life that differs is named, and is lived again with `--only CONTRACT --life N`.

On the stages called `roles_of_…` nobody has a twin. Each role is dishonest in turn, then each pair, and does what it
likes: any entry point with arguments by name and type, an operator also commitments whose books, orders, trades,
readings, certificates, leaves or places it has changed anywhere. Everybody else keeps to the rules: the operator
commits and nets, the gateway signs one truth, members look at what is committed of them within an eighth of a window
and bring all the evidence they have. On `roles_of_groups` the operators of two groups and of the whole lie, and the
funder of links asks for its capital at the worst time: the whole is convicted of what its groups do not have, never for
what they do, capital goes where it is needed, and back within two notices. The rules that must hold are in
`tests/fuzz/adversary` and beside it, and counted below.

Certificates are tried twice: the contract against its twin, and the register of a run
(`carbon.certificates.register`) step by step against a model that has every Wh by itself. No Wh and no mg may be lost
or made, and none claimed twice.
"""


def report(found: Outcome, arguments: str, seed: int, swapped: float) -> str:
    """All of a campaign."""
    parts = [HEAD.format(arguments=arguments and f' ARGS="{arguments}"', swapped=swapped), summary(found, seed)]
    parts += ["## Compared", "", "| what | times |", "|---|---:|"]
    parts += [f"| {what} | {times:,} |" for what, times in sorted(found.tally.checked.items())]
    for contract in sorted({name for (name, _, _, _) in found.tally.calls}):
        parts += ["", f"## `{contract}`", "", *by_function(found, contract), "", never_met(found, contract)]
    parts += of_the_register(found) if found.tally.steps else []
    return "\n".join(parts) + "\n"


BEGIN, END = "<!-- faults: begin -->\n", "<!-- faults: end -->\n"


def faults_of(text: str) -> str:
    """What a report says of the hunt for faults."""
    return text.partition(BEGIN)[2].partition(END)[0]


def with_faults(text: str, faults: str) -> str:
    """A report that says this of the hunt for faults, before the table of what was compared."""
    head, _, rest = text.partition(BEGIN)
    if not rest:
        head, mark, rest = text.partition("## Compared\n")
        return f"{head}{BEGIN}{faults}{END}\n{mark}{rest}" if faults else text
    return head + BEGIN + faults + END + rest.partition(END)[2]


def of_the_register(found: Outcome) -> list[str]:
    """Table of the steps on the register of certificates."""
    taken, refused = Counter[str](), Counter[str]()
    codes = defaultdict[str, set[str]](set)
    for (step, code), times in found.tally.steps.items():
        (refused if code else taken)[step] += times
        codes[step] |= {f"`{code}`"} if code else set()
    lines = ["", "## The register of certificates", "", "| step | taken | refused | for |", "|---|---:|---:|---|"]
    steps = sorted(taken | refused)
    return lines + [
        f"| {step} | {taken[step]:,} | {refused[step]:,} | {', '.join(sorted(codes[step]))} |" for step in steps
    ]


def summary(found: Outcome, seed: int) -> str:
    """Totals, seeds and versions."""
    tally = found.tally
    accepted = sum(n for (_, _, _, reason), n in tally.calls.items() if not reason)
    lives = ", ".join(f"{contract} {n:,}" for contract, n in sorted(tally.lives.items()))
    machines = ", ".join(f"{name} {n:,}" for name, n in sorted(found.on_machine.items()))
    back = sum(n for (_, _, role, _), n in tally.calls.items() if "called back" in role)
    rows = {
        "calls": f"**{tally.total:,}**: {accepted:,} accepted, {tally.total - accepted:,} refused",
        "of them calls back from inside a payment": f"{back:,}",
        "steps on the register of certificates": f"**{tally.steps.total():,}**",
        "by machine": machines,
        "lives": f"{lives}; numbered from {seed}",
        "differences": f"**{len(found.failures)}**",
        "time": f"{found.seconds:,.0f} s, {found.cpu_seconds:,.0f} s of CPU",
        "versions": ", ".join(f"{name} {installed(name)}" for name in ("vyper", "py-evm", "pyrevm"))
        + f", Python {platform.python_version()}",
    }
    return "\n".join(["", "| | |", "|---|---|", *(f"| {name} | {text} |" for name, text in rows.items()), ""])


def installed(name: str) -> str:
    """Version of a package."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def by_function(found: Outcome, contract: str) -> list[str]:
    """Table of a contract's functions; the hash says which source was tried."""
    accepted, refused = defaultdict[str, int](int), defaultdict[str, int](int)
    roles, reasons = defaultdict[str, set[str]](set), defaultdict[str, set[str]](set)
    for (name, function, role, reason), times in found.tally.calls.items():
        if name == contract:
            (refused if reason else accepted)[function] += times
            roles[function].add(role)
            reasons[function] |= {reason} if reason else set()
    lines = [f"Source `{artifact(contract).source_sha256[:16]}`.", ""]
    lines += ["| function | accepted | refused | reasons met | tried by |", "|---|---:|---:|---:|---|"]
    for function in sorted(roles):
        who = ", ".join(sorted(roles[function]))
        lines.append(
            f"| `{function}` | {accepted[function]:,} | {refused[function]:,} | {len(reasons[function])} | {who} |"
        )
    return lines


def never_met(found: Outcome, contract: str) -> str:
    """Reasons in the source that no call of this run met."""
    met = {reason for (_, _, _, reason) in found.tally.calls}
    missing = sorted(set(re.findall(rf'"({contract}: [^"]+)"', source(contract))) - met)
    lock = " The lock of the contract refused calls back." if has_lock(found, contract) else ""
    if not missing:
        return f"Every reason in its source was met.{lock}"
    return f"Reasons that only fixed tests meet: {', '.join(f'`{reason}`' for reason in missing)}.{lock}"


def has_lock(found: Outcome, contract: str) -> bool:
    """Whether the reentrancy lock refused anything."""
    return any(name == contract and reason == UNKNOWN for (name, _, _, reason) in found.tally.calls)
