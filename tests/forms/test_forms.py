"""The forms of other people's platforms, through a real broker: what was accepted is what a consumer has, whatever is cut or killed."""

import asyncio
import json
import re
import signal
import textwrap

import pytest

from firmware_tools import services
from firmware_tools.link import Link
from gateway import app, config
from gateway.core.batch import Batch
from gateway.core.compat import wall_ms
from gateway.core.errors import ConfigError, NotConnected, Rejected
from gateway.core.records import Summary
from gateway.forms import load
from gateway.forms.devices import flat, slug
from gateway.testing import check_uplink
from gateway.uplinks import mqtt
from tests.forms.line import Listener, last_retained
from tests.forms.sparkplug_host import Host, Payload
from tests.gates.portable import ROOT
from tests.gateway.test_app import SETTINGS
from tests.hub.test_hub import Line, uplink_of
from tests.services import installed, mosquitto  # noqa: F401  fixture

NOW = 1700000000000
OPTIONS = {name: spec.get("default") for name, spec in mqtt.MANIFEST["options"].items()}


def summary(i, t_ms=None):
    """Of two streams in turn; an alarm each tenth, a gap of the gateway's own each fiftieth."""
    stream, t_ms = "bed/%d" % (i % 2), NOW + i * 1000 if t_ms is None else t_ms
    if i % 50 == 0:
        return Summary("", "gap", "gap", t_ms, "%d records lost" % i, {"class": "digest", "records": i})
    if i % 10 == 0:
        data = {"event": "pause", "scores": [900, 100], "r": i, "why": {"ms": 3200}}
        return Summary(stream, "event", "alarm", t_ms, "pause of 3.2 s", data)
    data = {"bpm": 60 + i % 9, "classes": {"N": i}, "load": i / 8, "on": i % 2 == 0}
    return Summary(stream, "minute", "digest", t_ms, "minute %d" % i, data)


def told_by_thingsboard(messages):
    """{(device, ts, seq)} as the platform keeps it: one value for each device, key and time."""
    kept = {}
    for message in messages:
        told = json.loads(message.payload)
        if str(message.topic) == "v1/devices/me/telemetry":
            told = {"": told}
        elif str(message.topic) != "v1/gateway/telemetry":
            continue
        for device, entries in told.items():
            for entry in entries:
                kept.update({(device, entry["ts"], key): value for key, value in entry["values"].items()})
    return [seq for (_, _, key), seq in kept.items() if key.endswith(".seq")]


def told_by_homeassistant(messages):
    return [json.loads(m.payload)["seq"] for m in messages
            if str(m.topic).startswith("heed/ha/") and str(m.topic).count("/") == 4 and m.payload]


def told_by_cloudevents(messages):
    kept = {}
    for message in messages:
        attributes = dict(message.properties.UserProperty)
        kept[attributes["source"], attributes["id"]] = int(attributes["sequence"])
    return list(kept.values())


class Sparkplugged:
    """Takes what is new to the host."""

    def __init__(self, gateway, sure):
        self.host, self.taken = Host("heed", gateway, sure), 0

    def __call__(self, messages):
        for message in messages[self.taken:]:
            self.host.take(str(message.topic), bytes(message.payload), message.qos, message.retain)
        self.taken = len(messages)
        return [value for _, _, _, values in self.host.records for name, value in values.items() if name.endswith("/seq")]


READERS = {"thingsboard": ("v1/#", lambda: told_by_thingsboard), "homeassistant": ("heed/ha/#", lambda: told_by_homeassistant),
           "cloudevents": ("heed/events/#", lambda: told_by_cloudevents), "sparkplug": ("spBv1.0/#", lambda: Sparkplugged("gw", False))}


async def offer(line, first, last):
    await line.outbox.accepted(line.outbox.offer([summary(i) for i in range(first, last + 1)]))


