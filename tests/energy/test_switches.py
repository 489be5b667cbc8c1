"""Switches on a fake uhubctl and rfkill in PATH and a fake sysfs: driven, verified, counted when they fail, on at start and stop."""

import asyncio
import stat
import time

import pytest

from gateway import app, config
from gateway.core.errors import ConfigError, NotConnected
from gateway.energy import device_settings, governor, settings, switches, tables
from gateway.energy.devices import Devices, slows
from gateway.energy.duty import Duty
from gateway.energy.load import Device, JobClass, Variant
from gateway.energy.policy import EnergyPolicy
from gateway.energy.switches import Cpufreq, Rfkill, Switches, Uhubctl, output_of
from gateway.testing import FakeClock

# As uhubctl 2.5 prints: the state before, the state after.
UHUBCTL = """#!/bin/sh
echo "$@" >> {folder}/said
[ -e {folder}/broken ] && {{ echo "No compatible devices detected!"; exit 1; }}
[ -e {folder}/hangs ] && exec sleep 60
echo "Current status for hub 1-1 [2109:3431 USB2.0 Hub, USB 2.10, 4 ports, ppps]"
echo "  Port 2: 0100 power"
[ "$6" = off ] && word="0000 off" || word="0100 power"
[ -e {folder}/stuck ] && word="0100 power"
echo "New status for hub 1-1 [2109:3431 USB2.0 Hub, USB 2.10, 4 ports, ppps]"
echo "  Port 2: $word"
"""


@pytest.fixture
def path(tmp_path, monkeypatch):
    """A folder of fakes, first in PATH."""
    for name, text in (("uhubctl", UHUBCTL), ("rfkill", "#!/bin/sh\necho rfkill \"$@\" >> {folder}/said\n")):
        file = tmp_path / name
        file.write_text(text.format(folder=tmp_path))
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", "%s:/usr/bin:/bin" % tmp_path)
    return tmp_path


def said(path):
    return (path / "said").read_text().splitlines()


async def test_a_port_is_switched_and_what_uhubctl_says_is_believed(path):
    port = Uhubctl({"hub": "1-1", "port": 2}, path)
    await port.set(False)
    await port.set(True)
    assert said(path) == ["-l 1-1 -p 2 -a off", "-l 1-1 -p 2 -a on"]
    (path / "stuck").touch()
    with pytest.raises(NotConnected, match="is power after uhubctl"):
        await port.set(False)
    (path / "broken").touch()
    with pytest.raises(NotConnected, match="No compatible devices"):
        await port.set(False)
    with pytest.raises(NotConnected, match="not named"):
        (path / "broken").unlink()
        await Uhubctl({"hub": "1-1", "port": 3}, path).set(True)


async def test_a_command_that_hangs_or_is_not_there(path, monkeypatch):
    monkeypatch.setattr(switches, "TIMEOUT_S", .2)
    (path / "hangs").touch()
    with pytest.raises(NotConnected, match="does not end"):
        await output_of("uhubctl", "-l", "1-1")
    with pytest.raises(NotConnected, match="cannot be run"):
        await output_of("uhubctl-that-is-not-there")


def cpufreq(root, **values):
    folder = root / "sys/devices/system/cpu/cpufreq/policy0"
    folder.mkdir(parents=True)
    for name, value in dict({"cpuinfo_max_freq": 1000000, "cpuinfo_min_freq": 600000, "scaling_max_freq": 1000000}, **values).items():
        (folder / name).write_text("%d\n" % value)
    return folder / "scaling_max_freq"


async def test_a_clock_is_capped_and_let_go(tmp_path):
    file = cpufreq(tmp_path)
    await Cpufreq({"max_khz": 800000}, tmp_path).set(False)
    assert int(file.read_text()) == 800000
    await Cpufreq({"max_khz": 1}, tmp_path).set(False)
    assert int(file.read_text()) == 600000
    await Cpufreq({"max_khz": 800000}, tmp_path).set(True)
    assert int(file.read_text()) == 1000000
    with pytest.raises(NotConnected, match="no cpufreq"):
        await Cpufreq({"max_khz": 800000}, tmp_path / "nowhere").set(True)


async def test_a_cap_beyond_what_the_guard_reckons_with_is_refused(tmp_path):
    class Governor:
        root, values = tmp_path, {"worst": 1.6}
    cpufreq(tmp_path)
    slows(Governor, 700000)
    with pytest.raises(ConfigError, match="1.67 times slower"):
        slows(Governor, 600000)


def driven(parts):
    """Switches, the list of starts that they told of, and what they logged."""
    starts, log = [], []
    return Switches(parts, FakeClock(), lambda level, words: log.append(words), starts.append), starts, log


