"""What would leave, before it does: the records that wait, or those of a dry run, in the form of each uplink."""

import asyncio
import copy
import json
import shutil
import tempfile
import time
from pathlib import Path

from gateway import app, forms, privacy, privacy_settings, status
from gateway.core.batch import Batch, stored
from gateway.core.errors import HeedError
from gateway.forms import envelope
from gateway.forms.compress import pack, unpack
from gateway.store import SqliteStorage

MAX_PLAIN = 8 << 20
LATEST = 1 << 62


async def rows_of(folder, most):
    """(epoch, newest rows) of a data folder's outbox. Read from a copy: the gateway that runs on it holds the file."""
    with tempfile.TemporaryDirectory(prefix="heed-") as place:
        for tail in ("", "-wal"):
            if (Path(folder) / ("outbox.db" + tail)).exists():
                shutil.copy(Path(folder) / ("outbox.db" + tail), place)
        storage = SqliteStorage(str(Path(place) / "outbox.db"))
        state = await storage.open()
        try:
            rows = await storage.read(0, LATEST)
            return state["epoch"], rows[-most:]
        finally:
            await storage.close()


async def dry_run(config, seconds, folder):
    """Run the settings' sensors and plugins for a while, with no uplink; gives what the privacy rules held back."""
    alone = copy.copy(config)
    alone.gateway, alone.uplinks = dict(config.gateway, data=folder), []
    if config.privacy["pseudonyms"]:
        (Path(folder) / privacy_settings.KEY_FILE).write_bytes(privacy_settings.key_of(Path(config.gateway["data"])))
    gateway = app.Gateway(alone)
    running = asyncio.ensure_future(gateway.run(until_end=True))
    await asyncio.wait({running}, timeout=seconds)
    gateway.stop()
    await running
    return held_back({name: source() for name, source in gateway.sources.items()})


def held_back(counters):
    """{part: {what: how often}} of all that the privacy rules counted. counters: {part: {counter: n}}."""
    head = "held_back_"
    found = {name: {key[len(head):]: n for key, n in each.items() if key.startswith(head)} for name, each in counters.items()}
    return {name: each for name, each in found.items() if each}


async def preview(config, most=10, seconds=0.0):
    """Facts for `heed uplink preview`. most: records; seconds: of a dry run, 0 = what waits in the outbox. Raises HeedError."""
    folder = Path(config.gateway["data"])
    if seconds:
        with tempfile.TemporaryDirectory(prefix="heed-") as place:
            held = await dry_run(config, seconds, place)
            epoch, rows = await rows_of(place, most)
    else:
        if not (folder / "outbox.db").exists():
            raise HeedError("no outbox in %s yet" % folder, "`heed uplink preview --dry 20` runs the settings for 20 s, and sends nothing")
        epoch, rows = await rows_of(folder, most)
        parts = status.read(folder)["parts"] if (folder / status.FILE).exists() else ()
        held = held_back({part["name"]: part["counters"] for part in parts})
    batch = Batch(config.gateway["name"], epoch, stored(rows, {"damaged": 0})) if rows else None
    return {"records": len(rows), "dry": bool(seconds), "streams": streams_of(config, folder), "held_back": held,
            "permits": [dict(item, over=time.time() * 1000 >= privacy_settings.end_ms(item["until"])) for item in config.privacy["raw"]],
            "uplinks": [{"name": uplink.name, "kind": uplink.found.name, "messages": messages_of(uplink, batch, config)}
                        for uplink in config.uplinks] if batch else []}


def streams_of(config, folder):
    """{pseudonym: stream}, which nobody but this gateway can tell; empty where streams leave under their own names."""
    if not config.privacy["pseudonyms"]:
        return {}
    key = privacy_settings.key_of(folder)
    return {privacy.pseudonym(key, sensor.name): sensor.name for sensor in config.sensors}


def messages_of(uplink, batch, config):
    """[{"to", "text", "bytes"}] of one uplink: the payload in plain text (binary in hex), and the bytes on the line."""
    options = uplink.options
    if uplink.found.name == "mqtt":
        form = forms.load(options["form"])(config.gateway["name"], options)
        messages = [*filter(None, [form.will()]), *form.opened(), *form.batch(batch)]
        return [{"to": message.topic, "text": plain(message.payload), "bytes": len(message.payload)} for message in messages]
    if uplink.found.name == "http":
        body = envelope.dumps(batch)
        return [{"to": options["url"], "text": body.decode(), "bytes": len(pack("gzip", body))}]
    lines = [json.dumps(dict(fields, gateway=batch.gateway, epoch=batch.epoch, seq=seq)) for seq, fields in batch.records]
    return [{"to": str(options.get("path", uplink.name)), "text": line, "bytes": len(line) + 1} for line in lines]


def plain(payload):
    """A payload as text."""
    payload = payload.encode() if isinstance(payload, str) else bytes(payload or b"")
    try:
        return unpack(payload, MAX_PLAIN).decode()
    except UnicodeDecodeError:
        return payload.hex()
