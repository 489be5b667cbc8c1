"""`heed run --board zero2w --meter model` with three domains on real recordings, each with its packaged model: a drained battery, a hot
processor and a lost accelerator each move down and up the ladder, and no critical deadline is missed.

The settings are docs/examples/three-domains-energy.toml with a camera and a clock that are switched and a variant for an accelerator. What
is faked: the sysfs, and the delegate of the Edge TPU (tests/models/fake_edgetpu.c), which runs an operation that nothing else runs.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from firmware_tools.cli import main
from gateway import data, status
from gateway.core.compat import sha256_hex
from gateway.energy.harvest import DAY, SLOT_MS
from models.package import folder_of
from tests.energy.compiled import compiled

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "three-domains-energy.toml"
MORE = """
[[energy.device]]
name = "camera"
power_mw = 120
start_mj = 400
switch = { kind = "camera" }
[[energy.device]]
name = "clock"
power_mw = 0
switch = { kind = "cpufreq", max_khz = 800000 }
"""
TPU = '{ name = "edgetpu", time_ms = 1.8, energy_mj = 6, utility = 1.0, device = "tpu" }, { name = "dynamic", time_ms = 6, utility = 0.95 }'
FILES = {"temp": "sys/class/thermal/thermal_zone0/temp", "capacity": "sys/class/power_supply/BAT0/capacity",
         "clock": "sys/devices/system/cpu/cpufreq/policy0/scaling_max_freq",
         "fastest": "sys/devices/system/cpu/cpufreq/policy0/cpuinfo_max_freq",
         "slowest": "sys/devices/system/cpu/cpufreq/policy0/cpuinfo_min_freq"}
PATIENCE_S = 120  # no figure of ours: the machine may be busy


class Site:
    """A folder with settings, a fake sysfs and a stick that can be pulled; and the gateway that runs there, by the command of a user."""

    def __init__(self, folder, library):
        self.folder, self.library, self.data, self.plug = folder, library, folder / "data", folder / "stick"
        for name, value in (("temp", 50000), ("capacity", 90), ("clock", 1000000), ("fastest", 1000000), ("slowest", 600000)):
            self.put(name, value)
        self.plug.touch()
        self._remember()
        text = EXAMPLE.read_text().replace('"heed-data/solar"', "'%s'" % self.data)
        text = text.replace('model = "vision"', "model = '%s'" % self._package()).replace('{ name = "dynamic", time_ms = 6, utility = 1.0 }', TPU)
        text = text.replace("per_hour = 30000", 'per_hour = 30000\ndevice = "camera"')
        text = text.replace("speed = 120.0", "speed = 400.0").replace("loop = true }", "loop = true, speed = 2.0 }", 1)  # a shorter test
        (folder / "heed.toml").write_text(text.replace("worst = 1.6", "worst = 1.6\nretry_s = 2\nsummary_s = 5") + MORE)

    def _package(self):
        """The packaged model of vision with a variant that needs the stick."""
        package = self.folder / "package"
        shutil.copytree(folder_of("vision"), package, ignore=shutil.ignore_patterns("recipe", "__pycache__"))
        manifest = json.loads((package / "manifest.json").read_text())
        graph = compiled((package / "look_float.tflite").read_bytes())
        (package / "look_edgetpu.tflite").write_bytes(graph)
        manifest["variants"].append({"name": "edgetpu", "runtime": "edgetpu", "file": "look_edgetpu.tflite", "sha256": sha256_hex(graph)})
        manifest["fallback"] = ["edgetpu", *manifest["fallback"]]
        (package / "manifest.json").write_text(json.dumps(manifest))
        return package

    def _remember(self):
        """A week of sun that the gateway has seen: with it energy is cheap."""
        self.data.mkdir()
        day = [2000000 if DAY // 4 <= slot < 3 * DAY // 4 else 0 for slot in range(DAY)]
        (self.data / "energy.json").write_text(json.dumps({"days": {}, "certificates": [], "harvest": 7 * day,
                                                           "next": int(time.time() * 1000) // SLOT_MS}))

    def put(self, name, value):
        """Let a file of the fake sysfs say something."""
        path = self.folder / FILES[name]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("%d\n" % value)

    def clock(self):
        """kHz that the processor may run at."""
        return int((self.folder / FILES["clock"]).read_text())

    def run(self):
        """Start the gateway."""
        environment = dict(os.environ, HEED_SYSFS=str(self.folder), HEED_EDGETPU=self.library, FAKE_EDGETPU_PLUG=str(self.plug))
        self.log = open(self.folder / "log", "w+", encoding="utf-8")
        self.process = subprocess.Popen([sys.executable, "-m", "firmware_tools", "run", str(self.folder / "heed.toml"), "--board", "zero2w",
                                         "--meter", "model"], cwd=ROOT, env=environment, stdout=self.log, stderr=subprocess.STDOUT)

    def stop(self):
        """As systemd would."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(PATIENCE_S)
        self.log.close()
        assert code == 0, (self.folder / "log").read_text()

    def energy(self):
        """(what `heed energy show` knows, the counters)."""
        found = status.read(self.data)
        return found.get("energy"), {part["name"]: part["counters"] for part in found["parts"]}.get("energy")

    def until(self, what):
        """Wait for what(shown, counters) to hold."""
        began, seen = time.monotonic(), None
        while time.monotonic() - began < PATIENCE_S and self.process.poll() is None:
            if (self.data / "status.json").exists():
                seen = self.energy()
                if seen[0] and what(*seen):
                    return
            time.sleep(.1)
        raise AssertionError((seen, (self.folder / "log").read_text()[-3000:]))

    def ran(self, *names, when=lambda shown, counters: True):
        """Wait for variants to run that did not run before, and for when(shown, counters) to hold."""
        before = {name: self.jobs(name) for name in names}
        self.until(lambda shown, counters: when(shown, counters) and all(self.jobs(name, shown) > n for name, n in before.items()))

    def jobs(self, name, shown=None):
        """How often a variant has run."""
        shown = shown or (self.energy()[0] if (self.data / "status.json").exists() else {"today": {}})
        return shown["today"].get("model/" + name, [0, 0])[1]


