"""Arguments of entry points by their type alone."""

from __future__ import annotations

import random
from collections.abc import Iterable
from functools import cache
from typing import Any

from tests.fuzz.adversary.stage import some_bytes
from tests.fuzz.adversary.terms import DEPOSIT, PENALTY, UNLIMITED
from tests.fuzz.bound import NOBODY
from transactive.chain.artifact import artifact
from transactive.core.proofs.merkle import ZERO

SMALL = (0, 1, 2, 40, 300, 700, PENALTY, 3 * PENALTY, DEPOSIT, UNLIMITED)


@cache
def names_of(contract: str) -> dict[str, list[str]]:
    """Names of the arguments of each function."""
    functions = [entry for entry in artifact(contract).abi if entry["type"] == "function"]
    return {entry["name"]: [given["name"] for given in entry["inputs"]] for entry in functions}


def parts_of(kind: str) -> list[str]:
    """Types in a tuple's type; some are tuples themselves."""
    found, depth = [""], 0
    for sign in kind[1:-1]:
        depth += (sign == "(") - (sign == ")")
        found = [*found, ""] if sign == "," and not depth else [*found[:-1], found[-1] + sign]
    return found


def by_type(rng: random.Random, kind: str, people: Iterable[str]) -> Any:
    """Anything of a type; `people`: addresses."""
    if kind.endswith("[]"):
        return [by_type(rng, kind[:-2], people) for _ in range(rng.randrange(3))]
    if kind.startswith("("):
        return tuple(by_type(rng, part, people) for part in parts_of(kind))
    if kind == "address":
        return rng.choice([*people, NOBODY])
    if kind == "bool":
        return rng.random() < 0.4
    if kind.startswith("bytes"):
        return rng.choice([ZERO, some_bytes(rng)])
    if kind == "string":
        return rng.choice(["", "somebody"])
    if kind == "uint8":
        return rng.choice([27, 28])
    if kind.startswith("int"):
        return rng.choice([0, 150, 200])
    return rng.choice(SMALL)
