"""Uplinks acknowledge what the far end says, and no more."""

import gzip
import json

import pytest
from aiohttp import web

from gateway.context import GatewayContext
from gateway.core.errors import NotConnected, Rejected
from gateway.core.batch import Batch
from gateway.testing import check_uplink
from gateway.uplinks import file, http

FIELDS = {"stream": "s", "kind": "event", "cls": "event", "t_ms": 1, "reason": "a test", "data": {}}


def batch(first, n, epoch="e" * 16):
    return Batch("gw", epoch, [(seq, FIELDS) for seq in range(first, first + n)])


def options_of(module, **given):
    return dict({name: spec.get("default") for name, spec in module.MANIFEST["options"].items()}, **given)


def to_file(folder, **given):
    return file.FileUplink(options_of(file, path="out.jsonl", **given), GatewayContext("file", folder))


def seqs(path):
    return [json.loads(line)["seq"] for line in path.read_text().splitlines()]


async def test_file_holds_its_contract(tmp_path):
    await check_uplink(lambda: to_file(tmp_path))


async def test_file_writes_each_record_once_and_mends_a_torn_line(tmp_path):
    uplink = to_file(tmp_path)
    await uplink.open()
    assert await uplink.send(batch(1, 3)) == 3
    await uplink.close()
    path = tmp_path / "out.jsonl"
    path.write_text(path.read_text() + '{"stream": "s", "ki')
    uplink = to_file(tmp_path)
    await uplink.open()
    assert await uplink.send(batch(2, 4)) == 5
    await uplink.close()
    assert seqs(path) == [1, 2, 3, 4, 5] and uplink.context.counters["torn_lines"] == 1


async def test_file_rotates_and_counts_what_goes(tmp_path):
    uplink = to_file(tmp_path, max_mb=1, keep=2)
    await uplink.open()
    FIELDS["data"] = {"x": "y" * 2000}
    for first in range(1, 3000, 300):
        await uplink.send(batch(first, 300))
    FIELDS["data"] = {}
    await uplink.close()
    assert sorted(p.name for p in tmp_path.glob("out.jsonl*")) == ["out.jsonl", "out.jsonl.1", "out.jsonl.2"]
    assert uplink.context.counters["files_deleted"] >= 1


async def test_file_that_cannot_be_written(tmp_path):
    (tmp_path / "out.jsonl").mkdir()
    with pytest.raises(NotConnected) as caught:
        await to_file(tmp_path).open()
    assert "out.jsonl" in caught.value.message


async def hub(answer, port_of):
    """Serve `answer(body)` -> (status, text); calls port_of(url) with the address."""
    async def post(request):
        body = json.loads(gzip.decompress(await request.read()) if request.headers.get("Content-Encoding") != "gzip"
                          else await request.read())
        status, text = answer(body)
        return web.Response(status=status, text=text)
    application = web.Application()
    application.router.add_post("/v1/batches", post)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        await port_of("http://127.0.0.1:%d/v1/batches" % site._server.sockets[0].getsockname()[1])
    finally:
        await runner.cleanup()


def to_hub(url, folder):
    return http.HttpUplink(options_of(http, url=url, timeout_s=2), GatewayContext("hub", folder))


async def test_http_acknowledges_what_the_hub_says(tmp_path):
    bodies = []

    def answer(body):
        bodies.append(body)
        return 200, json.dumps({"epoch": body["epoch"], "acknowledged": body["last_seq"]})

    async def check(url):
        await check_uplink(lambda: to_hub(url, tmp_path))
    await hub(answer, check)
    assert bodies[0]["count"] == 2 and bodies[0]["first_seq"] == 1 and bodies[0]["tables"][0]["reason"]


@pytest.mark.parametrize("status, text, error", [
    (200, "hello", NotConnected), (200, '{"epoch": "other", "acknowledged": 2}', NotConnected),
    (200, '{"epoch": "eeeeeeeeeeeeeeee", "acknowledged": 99}', NotConnected), (200, '{"epoch": "eeeeeeeeeeeeeeee", "acknowledged": "2"}', NotConnected),
    (503, "", NotConnected), (401, "", NotConnected), (422, "bad record", Rejected), (413, "too large", Rejected)])
async def test_http_trusts_no_nonsense(tmp_path, status, text, error):
    async def check(url):
        uplink = to_hub(url, tmp_path)
        await uplink.open()
        with pytest.raises(error) as caught:
            await uplink.send(batch(1, 2))
        assert caught.value.hint
        await uplink.close()
    await hub(lambda body: (status, text), check)


async def test_http_with_nobody_there(tmp_path):
    uplink = to_hub("http://127.0.0.1:9/v1/batches", tmp_path)
    await uplink.open()
    with pytest.raises(NotConnected):
        await uplink.send(batch(1, 2))
    await uplink.close()
