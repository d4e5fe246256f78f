"""The bench of gas: every row that has a target is made, on a small community too."""

from transactive.bench.proofs.chain import order_rows, purchase_rows, settlement_gas
from transactive.bench.registry import names
from transactive.bench.targets import load_targets


def test_every_target_has_its_row():
    wanted = {target.name: target for target in load_targets(names()) if target.bench == "chain"}
    found = settlement_gas(8)
    rows = {row.name: row for row in (*order_rows(), *purchase_rows())}
    assert {name for name in wanted if name not in found and name not in rows} == {
        "slot commit, first of a period",
        "slot commit, later",
        "netting, a member of 500",
        "a member and slot, a commit for a slot",
        "a member and slot, a commit for four slots",
    }, "and these follow from the first three that are found"
    assert {"first commit", "later commit", "netting"} <= set(found)
    for name in set(found) & set(wanted):
        assert found[name] <= (wanted[name].value_at_most or 0), name
    for name, row in rows.items():
        assert wanted[name].met_by(row), name