@pytest.mark.parametrize("form", READERS)
async def test_a_line_that_is_cut_and_a_broker_that_is_killed(tmp_path, mosquitto, form):
    topic, reader = READERS[form]
    told = reader()
    async with Link(mosquitto.port) as link:
        uplink = uplink_of(mqtt, tmp_path, url="mqtt://127.0.0.1:%d" % link.port, form=form, acknowledged_by="broker", timeout_s=2)
        async with Listener(mosquitto.port, topic) as listener, Line(tmp_path, uplink) as line:
            for round in range(3):
                await offer(line, round * 400 + 1, round * 400 + 400)
                await asyncio.sleep(0.05)
                link.cut()
                await listener.quiet(0.1)
                told(listener.heard)
                if round == 1:
                    mosquitto.kill()
                    await listener.close()
                    mosquitto.start()
                    await listener.connect()
                    if form == "sparkplug":
                        told.host.lost()
                link.heal()
            await line.delivered()
            await listener.quiet()
            seqs = told(listener.heard)
    assert set(seqs) == set(range(1, 1201))
    for stream in ("", "bed/0", "bed/1"):
        firsts = [seq for seq in dict.fromkeys(seqs) if summary(seq).stream == stream]
        assert firsts == sorted(firsts)  # in order, but for what came twice


async def test_sparkplug_births_deaths_rebirths_and_history(tmp_path, mosquitto):
    uplink = uplink_of(mqtt, tmp_path, url=mosquitto.url, form="sparkplug", acknowledged_by="broker", group="ward")
    host, told = Host("ward", "gw"), 0
    async with Listener(mosquitto.port, "spBv1.0/#") as listener:
        async with Line(tmp_path, uplink) as line:
            await line.outbox.accepted(line.outbox.offer([summary(i, wall_ms()) for i in range(1, 301)]))
            await line.delivered()
            await line.outbox.accepted(line.outbox.offer([summary(301)]))
            await line.delivered()
            command = Payload(timestamp=1)
            command.metrics.add(name="Node Control/Rebirth", boolean_value=True)
            for payload in (b"\xff\xff nonsense", Payload(timestamp=1).SerializeToString(), command.SerializeToString()):
                await listener.publish("spBv1.0/ward/NCMD/gw", payload)
            await listener.quiet()
            assert uplink.context.counters == {"nonsense_commands": 1, "commands": 1}
            uplink.form.present["bed/1"] -= 1000 * 3600  # it was silent for long
            await line.outbox.accepted(line.outbox.offer([summary(302)]))
            await line.outbox.accepted(line.outbox.offer([summary(303)]))
            await line.delivered()
        await listener.quiet()
        async with Line(tmp_path, uplink) as line:
            await line.outbox.accepted(line.outbox.offer([summary(304)]))
            await line.delivered()
        again = uplink_of(mqtt, tmp_path, url=mosquitto.url, form="sparkplug", acknowledged_by="broker", group="ward")
        async with Line(tmp_path, again) as line:
            await line.outbox.accepted(line.outbox.offer([summary(305)]))
            await line.delivered()
        await listener.quiet()
        for message in listener.heard:
            host.take(str(message.topic), bytes(message.payload), message.qos, message.retain)
            told += "DDEATH" in str(message.topic)
    assert host.sessions == [0, 1, 2] and not host.online and told == 1
    assert host.births.count(("nbirth", "")) >= 3 and {"bed_0", "bed_1"} == {name[:5] for kind, name in host.births if kind == "dbirth"}
    zero, one = (("dbirth", slug(name, "[+/#]")) for name in ("bed/0", "bed/1"))
    assert host.births[-6:] == [("nbirth", ""), zero, one, ("nbirth", ""), ("nbirth", ""), one]
    numbered = {values[name]: (device, t_ms, old, values)
                for device, t_ms, old, values in host.records for name in values if name.endswith("/seq")}
    assert sorted(numbered) == list(range(1, 306))
    assert not any(numbered[i][2] for i in range(1, 301)) and all(numbered[i][2] for i in range(301, 306))
    device, t_ms, _, values = numbered[303]
    assert t_ms == summary(303).t_ms and values == {
        "minute/seq": 303, "minute/class": "digest", "minute/reason": "minute 303", "minute/bpm": 66, "minute/classes/N": 303,
        "minute/load": 37.875, "minute/on": False}
    assert numbered[150][0] == "" and numbered[150][3]["gap/records"] == 150