async def test_on_at_start_as_wanted_then_on_at_stop(path):
    want = {"stick": True, "wifi": True}
    port, radio = Uhubctl({"hub": "1-1", "port": 2}, path), Rfkill({"radio": "wifi"}, path)
    made, starts, _ = driven({"stick": (port, lambda: want["stick"]), "wifi": (radio, lambda: want["wifi"])})
    running = asyncio.ensure_future(made.run(lambda: None))

    async def until(state):
        while made.on != state:
            await asyncio.sleep(.01)
    await until({"stick": True, "wifi": True})
    assert sorted(said(path)) == ["-l 1-1 -p 2 -a on", "rfkill unblock wifi"] and starts == []  # whatever a crash has left
    want.update(stick=False, wifi=False)
    await until({"stick": False, "wifi": False})
    want["wifi"] = True
    await until({"stick": False, "wifi": True})
    assert starts == ["wifi"]
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert made.on == {"stick": True, "wifi": True} and said(path)[-1] == "-l 1-1 -p 2 -a on"
    assert made.counters == {"switched_on": 4, "switched_off": 2, "switch_faults": 0}


async def test_a_switch_that_fails_is_counted_said_once_and_tried_again_later(path):
    (path / "broken").touch()
    made, _, log = driven({"stick": (Uhubctl({"hub": "1-1", "port": 2}, path), lambda: False)})
    await made._each()
    await made._each()  # at once: it rests
    assert made.on == {"stick": None} and made.counters["switch_faults"] == 1 and "No compatible" in made.faults["stick"]
    made.clock.now += switches.RETRY_MS
    await made._each()
    assert made.counters["switch_faults"] == 2 and len(log) == 1
    (path / "broken").unlink()
    made.clock.now += switches.RETRY_MS
    await made._each()
    assert made.on == {"stick": False} and made.faults == {}


def test_duty_of_the_radio():
    now, state = FakeClock(), {"short": False, "waits": True, "alarms": 0}
    duty = Duty(900000, 120000, now, lambda: state["short"], lambda: state["waits"], lambda: state["alarms"])
    assert duty.on() and duty.closed() == ""
    state["short"] = True
    now.now += 100000
    assert duty.on()  # what waits goes first
    state["waits"] = False
    assert not duty.on() and "900 s" in duty.closed()
    state["waits"] = True
    now.now += 899000
    assert not duty.on()
    now.now += 1000
    assert duty.on() and duty.counters == {"flushes": 1, "flushes_cut": 0}
    now.now += 120000  # nobody answers: the flush ends
    assert not duty.on() and duty.counters["flushes_cut"] == 1
    state["alarms"] = 1  # an alarm does not wait, but it is tried once
    assert duty.on() and duty.counters["flushes"] == 2
    now.now += 120000
    assert not duty.on() and not duty.on()
    state["short"] = False
    assert duty.on() and duty.closed() == ""


GATEWAY = """
[gateway]
data = '%s'
[[sensor]]
name = "bed"
kind = "simulated"
feeds = "ecg"
options = { speed = 4.0 }
[[plugin]]
name = "ecg"
kind = "ecg"
[[uplink]]
name = "file"
kind = "file"
[[uplink]]
name = "hub"
kind = "http"
options = { url = "http://127.0.0.1:9" }
[energy]
battery_wh = 40.0
[[energy.class]]
name = "ecg"
critical = true
period_ms = 100
deadline_ms = 1000
variant = [ { name = "baseline", time_ms = 0.3, utility = 1.0 } ]
[[energy.device]]
name = "wifi"
power_mw = 250
start_mj = 3000
switch = { kind = "rfkill", every_min = 15, open_s = 5 }
[[energy.device]]
name = "clock"
power_mw = 0
switch = { kind = "cpufreq", max_khz = 800000 }
"""


async def test_the_radio_of_a_gateway_that_runs(path, monkeypatch):
    """A drained battery: what waits is tried for a while, then the radio is off; the file goes on. At the stop it is on again."""
    battery, clock = path / "sys/class/power_supply/BAT0", cpufreq(path)
    battery.mkdir(parents=True)
    (battery / "capacity").write_text("90\n")
    monkeypatch.setenv("HEED_SYSFS", str(path))
    monkeypatch.setattr(governor, "EVERY_MS", 100)
    monkeypatch.setattr(switches, "EVERY_MS", 100)
    chosen, faults = config.check_text(GATEWAY % (path / "data"), "t.toml", [])
    assert not faults, [str(fault) for fault in faults]
    gateway = app.Gateway(chosen)
    running, began, devices = asyncio.ensure_future(gateway.run()), time.monotonic(), gateway.energy.devices
    devices.duty.open_ms = 500

    async def until(state, notes):
        while devices.switches.on != state or not notes():
            assert time.monotonic() - began < 60, (devices.shown(), gateway.status.snapshot()["parts"])
            await asyncio.sleep(.05)
    parts = {part: runner for runner, part in gateway.runners.items()}
    file, hub = parts["[[uplink]] 'file'"], parts["[[uplink]] 'hub'"]
    await until({"wifi": True, "clock": True}, lambda: gateway.energy.counters["jobs"])
    (battery / "capacity").write_text("2\n")
    await until({"wifi": False, "clock": False}, lambda: "the radio is on again in" in hub.pace.hold())
    assert int(clock.read_text()) == 800000 and file.pace.hold() == ""
    (battery / "capacity").write_text("90\n")
    await until({"wifi": True, "clock": True}, lambda: gateway.energy.ladder.rungs["energy"] == 0 and not hub.pace.hold())
    assert gateway.energy.counted()["switched_off"] == 2
    (battery / "capacity").write_text("2\n")
    await until({"wifi": False, "clock": False}, lambda: True)
    gateway.stop()
    await running
    assert devices.switches.on == {"wifi": True, "clock": True} and said(path)[-1] == "rfkill unblock wifi" and int(clock.read_text()) == 1000000


