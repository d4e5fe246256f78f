"""The grid's operator at home: its limit goes before every plan to its end; and a street that begins apart."""

from functools import partial
from pathlib import Path

import pytest

from tests.unit.test_dispatch import FULL, MOST, NOW, SLOT, Battery, House, rules
from transactive.core.boxes.messages import ImportLimit
from transactive.core.errors import ConfigError
from transactive.node.dispatch import grid_signal
from transactive.node.dispatch.driver import DeviceDriver, HomeDriver, moment_of
from transactive.node.dispatch.grid_signal import SIGNAL_FILE, GridSignal
from transactive.node.dispatch.profile import BATTERY
from transactive.node.dispatch.rulebook import RuleBook

CONTACT = 'via = "file"\nfile = "{file}"\nmost_w = 4_200\nhold = 600\n'
GATEWAY = """
via = "mqtt"
address = "mqtt://127.0.0.1"
most_w = { at = "grid/limit", path = "watts" }
seconds = { at = "grid/limit", path = "seconds" }
"""


def book_of(folder: Path) -> RuleBook:
    return RuleBook(folder, {BATTERY: FULL})


def test_a_contact_limits_while_it_is_closed_and_to_its_end_where_it_breaks(tmp_path):
    pin, said = tmp_path / "pin", list[str]()
    pin.write_text("0\n")
    (tmp_path / SIGNAL_FILE).write_text(CONTACT.format(file=pin))
    book = book_of(tmp_path)
    signal = GridSignal(tmp_path, book, said.append)
    signal.look(NOW)
    assert (book.most_import_w(NOW), said) == (None, [])
    pin.write_text("1\n")
    for after in range(0, 3_600, 60):  # it is renewed for as long as it is closed
        signal.look(NOW + after)
        assert book.most_import_w(NOW + after) == 4_200
    assert said == ["the grid's operator limits the home to 4200 W"]
    pin.unlink()
    later = NOW + 3_600
    signal.look(later)
    assert "cannot be read" in said[-1]
    again = book_of(tmp_path)  # the box lost power
    assert (again.most_import_w(later + 200), again.most_import_w(later + 600)) == (4_200, None)
    pin.write_text("0")
    signal.look(later + 60)
    assert (book.most_import_w(later + 60), said[-1]) == (None, "the limit is over")


class Gateway:
    """The broker's end of a gateway."""

    def __init__(self, _url: str, _name: str, topics: tuple[str, ...], hear, **_: object) -> None:
        self.topics, self.hear = topics, hear
        Gateway.last = self

    last: "Gateway"

    def begin(self) -> None: ...

    def end(self) -> None: ...


def test_a_gateway_tells_a_limit_with_its_time_and_the_lower_one_holds(tmp_path, monkeypatch):
    monkeypatch.setattr(grid_signal, "MqttClient", Gateway)
    (tmp_path / SIGNAL_FILE).write_text(GATEWAY)
    book, said = book_of(tmp_path), list[str]()
    signal = GridSignal(tmp_path, book, said.append)

    def says(text: str) -> int | None:
        Gateway.last.hear("grid/limit", text.encode())
        signal.look(NOW)
        return book.most_import_w(NOW)

    assert says('{"watts": 4200, "seconds": 7200}') == 4_200
    assert (book.most_import_w(NOW + 7_199), book.most_import_w(NOW + 7_200)) == (4_200, None)
    for wrong in ("{", '{"watts": -1, "seconds": 60}', '{"watts": 1, "seconds": 90000}', '{"watts": 1}'):
        assert says(wrong) == 4_200
        assert said[-1].startswith("not followed")
    assert book.take(ImportLimit(1, NOW, NOW + 60, 6_000), NOW) == ""
    assert book.most_import_w(NOW) == 4_200
    assert says('{"watts": 9000, "seconds": 60}') == 6_000
    assert says('{"watts": 0, "seconds": 0}') == 6_000
    assert book.most_import_w(NOW + 61) is None
    signal.close()


def test_devices_rest_under_a_limit_while_nobody_knows_what_the_home_takes(tmp_path):
    house = House(tmp_path, 500)
    house.book.take(rules(1, levels=(FULL, FULL, FULL, FULL)), NOW)
    assert house.minutes(3) == MOST.charge_w
    house.book.signal(NOW, NOW + SLOT, 4_200)
    assert house.minutes(3, meter=False) == 0
    assert house.driver.doing == "rests, as far as the grid's operator allows"


@pytest.mark.parametrize(
    ("text", "why"), [(GATEWAY.replace("grid/limit", "other", 1), "one message"), ("via = 1", "via")]
)
def test_a_signal_that_is_none_is_named(text, why, tmp_path):
    (tmp_path / SIGNAL_FILE).write_text(text)
    with pytest.raises(ConfigError, match=why):
        GridSignal(tmp_path, book_of(tmp_path), print)


@pytest.mark.parametrize(("spread", "most"), [(0, 500), (300, 25)])
def test_the_homes_of_a_street_begin_apart(tmp_path, spread, most):
    """500 homes whose plans say to charge from the same moment on: how many begin in the same five seconds."""
    homes, told = list[DeviceDriver](), (FULL, FULL, FULL, FULL)
    street = list[HomeDriver]()

    def plan(at: int) -> tuple[int, int, int, int] | None:
        return told if at >= NOW + 60 else None

    for number in range(500):
        driver = DeviceDriver("battery", Battery(1_000), MOST, lambda _: None)
        start = partial(moment_of, f"0x{number:040x}", spread)
        home = HomeDriver(tmp_path, {BATTERY: driver}, book_of(tmp_path), start)
        home.plan = plan
        homes.append(driver)
        street.append(home)
    steps, before = list[int](), 0
    for at in range(NOW, NOW + 60 + 2 * max(spread, 60), 5):
        for home in street:
            home.step(at, (100_000, 0, 0, 0, 0), float(at))
        charging = sum(driver.power_w == MOST.charge_w for driver in homes)
        steps.append(charging - before)
        before = charging
    assert before == 500
    assert 0 < max(steps) <= most