def rung(cause, n):
    """A test for until(): on this rung for this cause."""
    return lambda shown, _: {row[0]: row[1] for row in shown["ladder"]}.get(cause, 0) == n


@pytest.fixture
def site(tmp_path, mitdb, traffic):
    """A site that runs."""
    if not data.find("vision/video/car-detection.mp4"):
        pytest.skip("no recording of a camera here: set HEED_DATA to a folder with vision/video")
    if not shutil.which("cc"):
        pytest.skip("no C compiler: apt-get install gcc")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", str(tmp_path / "libfake.so"),
                    str(ROOT / "tests" / "models" / "fake_edgetpu.c")], check=True)
    made = Site(tmp_path, str(tmp_path / "libfake.so"))
    made.run()
    yield made
    if made.process.poll() is None:
        made.process.kill()
        made.process.wait()


def test_down_and_up_the_ladder(site):
    best = ("ecg/float", "traffic/float", "vision/edgetpu")
    site.ran(*best)

    # The battery is drained: the sensor lets go of the camera, the clock is capped, the least of ecg is left.
    site.put("capacity", 2)
    site.ran("ecg/baseline", when=lambda shown, counters: rung("energy", 2)(shown, counters) and counters["refused_reserve"]
             and counters["cameras_closed"] and [d["on"] for d in shown["devices"]] == [False, False])
    assert site.clock() == 800000
    site.put("capacity", 90)
    site.ran(*best, when=lambda shown, counters: rung("energy", 0)(shown, counters) and all(d["on"] for d in shown["devices"]))
    assert site.clock() == 1000000

    site.put("temp", 82000)  # hot, then very hot
    site.ran("traffic/baseline", "vision/edgetpu", when=rung("heat", 1))
    site.put("temp", 86000)
    site.ran("ecg/baseline", "vision/baseline", when=lambda shown, counters: rung("heat", 2)(shown, counters) and site.clock() == 800000)
    site.put("temp", 60000)
    site.ran(*best, when=rung("heat", 0))

    site.plug.unlink()  # the stick is pulled out
    site.ran("vision/dynamic", "ecg/float", when=rung("accelerator", 1))
    site.plug.touch()
    site.ran(*best, when=rung("accelerator", 0))

    shown = CliRunner().invoke(main, ["energy", "show", "--data", str(site.data)]).output
    assert "by meter model on zero2w" in shown and "camera: on" in shown and "accelerator: as it should be" in shown, shown
    site.stop()
    shown, counters = site.energy()
    assert counters["critical_missed"] == 0 and counters["jobs"] > 100, counters
    assert shown["ladder"] == [] and counters["steps_down"] >= 4 and counters["steps_up"] >= 3
    who = {"base/zero2w", "device/camera", "plugin/ecg", "sensor/bed-1", "uplink/file", *["model/" + name for name in best]}
    assert who <= set(shown["today"])
    told = [json.loads(line) for line in (site.data / "summaries.jsonl").read_text().splitlines()]
    assert any(line["kind"] == "energy" and line["data"]["meter"] == "model" and line["data"]["mj_per_inference"] > 0 for line in told)
    assert .85 < json.loads((site.data / "energy.json").read_text())["share"] <= .905


def test_an_account_without_classes(tmp_path, mitdb):
    settings = tmp_path / "heed.toml"
    head = EXAMPLE.read_text().split("[[sensor]]")[0].replace('"heed-data/solar"', "'%s'" % (tmp_path / "data"))
    settings.write_text(head + "[[sensor]]\nname = 'bed'\nkind = 'replay'\nfeeds = 'ecg'\n"
                        "options = { record = 'ecg/mitdb/200', speed = 0.0, duration_s = 60.0 }\n[[plugin]]\nname = 'ecg'\nkind = 'ecg'\n")
    done = subprocess.run([sys.executable, "-m", "firmware_tools", "run", str(settings), "--until-end", "--board", "zero2w", "--meter", "model"],
                          cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S)
    shown = status.read(tmp_path / "data")["energy"]
    assert done.returncode == 0 and shown["today"]["plugin/ecg"][0] > 0 and shown["charge_percent"] is None, done.stderr
