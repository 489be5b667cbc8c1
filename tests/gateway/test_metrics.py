"""The gateway's own health in Prometheus's text format: by a port of the loopback, and for a textfile collector."""

import asyncio
import re
import socket

import aiohttp

from firmware_tools.services import free_port
from gateway import app, config
from tests.firmware_tools.test_cli import heed
from tests.gateway.test_app import SENSOR, SETTINGS

LINE = re.compile(r'[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? -?[0-9.e+-]+')


async def get(url):
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        return await answer.text()


def gateway_with(folder, port):
    """A gateway that serves its metrics."""
    text = SETTINGS.replace("[gateway]", "[gateway]\nmetrics_port = %d" % port) % (folder / "data", "")
    chosen, faults = config.check_text(text + SENSOR % ("a", "ecg", "inline", "speed = 50.0"), "test", [])
    assert not faults, [str(f) for f in faults]
    return app.Gateway(chosen)


async def scraped(folder, port):
    """What a running gateway says at its port."""
    gateway = gateway_with(folder, port)
    task = asyncio.ensure_future(gateway.run())
    await asyncio.wait_for(gateway.supervisor.until(lambda: gateway.supervisor.children[-1].state == "running"), 10)
    text = await get("http://127.0.0.1:%d/metrics" % port)
    gateway.stop()
    await task
    return text


async def test_metrics_by_port_and_by_command(tmp_path):
    text = await scraped(tmp_path, free_port())
    samples = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert all(LINE.fullmatch(line) for line in text.splitlines() if not line.startswith("#")) and text.endswith("\n")
    assert samples['heed_part_state{part="metrics",state="running"}'] == "1" and samples["heed_up"] == "1"
    assert 'heed_outbox_total{counter="refused"}' in samples
    names = {re.match("[a-z_]+", name)[0] for name in samples}
    for name in names:
        assert "# HELP %s " % name in text and "# TYPE %s %s" % (name, "counter" if name.endswith("_total") else "gauge") in text
    code, again = heed("status", "--data", tmp_path / "data", "--prometheus")
    assert code == 0 and {line.split()[2] for line in again.splitlines() if line.startswith("# TYPE")} >= names


async def test_a_port_that_is_taken_is_waited_for_and_said(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        gateway = gateway_with(tmp_path, taken.getsockname()[1])
        task = asyncio.ensure_future(gateway.run())
        child = gateway.supervisor.children[-1]
        await asyncio.wait_for(gateway.supervisor.until(lambda: child.state == "waiting"), 10)
        assert "metrics" in child.reason and "in use" in child.reason
        gateway.stop()
        await task
