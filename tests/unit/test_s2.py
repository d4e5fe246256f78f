"""An energy manager that speaks S2: what it says to devices, what it refuses, and how it plans what they describe."""

from __future__ import annotations

import itertools
import json
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from transactive.cli.s2.actions import token_in
from transactive.core.errors import ConfigError, InputError
from transactive.protocols.s2.manager import UNREADABLE, ManagedDevice
from transactive.protocols.s2.messages import VERSION
from transactive.protocols.s2.server import MOST_BYTES, DeviceDoor, device_server

HOUR, SLOTS = 3_600, 24
START = 1_717_200_000 // 86_400 * 86_400
NEED = np.where(np.arange(48) % 24 < 6, 100_000, np.where(np.arange(48) % 24 >= 18, 400_000, 250_000))
SPARE = NEED - 50_000
IDS = (f"m{number}" for number in itertools.count(10))


def prices(now):
    slot = now - now % HOUR
    first = (slot - START) // HOUR
    return slot, NEED[first : first + SLOTS].astype(np.int64), SPARE[first : first + SLOTS].astype(np.int64)


def device(now=lambda: START):
    return ManagedDevice(prices, HOUR, "EUR", now)


def say(to, kind, **fields):
    """What is answered to a message, without the acknowledgement, which must be OK."""
    message_id = next(IDS)
    answers = [
        json.loads(one)
        for one in to.heard(json.dumps({"message_type": kind, "message_id": message_id, **fields}).encode())
    ]
    assert answers[0] == {"message_type": "ReceptionStatus", "subject_message_id": message_id, "status": "OK"}, answers
    return answers[1:]


def power(first, last):
    return [{"start_of_range": first, "end_of_range": last, "commodity_quantity": "ELECTRIC.POWER.L1"}]


def element(watts, rates, levels=(0, 100)):
    return {
        "fill_level_range": {"start_of_range": levels[0], "end_of_range": levels[1]},
        "fill_rate": {"start_of_range": rates[0], "end_of_range": rates[1]},
        "power_ranges": power(*watts),
    }


def storage(*, gives=True):
    """10 kWh in 100 %, 5 kW both ways, 90 % out of what went in."""
    modes = [
        {"id": "charge", "abnormal_condition_only": False, "elements": [element((0, 5_000), (0, 50 / HOUR))]},
        {"id": "idle", "abnormal_condition_only": False, "elements": [element((0, 0), (0, 0))]},
    ]
    if gives:
        modes.append(
            {"id": "give", "abnormal_condition_only": False, "elements": [element((0, -4_500), (0, -50 / HOUR))]}
        )
    return {
        "valid_from": "2024-06-01T00:00:00Z",
        "actuators": [
            {"id": "inverter", "operation_modes": modes, "transitions": [], "timers": [], "supported_commodities": []}
        ],
        "storage": {"fill_level_range": {"start_of_range": 0, "end_of_range": 100}},
    }


def begun(kind, now=lambda: START, **details):
    made = device(now)
    (chosen,) = say(made, "Handshake", role="RM", supported_protocol_versions=[VERSION])
    assert chosen["selected_protocol_version"] == VERSION
    (selected,) = say(made, "ResourceManagerDetails", resource_id="box", available_control_types=[kind], **details)
    assert selected["control_type"] == kind
    return made


def test_a_storage_fills_when_energy_is_cheap_and_gives_when_it_is_dear():
    clock = itertools.count(START, HOUR)
    made = begun("FILL_RATE_BASED_CONTROL", lambda: next(clock))
    assert say(made, "FRBC.SystemDescription", **storage()) == []
    level, moved = 0.0, []
    for _ in range(SLOTS):
        (told,) = say(made, "FRBC.StorageStatus", present_fill_level=level)
        assert told["actuator_id"] == "inverter"
        factor = told["operation_mode_factor"]
        change = {"charge": 50 * factor, "idle": 0.0, "give": -50 * factor}[told["operation_mode"]]
        level += change
        moved.append(round(change, 3))
        assert 0 <= level <= 100.01
    assert sum(moved[:6]) == pytest.approx(100)
    assert moved[6:18] == [0.0] * 12
    assert sum(moved[18:]) == pytest.approx(-100, abs=0.1)


