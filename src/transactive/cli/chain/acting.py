"""Commands of the table of acts: each is made from its row, so that an act and its command cannot come apart."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from transactive.chain.acts.act import Act, Group, Take
from transactive.cli.report import report

if TYPE_CHECKING:
    from transactive.chain.acts.call import Call

Flag = Annotated[bool, Parameter(negative="")]
Other = Annotated[str | None, Parameter(name="--as")]
WHO = {
    "owner": "Signed by the owner's key.",
    "operator": "Signed by the operator's key.",
    "arbiter": "Signed by the arbiter's key.",
    "on-ramp": "Signed by the on-ramp's key.",
    "gateway": "Signed by the gateway's key.",
    "account": "Signed by the key of --account.",
    "anybody": "Anybody may send it: name an account with --account, or another key with --as.",
}
FIRST_LINE = "File whose first line is the password of the keys; otherwise TRANSACTIVE_PASSWORD, or it is asked for."
SEED = "Seed of the demo keys that sign, without --keys: on embedded and development chains only."
WHERE: tuple[tuple[str, Any, Any, str], ...] = (
    ("node", str, inspect.Parameter.empty, "Chain: embedded:FILE, http(s)://, ws(s):// or ipc:PATH."),
    ("deployment", Path, Path("deployment.json"), "File with the addresses, as `chain deploy` writes it."),
    ("account", str | None, None, "Member, or supplier, network, community, levy or credits, that does it."),
    ("group", int | None, None, "Number of the group of members that is meant, from 1, where --account does not tell."),
    ("by", Other, None, "Name of another key that signs: in the folder of --keys, or one of the demo keys."),
    ("keys", Path | None, None, "Folder of your own keys; it needs to hold no other than yours."),
    ("password_file", Path | None, None, FIRST_LINE),
    ("seed", str, "transactive", SEED),
    ("json", Flag, False, "Print one JSON object on stdout."),
)  # fmt: skip
"""Options of every act: name, type, default, help."""


def group_app(group: Group) -> App:
    """A group of acts as commands."""
    app = App(name=group.name, help=group.about)
    for act in group.acts:
        app.command(command_of(group, act), name=act.name)
    return app


def command_of(group: Group, act: Act) -> Callable[..., None]:
    """The command of an act: options from its row, help from its words."""
    named = [take.name for take in act.values]
    acts_itself = act.by in ("account", "anybody")
    where = [one for one in WHERE if one[0] not in named and (one[0] != "account" or acts_itself)]
    signature = inspect.Signature([*map(_given, act.values), *(_option(name, *more) for name, *more, _ in where)])

    def command(**given: Any) -> None:  # noqa: ANN401 - as the row of the table says
        bound = signature.bind(**given)
        bound.apply_defaults()
        told = bound.kwargs
        texts = {name: told.pop(name.replace("-", "_")) for name in named}
        json = told.pop("json")
        report(run_act(act, texts, **told), json=json)

    command.__name__ = act.name.replace("-", "_")
    command.__annotations__ = {one.name: one.annotation for one in signature.parameters.values()} | {"return": None}
    command.__signature__ = signature  # type: ignore[attr-defined]
    helps = [(take.name.replace("-", "_"), take.means) for take in act.values]
    helps += [(name, text) for name, _, _, text in where]
    lines = [act.does, "", f"{WHO[act.by]} {_example(group, act)}", "", "Parameters", "----------"]
    command.__doc__ = "\n".join([*lines, *(line for name, text in helps for line in (name, f"    {text}"))])
    return command


def _given(take: Take) -> inspect.Parameter:
    """Option of a value that an act takes."""
    return _option(take.name.replace("-", "_"), str, inspect.Parameter.empty if take.default is None else take.default)


def _option(name: str, kind: Any, default: Any) -> inspect.Parameter:  # noqa: ANN401 - a type and a value of it
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=kind, default=default)


def run_act(
    act: Act,
    given: dict[str, str],
    *,
    node: str,
    deployment: Path,
    by: str | None,
    keys: Path | None,
    password_file: Path | None,
    seed: str,
    account: str | None = None,
    group: int | None = None,
) -> dict[str, Any]:
    """Do one act and say what it means. Raises InputError, StateError, ChainError, ContractRevert."""
    from transactive.chain.acts.call import Call
    from transactive.chain.acts.values import arguments
    from transactive.cli.chain.signing import BESIDE, opened, time_of_step

    account = given.get("account", account)
    beside = act.contract in BESIDE
    with opened(node, deployment, keys, password_file, seed, beside=beside) as (client, signers, known):
        member = given.get("member")  # whom it is about, or a number or an address
        about = member if member in known.accounts else account
        part = known.part_of(about, group) if known.groups or group is not None else known
        call = Call(client, part, signers, act, account, by, time_of_step(client))
        key = call.signer()
        client.send(key, call.contract, act.function, *arguments(call, given))
        receipt = client.block(call.now).receipts[-1]
        facts = {"did": act.name, "by": call.by(), "address": key.address, "means": act.then}
        return facts | {"block": receipt.block, "gas": receipt.gas_used, "events": _events(call, receipt.tx_hash)}


def _events(call: Call, tx_hash: bytes) -> list[str]:
    """What the contract logged of the call: numbers that the next act needs, as that of a trade."""
    from transactive.chain.nodes.events import event_of

    log_of = call.client.receipt("0x" + tx_hash.hex())["logs"]
    told = []
    for log in log_of:
        if log["address"].lower() == call.contract.address.lower():
            name, values = event_of(call.contract, log)
            words = (f"{key}={value.hex() if isinstance(value, bytes) else value}" for key, value in values.items())
            told.append(f"{name} {' '.join(words)}")
    return told


def _example(group: Group, act: Act) -> str:
    """A line that somebody can type."""
    words = [f"--{take.name} {take.name.upper()}" for take in act.values if take.default is None]
    if act.by == "account" and not any(take.name == "account" for take in act.values):
        words.append("--account ada")
    return f"\nExample: transactive chain {group.name} {act.name} {' '.join([*words, '--node http://127.0.0.1:8545'])}"
