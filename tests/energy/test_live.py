"""A gateway that runs: a drained battery, a hot processor and a lost accelerator each move down and up the ladder, and no critical
deadline is missed. Which domains take part is settings: SETTINGS names three streams on real recordings."""

import asyncio
import json
import shutil
import time

import pytest

from gateway import app, config, status
from gateway.core.compat import sha256_hex
from gateway.core.errors import ModelError
from gateway.energy import descent, governor
from models import attention
from models.package import folder_of
from models.runtimes.litert import LiteRt

SETTINGS = """
[gateway]
name = "ladder"
data = '{data}'
[[sensor]]
name = "bed-1"
kind = "replay"
feeds = "ecg"
options = {{ record = '{mitdb}/200', speed = 4.0, loop = true, block_ms = 250 }}
[[sensor]]
name = "road-1"
kind = "replay"
feeds = "road"
options = {{ record = '{mitdb}/100', speed = 4.0, loop = true, block_ms = 250 }}
[[sensor]]
name = "yard-1"
kind = "replay"
feeds = "yard"
options = {{ record = '{mitdb}/208', speed = 4.0, loop = true, block_ms = 250 }}
[[plugin]]
name = "ecg"
kind = "ecg"
model = '{package}'
[[plugin]]
name = "road"
kind = "generic"
model = '{package}'
options = {{ length = [208, 15] }}
[[plugin]]
name = "yard"
kind = "generic"
model = '{package}'
options = {{ length = [208, 15] }}
[[uplink]]
name = "file"
kind = "file"
[energy]
battery_wh = 40.0
summary_s = 2
[[energy.class]]
name = "ecg"
weight = 5.0
critical = true
period_ms = 80
deadline_ms = 1000
variant = [ {{ name = "baseline", time_ms = 1, energy_mj = 1, utility = 0.7 }},
            {{ name = "tpu", time_ms = 2, energy_mj = 1.5, utility = 1.0, device = "tpu" }},
            {{ name = "int8", time_ms = 4, energy_mj = 2, utility = 0.99 }} ]
[[energy.class]]
name = "road"
weight = 2.0
period_ms = 140
deadline_ms = 5000
variant = [ {{ name = "baseline", time_ms = 1, energy_mj = 1, utility = 0.7 }}, {{ name = "int8", time_ms = 4, energy_mj = 1.2, utility = 1.0 }} ]
[[energy.class]]
name = "yard"
weight = 4.0
period_ms = 140
deadline_ms = 500
variant = [ {{ name = "baseline", time_ms = 1, energy_mj = 1, utility = 0.7 }}, {{ name = "int8", time_ms = 4, energy_mj = 9, utility = 1.0 }} ]
"""


class FakeTpu(LiteRt):
    """An accelerator that can be pulled out."""

    there = True

    def __init__(self, data, name):
        if not FakeTpu.there:
            raise ModelError("the accelerator does not answer")
        super().__init__(data, name)
        invoke = self.invoke

        def watched():
            if not FakeTpu.there:
                raise RuntimeError("the accelerator does not answer")
            invoke()
        self.invoke = watched


@pytest.fixture
def site(tmp_path, mitdb, monkeypatch):
    """A settings file, a fake sysfs, a package with a variant for the accelerator."""
    package = tmp_path / "package"
    shutil.copytree(folder_of("ecg"), package, ignore=shutil.ignore_patterns("recipe", "__pycache__"))
    manifest = json.loads((package / "manifest.json").read_text())
    file = package / "step_float.tflite"
    manifest["variants"].append({"name": "tpu", "runtime": "edgetpu", "file": file.name, "sha256": sha256_hex(file.read_bytes())})
    manifest["fallback"] = ["tpu", *manifest["fallback"]]
    (package / "manifest.json").write_text(json.dumps(manifest))
    put(tmp_path, "temp", 50000)
    put(tmp_path, "capacity", 90)
    monkeypatch.setenv("HEED_SYSFS", str(tmp_path))
    monkeypatch.setitem(attention.RUNTIMES, "edgetpu", FakeTpu)
    monkeypatch.setattr(FakeTpu, "there", True)
    monkeypatch.setattr(governor, "EVERY_MS", 100)
    monkeypatch.setattr(descent, "RETRY_MS", 1500)
    (tmp_path / "heed.toml").write_text(SETTINGS.format(data=tmp_path / "data", mitdb=mitdb, package=package))
    return tmp_path