def test_a_storage_that_must_be_full_in_time_fills_in_its_cheapest_hours_before():
    made = begun("FILL_RATE_BASED_CONTROL", lambda: START + 6 * HOUR)
    say(made, "FRBC.SystemDescription", **storage(gives=False))
    (told,) = say(made, "FRBC.StorageStatus", present_fill_level=0)
    assert told["operation_mode_factor"] == 0.0
    by = [{"duration": 8 * HOUR * 1_000, "fill_level_range": {"start_of_range": 80, "end_of_range": 100}}]
    say(made, "FRBC.FillLevelTargetProfile", start_time="2024-06-01T07:59:00Z", elements=by)
    (told,) = say(made, "FRBC.StorageStatus", present_fill_level=0)
    assert told["operation_mode"] == "charge"
    assert 0.6 <= told["operation_mode_factor"] <= 0.7, "8 kWh by eight are 3 kWh at least before seven, of 5"


def modes(**transition):
    return {
        "valid_from": "2024-06-01T00:00:00Z",
        "operation_modes": [
            {"id": "off", "power_ranges": power(0, 0), "abnormal_condition_only": False},
            {"id": "engine", "power_ranges": power(-3_000, -3_000), "abnormal_condition_only": False,
             "running_costs": {"start_of_range": 0.9 / HOUR, "end_of_range": 0.9 / HOUR}},
        ],
        "transitions": [
            {"id": "t-1", "from": "off", "to": "engine", "start_timers": ["rest"], "blocking_timers": [], **transition},
            {"id": "t-2", "from": "engine", "to": "off", "start_timers": [], "blocking_timers": ["rest"]},
        ],
        "timers": [{"id": "rest", "duration": 2 * HOUR * 1_000}],
    }  # fmt: skip


def test_a_device_runs_in_the_mode_that_costs_least_and_no_timer_is_passed_over():
    clock = [START + 17 * HOUR]
    made = begun("OPERATION_MODE_BASED_CONTROL", lambda: clock[0], currency="EUR")
    say(made, "OMBC.SystemDescription", **modes())
    found, active = [], "off"
    for hour in range(17, 26):
        clock[0] = START + hour * HOUR
        (told,) = say(made, "OMBC.Status", active_operation_mode_id=active, operation_mode_factor=0)
        active = told["operation_mode_id"]
        found.append(active)
    # 3 kWh bring 1.05 from 18:00 to 24:00 and cost 0.90; before and after they bring less
    assert found == ["off", *["engine"] * 6, "off", "off"]
    clock[0] = START + 23 * HOUR
    late = begun("OPERATION_MODE_BASED_CONTROL", lambda: clock[0], currency="EUR")
    say(late, "OMBC.SystemDescription", **modes())
    (told,) = say(late, "OMBC.Status", active_operation_mode_id="off", operation_mode_factor=0)
    assert told["operation_mode_id"] == "engine"
    clock[0] += HOUR
    (told,) = say(late, "OMBC.Status", active_operation_mode_id="engine", operation_mode_factor=0)
    assert told["operation_mode_id"] == "engine", "its timer forbids to stop before two hours"


def test_a_transition_that_costs_more_than_it_brings_is_not_taken():
    made = begun("OPERATION_MODE_BASED_CONTROL", lambda: START + 18 * HOUR, currency="EUR")
    say(made, "OMBC.SystemDescription", **modes(transition_costs=0.91))
    (told,) = say(made, "OMBC.Status", active_operation_mode_id="off", operation_mode_factor=0)
    assert told["operation_mode_id"] == "off", "six hours bring 0.90"


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"{", "INVALID_DATA"),
        (b"\xff", "INVALID_DATA"),
        (b"[" * 100_000, "INVALID_DATA"),
        (b'{"message_type": "Handshake", "message_id": "x"}', "INVALID_DATA"),
        (b'{"message_type": "Handshake", "message_id": "id-1", "role": "NOBODY"}', "INVALID_MESSAGE"),
        (b'{"message_type": "Nothing", "message_id": "id-1"}', "INVALID_MESSAGE"),
        (b'{"message_type": "PowerMeasurement"}', "INVALID_MESSAGE"),
        (b'{"message_type": "Handshake", "message_id": "id-1", "role": "CEM"}', "INVALID_CONTENT"),
        (b'{"message_type": "Handshake", "message_id": "id-1", "role": "RM"}', "INVALID_CONTENT"),
        (b'{"message_type": "FRBC.StorageStatus", "message_id": "id-1", "present_fill_level": 5}', "INVALID_CONTENT"),
        (
            b'{"message_type": "FRBC.StorageStatus", "message_id": "id-1", "present_fill_level": 1e99}',
            "INVALID_MESSAGE",
        ),
    ],
)
def test_what_is_wrong_is_refused_in_words_of_s2_and_changes_nothing(raw, status):
    made = device()
    (answer,) = [json.loads(one) for one in made.heard(raw)]
    assert (answer["message_type"], answer["status"]) == ("ReceptionStatus", status)
    assert answer["subject_message_id"] == ("id-1" if b"id-1" in raw else UNREADABLE)
    assert answer["diagnostic_label"]
    assert vars(made) == vars(made) | {"_agreed": False, "_details": None, "_fill": None, "_modes": None}