def camera(device="camera"):
    """A class with a device of its own, which energy may turn off."""
    return JobClass("vision", 1000, 500000, 100000, False, [Variant("small", 1000, 1000, 1000)], [100] * 24, Device(device, 120, 400))


def checked(given, classes):
    faults = []
    return device_settings.check(given, classes, lambda *fault: faults.append(" ".join(fault))), faults


BASE = {"name": "camera", "power_mw": 120, "start_mj": 400}


@pytest.mark.parametrize("given, what", [
    (dict(BASE, switch={"kind": "uhubclt", "hub": "1-1", "port": 2}), 'did you mean "uhubctl"?'), (dict(BASE, switch={"kind": "uhubctl"}), '"hub" is missing'),
    (dict(BASE, switch="camera"), "switch"), (dict(BASE, switch={"kind": "camera", "port": 1}), "unknown option"),
    (dict(BASE, name="other", switch={"kind": "camera"}), "no [[energy.class]] names it"), (dict(BASE, power_mw=-1.0), "power_mw"),
    (dict(BASE, switch={"kind": "rfkill"}), "is a matter of the whole gateway"),
    (dict(BASE, name="wifi", power_mw=2, start_mj=3000, switch={"kind": "rfkill"}), "2 mW x 900 s = 1800 mJ")])
def test_faults_of_a_switch(given, what):
    _, faults = checked([given], [camera()])
    assert faults and any(what in fault for fault in faults), faults


def test_a_device_without_a_switch_is_always_on_and_counted_so():
    classes = [camera()]
    facts, faults = checked([BASE], classes)
    policy = EnergyPolicy(classes, 1000000, 580)
    devices = Devices(facts, policy)
    assert not faults and classes[0].device is None and devices.always_mw == 120 and devices.drawn(1000) == [("camera", 120000)]
    assert devices.shown() == [{"name": "camera", "kind": "", "on": True, "state": "always on", "fault": ""}]


def test_what_the_policy_has_turned_off_draws_until_its_switch_has():
    classes = [camera("stick")]
    facts, _ = checked([dict(BASE, name="stick", switch={"kind": "uhubctl", "hub": "1-1", "port": 2})], classes)
    devices = Devices(facts, EnergyPolicy(classes, 1000000, 580))
    devices.switches = driven({"stick": (None, None)})[0]
    devices.switches.on["stick"] = True
    devices.policy.off.add("vision")
    assert not devices.wanted("stick") and devices.drawn(1000) == [("stick", 120000)]
    devices.switches.on["stick"] = False
    assert devices.drawn(1000) == []


def test_a_camera_and_a_stick_of_one_class():
    classes = tables.classes({"device": [BASE, dict(BASE, name="stick", power_mw=950, start_mj=2000), dict(BASE, name="lamp")], "class": [
        {"name": "vision", "device": ["camera", "stick", "lamp"], "variant": [{"name": "small", "time_ms": 1, "utility": 1.0}]}]},
        tables.board("zero2w"), "t")
    assert (classes[0].device.power_mw, classes[0].device.start_mj) == (120 + 950 + 120, 400 + 2000 + 400)
    facts, faults = checked([dict(BASE, switch={"kind": "camera"}), dict(BASE, name="lamp"), dict(
        BASE, name="stick", power_mw=950, start_mj=2000, switch={"kind": "uhubctl", "hub": "1-1", "port": 2})], classes)
    devices = Devices(facts, EnergyPolicy(classes, 1000000, 580))
    assert not faults and classes[0].device.names == ("camera", "stick") and classes[0].device.power_mw == 1070 and devices.always_mw == 120
    assert devices.camera(classes[0]) == "camera" and devices.wanted("stick")
    devices.policy.off.add("vision")
    assert [name for name, _ in devices.drawn(1000)] == ["lamp"]


def test_settings_of_a_gateway_hold_the_devices():
    faults = []
    chosen = settings.check({"device": [dict(BASE, switch={"kind": "camera"})], "class": [
        {"name": "vision", "device": "camera", "variant": [{"name": "small", "time_ms": 1, "utility": 1.0}]}]}, ["vision"], lambda *f: faults.append(f))
    assert not faults and chosen.devices[0]["kind"] == "camera" and chosen.classes[0].device.name == "camera"
