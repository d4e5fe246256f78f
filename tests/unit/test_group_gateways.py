"""Each group's readings and corrections are signed by its own gateway, by places that count within the group."""

from __future__ import annotations

import numpy as np

from transactive.chain.keys.keys import DemoKeys
from transactive.chain.keys.roles import gateway_role
from transactive.core.proofs.corrections import NUMBERS, correction_digest
from transactive.core.proofs.signing import signer
from transactive.core.tables import Readings
from transactive.engine.books import signed_run
from transactive.engine.books.signed_run import Gateway, SignedRun

CHAIN = 31337
KEYS = [DemoKeys("gateways").role(gateway_role(number)) for number in range(2)]
GATEWAYS = [Gateway(bytes(key.key), str(key.address)) for key in KEYS]
SPANS = [range(2), range(2, 5)]


def run() -> SignedRun:
    return SignedRun(GATEWAYS[0], CHAIN, groups=list(zip(SPANS, GATEWAYS, strict=True)))


def test_every_gateway_signs_the_meters_of_its_group(monkeypatch):
    entered = []
    monkeypatch.setattr(signed_run, "enter", lambda signed, gateway, _: entered.append((signed.readings, gateway)))
    columns = [np.arange(5, dtype=np.int64) + 10 * k for k in range(5)]
    readings = Readings(3_600, *columns)
    assert run().enter(readings) is readings
    assert [gateway for _, gateway in entered] == [gateway.address for gateway in GATEWAYS]
    assert [part.import_wh.tolist() for part, _ in entered] == [[0, 1], [2, 3, 4]]
    assert [part.slot for part, _ in entered] == [3_600, 3_600]


def test_a_correction_names_the_place_in_the_group_and_is_signed_there():
    for member, place, key in ((1, 1, KEYS[0]), (2, 0, KEYS[1]), (4, 2, KEYS[1])):
        line = [member, 3_600, 3_600, *[5] * (len(NUMBERS) - 3)]
        digest = correction_digest([place, *line[1:]], CHAIN)
        assert signer(digest, run().sign_correction(line), "the line") == str(key.address).lower()
