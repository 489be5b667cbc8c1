"""A locked door, with a real broker: who may come in does, who may not is told why, and nothing is lost meanwhile."""

import asyncio
import json
import re
import signal
import sqlite3
import ssl
import stat
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from firmware_tools import services
from gateway import enrolment, identity, mqtt as connection
from gateway.attention.subscription import Subscription
from gateway.core.errors import ConfigError, HeedError, NotConnected
from gateway.core.options import check_options
from gateway.forms import Message
from gateway.forms.envelope import MINE, ROUND
from gateway.hub.app import Hub
from gateway.hub.ca import Authority
from gateway.hub.enrolment import Enrolment, make
from gateway.hub.rounds import SETTINGS, Rounds
from gateway.testing import FakeClock
from gateway.uplinks import http, mqtt
from tests.hub.test_hub import Line, arrived, uplink_of
from tests.services import installed

HOSTS = ["localhost", "127.0.0.1"]


class Door:
    """A broker and a hub behind certificates of the hub's own authority, as `heed hub init` sets them up."""

    def __init__(self, tmp_path):
        self.tmp_path = tmp_path
        self.broker = installed(services.Mosquitto, "mosquitto")
        self.folder = self.broker.folder / "ca"
        make(self.folder, "https://localhost:1", HOSTS)
        self.broker.lines = [line for line in (self.folder / "broker" / "mosquitto.conf").read_text().splitlines()
                             if not line.startswith("listener")]

    async def __aenter__(self):
        self.broker.start()
        self.enrolment = Enrolment(self.folder)
        self.register = self.enrolment.register
        pem, _, ca = self.enrolment.tls
        self.mqtts = "mqtts://localhost:%d" % self.broker.port
        broker = {"url": self.mqtts, "user": "", "password_env": "NONE", "ca_file": ca, "cert_file": pem, "key_file": "", "timeout_s": 5}
        self.hub = Hub(str(self.tmp_path / "hub.db"), ("127.0.0.1", 0), broker, tls=self.enrolment.tls, enrolment=self.enrolment)
        await self.hub.start()
        self.url = "https://localhost:%d" % self.hub.port
        return self

    async def __aexit__(self, *error):
        await self.hub.stop()
        self.broker.__exit__()

    def token(self, gateway="gw", hours=1.0):
        return enrolment.token_of(self.url, self.register.authority.fingerprint(), self.register.token(gateway, hours))

    async def enrolled(self, gateway="gw"):
        """Identity of a gateway, enrolled."""
        await asyncio.to_thread(enrolment.enrol, self.token(gateway), self.tmp_path / gateway)
        return identity.Identity(self.tmp_path / gateway)

    def uplink(self, kind, own, gateway="gw", **given):
        where = {"url": self.url + "/v1/batches"} if kind is http else {"url": self.mqtts}
        options = dict(where, ca_file=str(own.ca_file), cert_file=str(own.file), timeout_s=2)
        return uplink_of(kind, self.tmp_path, gateway, **dict(options, **given))

    def reload(self):
        """Make the broker read its files again, as an operator does."""
        self.broker.stop()
        self.broker.start()


def ages(days):
    """A clock that is `days` off."""
    return lambda: datetime.now(UTC) + timedelta(days=days)


def replace(own, authority, gateway="gw", days=30):
    """Put a certificate of another authority, or of another time, in place of a gateway's own."""
    request = own.request()
    pem = authority._sign(gateway, authority_key(request), days, [identity.x509.oid.ExtendedKeyUsageOID.CLIENT_AUTH])
    before = own.ca_file.read_text()
    own.install(pem.public_bytes(identity.serialization.Encoding.PEM).decode(), before, own.hub())


def authority_key(request):
    return identity.x509.load_pem_x509_csr(request.encode()).public_key()


async def until(condition, seen=None, limit_s=20):
    for _ in range(limit_s * 20):
        if condition():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it did not come to pass: %s" % seen)


@pytest.mark.parametrize("kind", [http, mqtt])
async def test_from_a_token_to_records_at_the_hub_and_on_after_a_renewal(tmp_path, kind):
    async with Door(tmp_path) as door:
        own = await door.enrolled()
        assert stat.S_IMODE(own.file.stat().st_mode) == 0o600 and stat.S_IMODE((door.folder / "ca.key").stat().st_mode) == 0o600
        first, first_key = identity.facts_of(own.file), own.file.read_bytes()[:200]
        async with Line(tmp_path, door.uplink(kind, own)) as line:
            await line.offer(1, 500)
            await line.delivered()
            await asyncio.to_thread(enrolment.renew, tmp_path / "gw")
            door.register.revoke(first["serial"])
            if kind is mqtt:
                door.reload()
            await line.offer(501, 1000)
            await line.delivered()
        second = identity.facts_of(own.file)
        assert second["serial"] != first["serial"] and own.file.read_bytes()[:200] != first_key
        assert arrived(door.hub.ingest.store) == list(range(1, 1001))
        assert [(c["how"], c["state"]) for c in door.register.certificates()] == [("renewal", "valid"), ("token", "revoked")]