def test_what_cannot_be_planned_is_refused_and_what_was_described_stays():
    made = begun("FILL_RATE_BASED_CONTROL")
    say(made, "FRBC.SystemDescription", **storage())
    before = vars(made).copy()
    two = storage()
    two["actuators"] *= 2
    heat = storage()
    for mode in heat["actuators"][0]["operation_modes"]:
        for one in mode["elements"]:
            one["power_ranges"][0]["commodity_quantity"] = "HEAT.THERMAL_POWER"
    still = storage()
    del still["actuators"][0]["operation_modes"][0]
    for wrong in (two, heat, still):
        raw = json.dumps({"message_type": "FRBC.SystemDescription", "message_id": "id-1", **wrong}).encode()
        (answer,) = [json.loads(one) for one in made.heard(raw)]
        assert answer["status"] == "INVALID_CONTENT"
        assert vars(made) == before
    dollars = begun("OPERATION_MODE_BASED_CONTROL", currency="USD")
    raw = json.dumps({"message_type": "OMBC.SystemDescription", "message_id": "id-1", **modes()}).encode()
    assert "pays in EUR" in dollars.heard(raw)[0].decode()


def test_without_prices_nothing_is_planned_and_the_device_hears_that_it_is_for_now():
    def none(now):
        raise ConfigError("data.environment ends; fill it")

    made = ManagedDevice(none, HOUR, "EUR", lambda: START)
    say(made, "Handshake", role="RM", supported_protocol_versions=[VERSION])
    say(made, "ResourceManagerDetails", resource_id="box", available_control_types=["FILL_RATE_BASED_CONTROL"])
    say(made, "FRBC.SystemDescription", **storage())
    raw = b'{"message_type": "FRBC.StorageStatus", "message_id": "id-1", "present_fill_level": 5}'
    assert json.loads(made.heard(raw)[0])["status"] == "TEMPORARY_ERROR"


@given(level=st.floats(-50, 150), hour=st.integers(0, 23), gives=st.booleans())
def test_no_instruction_leaves_the_levels_or_the_power_of_a_storage(level, hour, gives):
    made = begun("FILL_RATE_BASED_CONTROL", lambda: START + hour * HOUR)
    say(made, "FRBC.SystemDescription", **storage(gives=gives))
    (told,) = say(made, "FRBC.StorageStatus", present_fill_level=level)
    factor = told["operation_mode_factor"]
    assert 0 <= factor <= 1
    inside = min(max(level, 0), 100)
    change = {"charge": 50, "idle": 0, "give": -50}[told["operation_mode"]] * factor
    assert -0.02 <= inside + change <= 100.02


NUMBERS = st.floats(-1e12, 1e12) | st.sampled_from([5e-324, 1e-300, 1e-12, 1e-3, 1e6, 1e12, -5e-324, -1e-12, -1e12])


@given(*[NUMBERS] * 8)
def test_no_number_ends_the_line(watts, rate, give, give_rate, low, high, used, leaks):
    """Whatever a device describes, each message is answered: it is refused in words, or planned."""
    described = storage()
    charge, _, giving = described["actuators"][0]["operation_modes"]
    charge["elements"], giving["elements"] = [element((0, watts), (0, rate))], [element((0, give), (0, give_rate))]
    described["storage"]["fill_level_range"] = {"start_of_range": low, "end_of_range": high}
    losing = [{"fill_level_range": {"start_of_range": low, "end_of_range": high}, "leakage_rate": leaks}]
    made = begun("FILL_RATE_BASED_CONTROL")
    for kind, fields in (
        ("FRBC.SystemDescription", described),
        ("FRBC.UsageForecast", {"start_time": "2024-06-01T00:00:00Z",
                                "elements": [{"duration": 10**12, "usage_rate_expected": used}]}),
        ("FRBC.LeakageBehaviour", {"valid_from": "2024-06-01T00:00:00Z", "elements": losing}),
        ("FRBC.StorageStatus", {"present_fill_level": low}),
    ):  # fmt: skip
        raw = json.dumps({"message_type": kind, "message_id": "id-1", **fields}).encode()
        answer, *told = [json.loads(one) for one in made.heard(raw)]
        assert answer["status"] in ("OK", "INVALID_CONTENT")
        assert all(0 <= one["operation_mode_factor"] <= 1 for one in told)