def test_sparkplug_types_widen_with_a_new_birth_and_numbers_wrap():
    form, host = load("sparkplug")("gw", dict(OPTIONS, group="g")), Host("g", "gw")
    rows = [{"a": 1, "b": True, "c": "x"}, {"a": 0.5, "b": True}, {"a": -7, "b": "odd"}, {"a": 1 << 70}]
    messages = [form.will() and message for message in form.opened()]
    for seq, data in enumerate(rows + [{"a": 1}] * 600, 1):
        messages += form.batch(Batch("gw", "e" * 16, [(seq, Summary("s", "k", "event", NOW, "why", data).to_dict())]))
    messages += form.closing()
    for message in messages:
        host.take(message.topic, message.payload, message.qos, message.retain)
    values = [values["k/a"] for device, _, _, values in host.records if device]
    assert values[:4] == [1, 0.5, -7.0, 2.0 ** 70] and len(values) == 604 and not host.online
    assert host.births.count(("dbirth", "s")) == 3


def test_the_host_of_these_tests_sees_what_is_broken():
    form = load("sparkplug")("gw", dict(OPTIONS, group="g"))
    will, births = form.will(), form.opened()
    born, device, node, data = form.batch(Batch("gw", "e" * 16, [(1, summary(1).to_dict())]))
    for messages, rule in (([born, device, data], "payloads-ddata-seq-inc"), ([device], "payloads-dbirth-order"),
                           ([born, device, node, device], "payloads-dbirth-order"), ([born, data], "payloads-ddata-order"),
                           ([born, device, will, node], "payloads-ndata-order"),
                           ([births[0]._replace(qos=1)], "topics-nbirth-mqtt"), ([births[0]._replace(retain=True)], "topics-nbirth-mqtt")):
        host = Host("g", "gw")
        with pytest.raises(AssertionError, match=rule):
            for message in messages:
                host.take(message.topic, message.payload, message.qos, message.retain)


async def test_homeassistant_is_announced_kept_and_taken_away(tmp_path, mosquitto):
    given = {"url": mosquitto.url, "form": "homeassistant", "acknowledged_by": "broker"}
    uplink = uplink_of(mqtt, tmp_path, **given)
    async with Listener(mosquitto.port, "#") as listener:
        async with Line(tmp_path, uplink) as line:
            await offer(line, 1, 60)
            await line.delivered()
        await listener.quiet()
        kept = last_retained(listener.heard)
    configs = {topic: json.loads(payload) for topic, payload in kept.items() if topic.startswith("homeassistant/")}
    assert len({config["unique_id"] for config in configs.values()}) == len(configs) == 19
    for topic, told in configs.items():
        assert told["state_topic"] in kept or told["state_topic"].endswith("/event"), topic
        assert told["device"].get("via_device", "heed-gw") == "heed-gw"
    bpm = configs["homeassistant/sensor/heed-gw/%s-minute-bpm/config" % slug("bed/1")]
    assert bpm["unit_of_measurement"] == "bpm" and bpm["availability_topic"] == "heed/ha/gw/state" and bpm["device"]["name"] == "bed/1"
    why = configs["homeassistant/sensor/heed-gw/%s-event-why-ms/config" % slug("bed/0")]
    assert why["device_class"] == "duration" and why["value_template"] == '{{ value_json.data["why.ms"] | default(none) }}'
    assert kept["heed/ha/gw/state"] == b"offline"  # said goodbye
    other = uplink_of(mqtt, tmp_path, **given)  # another run: knows what the former left, and takes it away in its turn
    async with Listener(mosquitto.port, "#") as listener:
        async with Line(tmp_path, other) as line:
            await listener.quiet()
            assert set(other.form.present) == {"bed/0", "bed/1"}
            other.form.present["bed/0"] -= 1000 * 3600
            await offer(line, 61, 61)
            await line.delivered()
        await listener.quiet()
        left = last_retained(listener.heard)
    assert not [topic for topic in left if slug("bed/0") in topic]
    assert [topic for topic in kept if slug("bed/1") in topic] == [topic for topic in kept if topic in left and slug("bed/1") in topic]


