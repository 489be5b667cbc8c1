"""thingsboard-gateway beside us: installed from its package, a stand-in for its platform, the same events, the same kills."""

import asyncio
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from firmware_tools.services import Mosquitto
from gateway import mqtt
from gateway.core.errors import HeedError, NotConnected
from gateway.forms import Message

PACKAGE = "thingsboard-gateway==3.8.5"
DRIVER = Path(__file__).with_name("peer_thingsboard.py")
ACCESS = "topic readwrite #\nuser YOUR_ACCESS_TOKEN\ntopic write v1/#\ntopic read v1/devices/me/rpc/response/+\n"
LIMITS = {"rateLimits": {"messages": "", "telemetryMessages": "", "telemetryDataPoints": ""}, "gatewayRateLimits": {},
          "maxInflightMessages": 1000, "maxPayloadSize": 65536}
QUIET_S = 5  # what has not arrived after so long a silence does not come
RATE = 2000


def environment():
    """Python of an environment of the peer's own, made at the first call. Raises HeedError when it cannot be had."""
    folder = Path(".cache") / "peer-thingsboard"
    python = folder / "bin" / "python"
    if not (folder / "stamp").exists():
        made = subprocess.run([sys.executable, "-m", "venv", str(folder)], capture_output=True, text=True)
        made = made if made.returncode else subprocess.run([python, "-m", "pip", "install", "-q", PACKAGE], capture_output=True, text=True)
        if made.returncode:
            raise HeedError("%s cannot be installed: %s" % (PACKAGE, made.stderr[-300:]), "is the package registry reachable?")
        (folder / "stamp").touch()
    return str(python)


class Platform:
    """What the peer reports to: answers its questions and notes which events arrive."""

    def __init__(self, url):
        self.options = {"url": url, "user": "", "password_env": "NONE", "ca_file": "", "cert_file": "", "key_file": "", "timeout_s": 10}
        self.arrived = []

    async def run(self):
        """Listen until cancelled."""
        self.client, _ = await mqtt.connect(self.options, "platform")
        for topic in ("v1/gateway/telemetry", "v1/devices/me/rpc/request/+"):
            await mqtt.subscribe(self.client, topic)
        await mqtt.listen(self.client, self._take)

    async def _take(self, topic, payload):
        if topic == "v1/gateway/telemetry":
            self.arrived += [entry["values"]["i"] for entries in json.loads(payload).values() for entry in entries]
        else:
            answer = Message(topic.replace("request", "response"), json.dumps(LIMITS).encode())
            asyncio.ensure_future(mqtt.publish(self.client, answer))

    async def quiet(self, wanted):
        """Wait until so many events have arrived, or no more come."""
        seen, since = -1, time.monotonic()
        while len(self.arrived) < wanted and time.monotonic() - since < QUIET_S:
            if len(self.arrived) != seen:
                seen, since = len(self.arrived), time.monotonic()
            await asyncio.sleep(0.02)


async def start(folder, port, first, last, rate):
    """The peer's process, connected and ready."""
    process = await asyncio.create_subprocess_exec(environment(), str(DRIVER), folder, str(port), str(first), str(last), str(rate),
                                                   stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL)
    while (await process.stdout.readline()).strip() != b"ready":
        if process.returncode is not None:
            raise NotConnected("the peer ended before it was ready", "")
    return process


async def words(process, word):
    """The number after `word` in the next line that begins with it."""
    while True:
        line = (await process.stdout.readline()).split()
        if line[:1] == [word.encode()]:
            return float(line[1])


async def throughput(records):
    """(records a second, CPU seconds a record) from the first event to the last arrival."""
    async with platform() as (site, port, folder):
        process = await start(folder, port, 1, records, 0)
        began = time.monotonic()
        process.stdin.write(b"\n")
        await site.quiet(records)
        seconds = time.monotonic() - began
        process.stdin.write(b"\n")
        used = await words(process, "cpu")
        process.kill()
        await process.wait()
    return len(set(site.arrived)) / seconds, used / len(set(site.arrived))


class platform:
    """async with platform() as (Platform, port, folder): a broker of its own with a Platform that listens."""

    async def __aenter__(self):
        self.broker = Mosquitto(["acl_file acl"])
        (self.broker.folder / "acl").write_text(ACCESS)
        self.broker.start()
        self.folder = tempfile.TemporaryDirectory()
        site = Platform(self.broker.url)
        self.task = asyncio.ensure_future(site.run())
        return site, self.broker.port, self.folder.name

    async def __aexit__(self, *error):
        self.task.cancel()
        self.broker.__exit__()
        self.folder.cleanup()


async def kills(runs, seed=1):
    """{"taken", "lost", "doubled"} after SIGKILLs at random moments of a steady stream; each run goes on with the same storage."""
    chance, taken = random.Random(seed), 0
    async with platform() as (site, port, folder):
        for _ in range(runs):
            process = await start(folder, port, taken + 1, taken + 1000000, RATE)
            process.stdin.write(b"\n")
            await asyncio.sleep(chance.uniform(0.3, 1.0))
            process.kill()
            lines = (await process.stdout.read()).split(b"\n")
            taken = int([line for line in lines[:-1] if line.startswith(b"taken")][-1].split()[1])
            await process.wait()
        process = await start(folder, port, taken + 1, taken + 1, 0)
        process.stdin.write(b"\n")
        await site.quiet(taken + 1)
        process.kill()
        await process.wait()
    unique = set(site.arrived)
    return {"taken": taken + 1, "lost": len(set(range(1, taken + 2)) - unique), "doubled": len(site.arrived) - len(unique)}