def test_what_a_storage_loses_holds_when_it_is_described_anew():
    made = begun("FILL_RATE_BASED_CONTROL", lambda: START + 17 * HOUR)
    losing = [{"fill_level_range": {"start_of_range": 0, "end_of_range": 100}, "leakage_rate": 50 / HOUR}]
    say(made, "FRBC.SystemDescription", **storage())
    (tight,) = say(made, "FRBC.StorageStatus", present_fill_level=60)
    say(made, "FRBC.LeakageBehaviour", valid_from="2024-06-01T00:00:00Z", elements=losing)
    told = []
    for _ in range(2):
        (one,) = say(made, "FRBC.StorageStatus", present_fill_level=60)
        told.append((one["operation_mode"], one["operation_mode_factor"]))
        say(made, "FRBC.SystemDescription", **storage())
    assert told[0] == told[1] != (tight["operation_mode"], tight["operation_mode_factor"])


def test_of_a_mode_that_is_none_or_of_an_abnormal_condition_no_transition_is_made_up():
    made = begun("OPERATION_MODE_BASED_CONTROL", lambda: START + 18 * HOUR, currency="EUR")
    described = modes()
    described["operation_modes"].append({"id": "fault", "power_ranges": power(0, 0), "abnormal_condition_only": True})
    say(made, "OMBC.SystemDescription", **described)
    unknown = {"active_operation_mode_id": "fan", "operation_mode_factor": 0}
    raw = json.dumps({"message_type": "OMBC.Status", "message_id": "id-1", **unknown}).encode()
    (answer,) = [json.loads(one) for one in made.heard(raw)]
    assert (answer["status"], "not described" in answer["diagnostic_label"]) == ("INVALID_CONTENT", True)
    assert say(made, "OMBC.Status", active_operation_mode_id="fault", operation_mode_factor=0) == []
    described["transitions"].append(
        {"id": "t-3", "from": "fault", "to": "off", "start_timers": [], "blocking_timers": []}
    )
    say(made, "OMBC.SystemDescription", **described)
    (told,) = say(made, "OMBC.Status", active_operation_mode_id="fault", operation_mode_factor=0)
    assert told["operation_mode_id"] == "off", "the engine would be dearer to reach: no transition leads there"


def test_an_empty_token_file_opens_no_door(tmp_path):
    (tmp_path / "token").write_text("\n")
    for wrong in ("token", "none"):
        with pytest.raises(InputError, match="--token-file"):
            token_in(tmp_path / wrong)
    with pytest.raises(InputError, match="0 to 65535"):
        device_server(device, DeviceDoor(port=65_536))
    token = tmp_path / "token"
    for certificate, why in (
        (None, "belong together"),
        (tmp_path / "none", "cannot be used"),
        (token, "cannot be used"),
    ):
        with pytest.raises(InputError, match=why):
            device_server(device, DeviceDoor(port=0, certificate=certificate, key=token))


def test_over_a_line_who_shows_no_token_is_not_heard_and_who_says_too_much_is_cut():
    with pytest.raises(InputError, match="--token-file"):
        device_server(device, DeviceDoor(host="0.0.0.0"))
    server = device_server(device, DeviceDoor(port=0, token="a-secret"))
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    try:
        url, shown = f"ws://127.0.0.1:{server.socket.getsockname()[1]}", {"Authorization": "Bearer a-secret"}
        for wrong in ({}, {"Authorization": "Bearer a-secres"}):
            with pytest.raises(InvalidStatus, match="401"), connect(url, additional_headers=wrong):
                pass
        with connect(url, additional_headers=shown) as line:
            assert json.loads(line.recv())["message_type"] == "Handshake"
            line.send("{")
            assert json.loads(line.recv())["status"] == "INVALID_DATA"
            line.send(" " * (MOST_BYTES + 1))
            with pytest.raises(ConnectionClosed) as cut:
                line.recv()
            assert cut.value.rcvd is not None
            assert cut.value.rcvd.code == 1009
    finally:
        server.shutdown()
        serving.join()