async def test_a_gateway_that_is_killed_is_said_to_be_gone(tmp_path, mosquitto):
    async with Listener(mosquitto.port, "#") as listener, Link(mosquitto.port) as link:
        uplink = uplink_of(mqtt, tmp_path, url="mqtt://127.0.0.1:%d" % link.port, form="homeassistant", acknowledged_by="broker")
        await uplink.open()
        link.cut()
        await listener.quiet()
        await uplink.close()
        assert last_retained(listener.heard)["heed/ha/gw/state"] == b"offline"


def test_thingsboard_messages_stay_below_its_limit_and_a_record_above_it_is_refused():
    form = load("thingsboard")("gw", OPTIONS)
    rows = [(seq, Summary("bed", "minute", "digest", NOW + seq, "x" * 5000, {"bpm": seq}).to_dict()) for seq in range(1, 101)]
    messages = form.batch(Batch("gw", "e" * 16, rows))
    assert [m.topic for m in messages[:2]] == ["v1/gateway/connect", "v1/gateway/attributes"]
    assert all(len(m.payload) <= 65536 for m in messages) and len(messages) == 12
    entries = [entry for m in messages[2:] for entry in json.loads(m.payload)["gw/bed"]]
    assert [entry["values"]["minute.bpm"] for entry in entries] == list(range(1, 101))
    with pytest.raises(Rejected):
        form.batch(Batch("gw", "e" * 16, [(1, Summary("bed", "minute", "digest", NOW, "x" * 70000, {}).to_dict())]))
    assert [m.topic for m in form.closing()] == ["v1/gateway/disconnect"]


async def test_a_record_that_thingsboard_could_not_take_is_told_as_a_gap_and_holds_nobody_up(tmp_path, mosquitto):
    rows = [summary(i) for i in range(1, 40)]
    rows[20] = Summary("bed/0", "minute", "digest", NOW, "x" * 70000, {})
    uplink = uplink_of(mqtt, tmp_path, url=mosquitto.url, form="thingsboard", acknowledged_by="broker")
    async with Listener(mosquitto.port, "v1/#") as listener, Line(tmp_path, uplink) as line:
        await line.outbox.accepted(line.outbox.offer(rows))
        await line.delivered()
        await line.outbox.accepted(40)  # the gap record
        await line.delivered()
        await listener.quiet()
        assert line.sender.counters["refused"] == 1
    assert set(told_by_thingsboard(listener.heard)) == set(range(1, 41)) - {21}
    assert [m for m in listener.heard if b"refused by uplink" in m.payload and str(m.topic) == "v1/devices/me/telemetry"]


def test_cloudevents_time_and_attributes():
    form = load("cloudevents")("ward 7", OPTIONS)
    message, = form.batch(Batch("ward 7", "e" * 16, [(9, summary(9).to_dict())]))
    attributes = dict(message.properties["user"])
    assert attributes["time"] == "2023-11-14T22:13:29.000Z" and attributes["subject"] == "bed/1"
    assert attributes["source"] == "/heed/" + slug("ward 7")
    assert json.loads(message.payload) == summary(9).to_dict() and message.properties["content_type"] == "application/json"


def test_names_stay_different_and_data_flat():
    assert slug("bed-1") == "bed-1" and len({slug(name) for name in ("bed/1", "bed_1", "bed+1", "bed 1")}) == 4
    data = {"a": {"b": 1, "c": {}}, "d": [1, [2]], "e": None, "f": False, "g": float("nan")}
    assert flat(data) == [("a.b", 1), ("d", "[1,[2]]"), ("f", False)]