def put(folder, name, value):
    """Let a file of the fake sysfs say something."""
    path = folder / ("sys/class/thermal/thermal_zone0/temp" if name == "temp" else "sys/class/power_supply/BAT0/capacity")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("%d\n" % value)


async def until(gateway, what, seconds=120):
    """Wait for what(governor) to hold."""
    began = time.monotonic()
    while not what(gateway.energy):
        assert time.monotonic() - began < seconds, (gateway.energy.ladder.rungs, gateway.energy.counted())
        await asyncio.sleep(.05)


def ran(gateway, name):
    """A test for until(): a variant runs now, whatever ran before."""
    before = gateway.energy.ledger.days[gateway.energy.clock.wall_ms() // 86400000].get("model/" + name, [0, 0])[1]
    return lambda g: g.ledger.days[g.clock.wall_ms() // 86400000].get("model/" + name, [0, 0])[1] > before


async def test_down_and_up_the_ladder(site):
    chosen = config.load(site / "heed.toml", [], {"board": "zero2w", "meter": "model"})
    gateway = app.Gateway(chosen)
    running = asyncio.ensure_future(gateway.run())
    await until(gateway, lambda g: g.counters["jobs"] > 20)
    await until(gateway, ran(gateway, "ecg/tpu"))
    await until(gateway, ran(gateway, "road/int8"))

    put(site, "capacity", 2)  # the battery is drained
    await until(gateway, lambda g: g.ladder.rungs["energy"] == 2)
    await until(gateway, ran(gateway, "ecg/baseline"))
    refused = gateway.energy.policy.counters["refused_reserve"]
    await until(gateway, lambda g: g.policy.counters["refused_reserve"] > refused + 1)
    put(site, "capacity", 90)
    await until(gateway, lambda g: g.ladder.rungs["energy"] == 0)
    await until(gateway, ran(gateway, "road/int8"))

    put(site, "temp", 82000)  # the processor is hot, then very hot
    await until(gateway, lambda g: g.ladder.rungs["heat"] == 1)
    await until(gateway, ran(gateway, "road/baseline"))
    put(site, "temp", 86000)
    await until(gateway, lambda g: g.ladder.rungs["heat"] == 2)
    await until(gateway, ran(gateway, "ecg/baseline"))
    put(site, "temp", 60000)
    await until(gateway, lambda g: g.ladder.rungs["heat"] == 0)
    await until(gateway, ran(gateway, "ecg/tpu"))

    FakeTpu.there = False  # the accelerator is pulled out
    await until(gateway, lambda g: g.ladder.rungs["accelerator"] == 1)
    await until(gateway, ran(gateway, "ecg/int8"))
    FakeTpu.there = True
    await until(gateway, lambda g: g.ladder.rungs["accelerator"] == 0)
    await until(gateway, ran(gateway, "ecg/tpu"))

    gateway.stop()
    await running
    energy = gateway.energy
    assert energy.counters["critical_missed"] == 0 and energy.counters["jobs"] > 100
    assert energy.ladder.shown() == [] and energy.ladder.counters["steps_down"] >= 4 and energy.ladder.counters["steps_up"] >= 3
    shown = status.read(site / "data")
    counters = {part["name"]: part["counters"] for part in shown["parts"]}["energy"]
    assert counters["refused_reserve"] > 0 and shown["energy"]["meter"] == "model" and shown["energy"]["history"]
    told = [json.loads(line) for line in (site / "data" / "summaries.jsonl").read_text().splitlines()]
    assert any(line["kind"] == "energy" and line["data"]["meter"] == "model" and line["data"]["mj_per_inference"] > 0 for line in told)
    who = set(shown["energy"]["today"])
    assert {"base/zero2w", "model/ecg/tpu", "plugin/ecg", "sensor/bed-1", "uplink/file"} <= who
    kept = json.loads((site / "data" / "energy.json").read_text())
    assert kept["days"] and .85 < kept["share"] <= .9


async def test_without_an_energy_table_nothing_changes(site):
    text = (site / "heed.toml").read_text().split("[energy]")[0]
    chosen, faults = config.check_text(text, "test", [])
    assert not faults and app.Gateway(chosen).energy is None