FAULTS = {  # what is wrong: (how it is made wrong, words that the state has over HTTP, and over MQTT)
    "our authority is of another hub": (lambda door, own, other: own.ca_file.write_text(other.ca_file.read_text()), "not trusted here", ""),
    "our certificate is of another hub": (lambda door, own, other: replace(own, other),
                                          "does not know the authority|perhaps since it does not accept", ""),
    "ours has ended": (lambda door, own, other: replace(own, Authority(door.folder, ages(-60))), "certificate ended on", ""),
    "our clock is years back": (lambda door, own, other: replace(own, Authority(door.folder, ages(2000))), "begins on .* clock says", ""),
    "ours is revoked": (lambda door, own, other: (door.register.revoke("gw"), door.reload()), "is revoked", "is revoked|closed the line"),
    "ours is of another gateway": (lambda door, own, other: replace(own, door.register.authority, "gw-2"),
                                   "calls itself gw, the line is that of gw-2", "refuses the topic|ot authorized"),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("kind", [http, mqtt])
async def test_what_is_wrong_is_said_and_heals_and_nothing_is_lost(tmp_path, kind, fault):
    make_wrong, words, broker_words = FAULTS[fault]
    async with Door(tmp_path) as door:
        own = await door.enrolled()
        make_wrong(door, own, Authority.make(tmp_path / "other"))
        words = broker_words or words if kind is mqtt else words
        async with Line(tmp_path, door.uplink(kind, own)) as line:
            await line.offer(1, 300)
            seen = set()
            await until(lambda: seen.add(line.reason) or re.search(words, line.reason), seen)
            assert line.supervisor.children[1].state == "waiting" and "(" in line.reason, seen
            assert line.outbox.marks["hub"] == 0 and door.hub.ingest.store.totals()[0] == 0
            await asyncio.to_thread(enrolment.enrol, door.token(), tmp_path / "gw")
            await line.delivered()
        assert arrived(door.hub.ingest.store) == list(range(1, 301))


@pytest.mark.parametrize("acknowledged_by", ["hub", "broker"])
async def test_a_topic_that_the_broker_refuses_acknowledges_nothing(tmp_path, acknowledged_by):
    async with Door(tmp_path) as door:
        own, acl = await door.enrolled(), door.folder / "broker" / "acl"
        before = acl.read_text()
        acl.write_text(before.replace("pattern write heed/v1/%u/up/#\n", ""))
        door.reload()
        async with Line(tmp_path, door.uplink(mqtt, own, acknowledged_by=acknowledged_by)) as line:
            await line.offer(1, 300)
            seen = set()
            await until(lambda: seen.add(line.reason) or "refuses the topic heed/v1/gw/up/" in line.reason, seen)
            assert line.outbox.marks["hub"] == 0
            acl.write_text(before)
            door.reload()
            await line.delivered()
            assert door.hub.ingest.store.totals()[0] == 300 or acknowledged_by == "broker"  # who asked for the broker's word alone


async def test_rounds_over_a_locked_broker(tmp_path):
    async with Door(tmp_path) as door:
        own, line = await door.enrolled(), dict(door.hub.listener.options)
        hub = Hub(str(tmp_path / "rounds.db"), None, line, "heed-rounds", rounds=Rounds(check_options(SETTINGS, {"step_s": 60})[0]))
        await hub.start()
        mine = dict(line, ca_file=str(own.ca_file), cert_file=str(own.file))
        down, spy = Subscription(mine, "gw"), Subscription(mine, "other")
        try:
            for each in (down, spy):
                while not await each.round("gw"):
                    await asyncio.sleep(.05)
            for name in ("other", "gw"):
                await connection.publish(hub_line := (await connection.connect(line, "heed-test"))[0], Message(MINE % name, b'{"id": "x"}', True))
                await connection.disconnect(hub_line)
            await until(lambda: down.held.get(MINE % "gw"))
            assert MINE % "other" not in spy.held
            with pytest.raises(NotConnected, match="refuses the topic"):
                await connection.publish(down.client, Message(ROUND, b"{}", True))
        finally:
            await down.close()
            await spy.close()
            await hub.stop()


async def test_the_wrong_far_end_is_known_by_its_name(tmp_path):
    async with Door(tmp_path) as door:
        own = await door.enrolled()
        door.register.authority.issue_server(door.folder / "hub.pem", "heed-hub", ["elsewhere.example"], 30)
        door.enrolment.context.load_cert_chain(door.enrolment.pem)
        async with Line(tmp_path, door.uplink(http, own)) as line:
            await line.offer(1, 10)
            await until(lambda: "another host name" in line.reason)


async def test_a_plain_port_is_told_from_a_locked_one(tmp_path):
    hub = Hub(str(tmp_path / "hub.db"), ("127.0.0.1", 0))
    await hub.start()
    async with Line(tmp_path, uplink_of(http, tmp_path, url="https://127.0.0.1:%d/v1/batches" % hub.port)) as line:
        await line.offer(1, 10)
        await until(lambda: "does not speak TLS" in line.reason)
    await hub.stop()


async def test_a_token_lets_one_key_in_once_and_not_for_ever(tmp_path):
    async with Door(tmp_path) as door:
        token, over = door.token(), door.token("late", 0)
        enrol = lambda token, name: asyncio.to_thread(enrolment.enrol, token, tmp_path / name)  # noqa: E731
        assert token.split(".")[-1].encode() not in (door.folder / "register.db").read_bytes()
        key = identity.Identity(tmp_path / "a").request() and (tmp_path / "a" / "identity" / "pending.pem").read_bytes()
        assert (await enrol(token, "a"))["gateway"] == "gw"
        for given, words in ((token, "used by another gateway"), (over, "is over"), (token + "x", "not known here")):
            with pytest.raises(HeedError, match=words):
                await enrol(given, "b")
        (tmp_path / "a" / "identity" / "pending.pem").write_bytes(key)  # the answer was lost: the same key asks again
        assert (await enrol(token, "a"))["gateway"] == "gw"
        refused = door.hub.ingest.counters["enrolments_refused"]
        stranger = Authority.make(tmp_path / "other").fingerprint()
        with pytest.raises(HeedError, match="somebody sits in between"):
            await enrol(token.replace(door.register.authority.fingerprint(), stranger), "b")
        assert refused == door.hub.ingest.counters["enrolments_refused"] == 3  # that token was not even sent


@pytest.mark.parametrize("token", ["", "hello", "http://hub/#" + "ab" * 32 + ".x", "https://hub/#abc.x",
                                   "https://hub:99999/#" + "ab" * 32 + ".x", "https://hub/#" + "ab" * 32])
async def test_what_is_no_token_is_said_to_be_none(tmp_path, token):
    with pytest.raises(ConfigError, match="no token"):
        enrolment.enrol(token, tmp_path)


def test_an_authority_that_rides_behind_the_right_one_is_not_believed(tmp_path, monkeypatch):
    for name in range(30):  # padding ends the decoding of base64: some certificates have it
        right = Authority.make(tmp_path / str(name))
        pem = right.ca_file.read_text()
        if "=" in pem:
            break
    both = pem + Authority.make(tmp_path / "evil").ca_file.read_text()
    monkeypatch.setattr(enrolment, "ask", lambda *given: (200, both))
    try:
        assert enrolment.authority_of("https://h", right.fingerprint()).split() == pem.split()
    except HeedError as error:
        assert "sits in between" in error.message


@pytest.mark.parametrize("body, status", [(b"hello", 400), (b"[]", 400), (b'{"token": "x"}', 400), (b'{"token": "x", "request": "y"}', 403),
                                          (b'{"request": "y"}', 403), (b"x" * 100000, 400)])
async def test_the_door_stands_what_is_thrown_at_it(tmp_path, body, status):
    async with Door(tmp_path) as door:
        context = ssl.create_default_context(cafile=door.enrolment.tls[2])
        async with aiohttp.ClientSession() as session:
            async with session.post(door.url + "/v1/enroll", data=body, ssl=context) as answer:
                assert answer.status == status and (await answer.json())["error"]
            async with session.post(door.url + "/v1/batches", data=body, ssl=context) as answer:
                assert answer.status == 403  # no certificate, no further
            async with session.get(door.url + "/v1/gateways", ssl=context) as answer:
                assert answer.status == 403


async def test_a_gateway_reads_nothing_of_the_others(tmp_path):
    async with Door(tmp_path) as door:
        own = await door.enrolled()
        async with Line(tmp_path, door.uplink(http, own)) as line:
            await line.offer(1, 10)
            await line.delivered()
            epoch = line.outbox.epoch
        for pem, gateway, status in ((own.file, "gw", 200), (own.file, "gw-2", 403), (door.enrolment.pem, "gw", 200)):
            context = ssl.create_default_context(cafile=door.enrolment.tls[2])
            context.load_cert_chain(pem)
            async with aiohttp.ClientSession() as session:
                query = {"gateway": gateway, "epoch": epoch}
                async with session.get(door.url + "/v1/records", params=query, ssl=context) as answer:
                    assert answer.status == status and (status == 403 or len(await answer.json()) == 10)
                async with session.get(door.url + "/v1/gateways", ssl=context) as answer:
                    assert answer.status == (403 if pem == own.file else 200)


async def test_who_is_put_out_stays_out(tmp_path):
    async with Door(tmp_path) as door:
        own, open_token = await door.enrolled(), door.token()
        door.register.revoke("gw")
        with pytest.raises(HeedError, match="is revoked"):
            await asyncio.to_thread(enrolment.renew, tmp_path / "gw")
        with pytest.raises(HeedError, match="not known here"):  # its open tokens went with it
            await asyncio.to_thread(enrolment.enrol, open_token, tmp_path / "gw")
        with pytest.raises(ConfigError, match="no certificate"):
            door.register.revoke("nobody")
        async with Line(tmp_path, door.uplink(http, own)) as line:
            await line.offer(1, 10)
            await until(lambda: "403: the certificate of gw is revoked" in line.reason)
        (door.folder / "broker" / "crl.pem").write_text("broken")  # a list that cannot be read lets nobody in
        other = await door.enrolled("gw-2")
        async with Line(tmp_path, door.uplink(http, other, "gw-2"), "gw-2") as line:
            await line.offer(1, 10)
            await until(lambda: "revoked" in line.reason)


async def test_a_broker_told_to_reload_knows_who_is_revoked(tmp_path):
    async with Door(tmp_path) as door:
        own = await door.enrolled()
        door.register.revoke("gw")
        door.broker.process.send_signal(signal.SIGHUP)
        await asyncio.sleep(0.5)
        with pytest.raises(NotConnected, match="revoked|closed the line"):
            await door.uplink(mqtt, own).open()


async def test_a_gateway_renews_by_itself_and_says_when_it_cannot(tmp_path):
    async with Door(tmp_path) as door:
        own = await door.enrolled()
        facts, clock = identity.facts_of(own.file), FakeClock()
        clock.now = identity.due_ms(facts) - 5 * 3600000
        renewal = enrolment.Renewal(tmp_path / "gw", clock)
        ups = []
        running = asyncio.ensure_future(renewal.run(lambda: ups.append(clock.now)))
        await until(lambda: renewal.counters["renewed"] or running.done())
        running.cancel()
        assert min(ups) < identity.due_ms(facts) and identity.facts_of(own.file)["serial"] != facts["serial"]
        await door.hub.site.stop()
        renewal = enrolment.Renewal(tmp_path / "gw", clock)
        clock.now = identity.due_ms(identity.facts_of(own.file)) + 1
        with pytest.raises(NotConnected, match="ends on .* and is not renewed: .*"):
            await renewal.run(lambda: None)
        ups = []
        running = asyncio.ensure_future(renewal.run(lambda: ups.append(1)))  # once more, by a clock that was mended
        clock.now -= 86400000
        await until(lambda: ups)
        running.cancel()
        assert renewal.counters["failed_renewals"] >= 1 and identity.facts_of(own.file)["gateway"] == "gw"


async def test_a_clock_that_is_wrong_makes_no_storm_of_renewals(tmp_path):
    async with Door(tmp_path) as door:
        own, clock = await door.enrolled(), FakeClock()
        clock.now = identity.due_ms(identity.facts_of(own.file)) + 5 * 86400000  # what the hub makes now is due by this clock
        renewal = enrolment.Renewal(tmp_path / "gw", clock)
        began = clock.now
        running = asyncio.ensure_future(renewal.run(lambda: None))
        await until(lambda: renewal.counters["renewed"] >= 4)
        assert clock.now - began >= (renewal.counters["renewed"] - 1) * enrolment.AGAIN_MS
        await until(running.done)  # a hub has enough of it as well
        assert "valid" in str(running.exception()) and len(door.register.certificates()) == 10


async def test_the_hub_renews_its_own_certificates(tmp_path):
    async with Door(tmp_path) as door:
        pem = door.folder / "broker" / "broker.pem"
        door.register.authority.clock = ages(-300)
        door.register.authority.issue_server(pem, "heed-broker", HOSTS, 365, 0o640)
        door.register.authority.clock = ages(0)
        old = identity.facts_of(pem)["serial"]
        running = asyncio.ensure_future(door.enrolment.run(lambda: None))
        await until(lambda: identity.facts_of(pem)["serial"] != old)
        running.cancel()
        assert door.hub.ingest.counters["own_renewals"] in (1, 2)  # the hub itself may come to look at the same moment


def test_names_that_are_no_names_get_no_token(tmp_path):
    register = Enrolment(make(tmp_path / "ca", "https://h", HOSTS).folder).register
    register.token("bed-7", 1)
    for name in ("", "a/b", "#", "+", "heed-hub", "x" * 65, "ä"):
        with pytest.raises(ConfigError):
            register.token(name, 1)
    assert sqlite3.connect(register.path).execute("SELECT COUNT(*) FROM token").fetchone() == (1,)
    assert json.loads((tmp_path / "ca" / "hub.json").read_text())["hosts"] == HOSTS