@pytest.mark.parametrize("form", READERS)
async def test_every_form_holds_the_contract_of_uplinks(tmp_path, mosquitto, form):
    await check_uplink(lambda: uplink_of(mqtt, tmp_path, url=mosquitto.url, form=form, acknowledged_by="broker"))


async def test_a_broker_with_3_1_1_only_takes_all_but_cloudevents(tmp_path):
    with installed(services.Nats, "nats-server") as nats:
        given = {"url": nats.url, "acknowledged_by": "broker"}
        for gateway, form in (("gw-1", "homeassistant"), ("gw-2", "thingsboard")):
            async with Line(tmp_path, uplink_of(mqtt, tmp_path, gateway, form=form, **given), gateway) as line:
                await offer(line, 1, 500)
                await line.delivered()
        with pytest.raises(NotConnected) as caught:
            await uplink_of(mqtt, tmp_path, form="cloudevents", **given).open()
        assert "does it speak MQTT 5" in caught.value.hint


@pytest.mark.parametrize("form", ["thingsboard", "homeassistant", "cloudevents"])
async def test_a_topic_that_the_broker_refuses_is_no_delivery(tmp_path, form):
    broker = installed(services.Mosquitto, "mosquitto", lines=["acl_file acl"])
    (broker.folder / "acl").write_text("topic read #\n")
    given = {"form": form, "url": broker.url, "acknowledged_by": "broker"}
    with broker:
        async with Line(tmp_path, uplink_of(mqtt, tmp_path, **given)) as line:
            await offer(line, 1, 50)
            await asyncio.sleep(1)
            assert line.outbox.marks["hub"] == 0 and "the broker refuses the topic" in line.reason and "Not authorized" in line.reason
            (broker.folder / "acl").write_text("topic readwrite #\n")
            broker.process.send_signal(signal.SIGHUP)
            await line.delivered()


@pytest.mark.parametrize("page", ["home-assistant", "thingsboard", "forms"])
def test_the_settings_in_the_docs_are_sound(page):
    for text in re.findall(r"```toml\n(.*?)```", (ROOT / "docs" / (page + ".md")).read_text(), re.S):
        chosen, faults = config.check_text(textwrap.dedent(text), page, [])
        assert not faults and load(chosen.uplinks[0].options["form"]), [str(fault) for fault in faults]


def test_a_form_says_what_it_cannot_do(tmp_path):
    with pytest.raises(ConfigError):
        uplink_of(mqtt, tmp_path, url="mqtt://localhost", form="sparkplug")
    with pytest.raises(ConfigError):
        uplink_of(mqtt, tmp_path, url="mqtt://localhost", form="sparkplug", acknowledged_by="broker", group="a/b")


REAL = """
[[sensor]]
name = "bed-1"
kind = "replay"
feeds = "ecg"
options = { record = '%s', speed = 0.0 }
[[uplink]]
name = "platform"
kind = "mqtt"
options = { url = "%s", form = "%s", acknowledged_by = "broker" }
"""


@pytest.mark.parametrize("form", READERS)
async def test_a_real_ecg_arrives_as_it_was_written_to_the_file(tmp_path, mosquitto, mitdb, form):
    topic, reader = READERS[form]
    chosen, faults = config.check_text(SETTINGS % (tmp_path, "") + REAL % (mitdb / "200", mosquitto.url, form), "test", [])
    assert not faults, [str(fault) for fault in faults]
    async with Listener(mosquitto.port, topic) as listener:
        await app.Gateway(chosen).run(until_end=True)
        await listener.quiet()
    written = [json.loads(line) for line in (tmp_path / "summaries.jsonl").read_text().splitlines()]
    told = Sparkplugged("test", True) if form == "sparkplug" else reader()
    assert sorted(told(listener.heard)) == [record["seq"] for record in written] and len(written) > 30
