"""A whole gateway on settings, with bad parts in it: the rest runs on, nothing accepted is lost, all is counted."""

import asyncio
import json
import subprocess
import sys
import time

import pytest

from gateway import app, config, status
from gateway.core.errors import PluginError

SETTINGS = """
[gateway]
name = "test"
data = '%s'
plugins = '%s'
[[plugin]]
name = "ecg"
kind = "ecg"
[[uplink]]
name = "file"
kind = "file"
"""
SENSOR = """
[[sensor]]
name = "%s"
kind = "simulated"
feeds = "%s"
isolation = "%s"
options = { %s }
"""
BAD = '''
import time
from gateway.core.plugin import Plugin
MANIFEST = {"kind": "plugin", "name": "bad", "version": "1", "api": 1, "summary": "a test", "runs_on": ("cpython",), "needs": (),
            "budget": {"ms": 10, "mb": 200}, "options": {"deed": {"default": "raise", "help": "what to do"}}}
class Bad(Plugin):
    @staticmethod
    def baseline(options, context):
        from gateway.core.plugin import Model
        return Model(options, context)
    def push(self, block):
        if self.options["deed"] == "raise": raise ValueError("boom")
        if self.options["deed"] == "exit": __import__("os")._exit(1)
        time.sleep(60)
    def finish(self):
        return []
PLUGIN = Bad
'''


def gateway_of(folder, tail):
    (folder / "plugins").mkdir(exist_ok=True)
    (folder / "plugins" / "bad.py").write_text(BAD)
    chosen, faults = config.check_text(SETTINGS % (folder / "data", folder / "plugins") + tail, "test", [])
    assert not faults, [str(f) for f in faults]
    return app.Gateway(chosen)


def lines(folder):
    path = folder / "data" / "summaries.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def parts(folder):
    return {part["name"]: part for part in status.read(folder / "data")["parts"]}


async def test_to_the_end_and_all_arrives(tmp_path):
    gateway = gateway_of(tmp_path, SENSOR % ("bed-1", "ecg", "inline", "seconds = 150, ectopic = 10")
                         + SENSOR % ("bed-2", "ecg", "thread", "seconds = 150, flat_s = 60, seed = 4"))
    await gateway.run(until_end=True)
    found = lines(tmp_path)
    assert [line["seq"] for line in found] == list(range(1, len(found) + 1))
    assert {line["stream"] for line in found} == {"bed-1", "bed-2"}
    assert "lead_off" in [line["data"].get("event") for line in found if line["stream"] == "bed-2"]
    shown = parts(tmp_path)
    assert shown["bed-1"]["state"] == "done" and shown["bed-1"]["counters"]["samples"] == 150 * 250
    assert gateway.outbox.counters["accepted"] == gateway.outbox.counters["acknowledged"] == len(found)


async def test_faulty_sensors_are_restarted_and_counted(tmp_path):
    gateway = gateway_of(tmp_path, SENSOR % ("good", "ecg", "inline", "seconds = 70")
                         + SENSOR % ("breaks", "ecg", "inline", "seconds = 70, raise_s = 20")
                         + SENSOR % ("drops", "ecg", "inline", "seconds = 70, lost_s = 30")
                         + SENSOR % ("skips", "ecg", "inline", "seconds = 70, skip = 10"))
    await gateway.run(until_end=True)
    shown = parts(tmp_path)
    assert shown["breaks"]["restarts"] == 1 and shown["good"]["restarts"] == 0
    assert shown["drops"]["counters"]["opened"] == 3 and shown["drops"]["restarts"] == 0
    assert shown["skips"]["counters"]["missed"] > 0
    assert shown["ecg"]["counters"]["signal_gaps"] >= 6
    assert {line["stream"] for line in lines(tmp_path)} >= {"good", "breaks", "drops", "skips"}


@pytest.mark.parametrize("deed, isolation", [("raise", "inline"), ("hang", "process"), ("exit", "process"), ("hang", "thread")])
async def test_a_bad_plugin_harms_nobody_else(tmp_path, deed, isolation):
    tail = '[[plugin]]\nname = "bad"\nkind = "bad"\nisolation = "%s"\noptions = { deed = "%s" }\n' % (isolation, deed)
    gateway = gateway_of(tmp_path, SENSOR % ("good", "ecg", "inline", "seconds = 70") + tail
                         + SENSOR % ("feeder", "bad", "inline", "speed = 20"))
    running = asyncio.ensure_future(gateway.run())
    began = time.monotonic()
    while not lines(tmp_path) or not parts(tmp_path)["bad"]["restarts"]:
        assert time.monotonic() - began < 25, parts(tmp_path)
        await asyncio.sleep(.2)
    gateway.stop()
    await running
    shown = parts(tmp_path)
    assert shown["bad"]["restarts"] >= 1 and shown["good"]["restarts"] == 0 and shown["ecg"]["restarts"] == 0
    assert [line for line in lines(tmp_path) if line["stream"] == "good"]


async def test_an_outbox_that_cannot_run_ends_the_process(tmp_path):
    gateway = gateway_of(tmp_path, SENSOR % ("good", "ecg", "inline", "speed = 1"))

    async def broken(up):
        raise PluginError("broken for good")
    gateway.supervisor.first_ms = 1
    gateway.supervisor.children[0].run = broken
    with pytest.raises(PluginError) as caught:
        await asyncio.wait_for(gateway.run(), 20)
    assert "outbox" in caught.value.message


def test_heed_run_stops_in_order_on_sigterm_and_goes_on_where_it_was(tmp_path):
    path = tmp_path / "heed.toml"
    path.write_text((SETTINGS % (tmp_path / "data", "")).replace("plugins = ''", "") + SENSOR % ("bed", "ecg", "inline", "speed = 60"))
    last = 0
    for _ in range(2):
        process = subprocess.Popen([sys.executable, "-m", "firmware_tools", "run", str(path)], stderr=subprocess.PIPE, text=True)
        began = time.monotonic()
        while len(lines(tmp_path)) <= last and time.monotonic() - began < 30:
            time.sleep(.2)
        last = len(lines(tmp_path))
        process.terminate()
        assert process.wait(20) == 0, process.stderr.read()
    found = [line["seq"] for line in lines(tmp_path)]
    assert found == list(range(1, len(found) + 1)) and status.read(tmp_path / "data")["state"] == "stopped"
