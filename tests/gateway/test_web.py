"""The local door: who may come in, what is refused and counted, and the whole way from a question to its answer."""

import asyncio
import json
import re
import ssl
from xml.etree import ElementTree

import aiohttp
import numpy as np
import pytest

from firmware_tools.services import free_port
from gateway import app, config
from gateway.attention.guard import Verdict
from gateway.attention.state import AttentionState
from gateway.hub.enrolment import make
from gateway.web.admission import host_of
from gateway.web.drawing import drawn
from gateway.web.settings import WEB, WebConfig
from gateway.web.site import NOTHING, PAGE, Site, policy
from tests.attention.helpers import CLASSES, clouds, learner_in, moments

DEFAULTS = {name: spec["default"] for name, spec in WEB["options"].items()}
TOKEN = "0123456789abcdef0123"


class Status:
    """As gateway.status.Status is to the API."""

    @staticmethod
    def snapshot():
        return {"gateway": "ward", "parts": []}


class Served:
    """A Site that listens, on the files of a learner that has asked for a label of stream "bed/1"."""

    def __init__(self, folder, learner=None, scheme="http", **options):
        self.config = WebConfig(dict(DEFAULTS, listen="127.0.0.1:%d" % free_port(), **options))
        doors = (lambda: {stream: learner.door for stream in learner.moments.recent}) if learner else dict
        self.site = Site(self.config, folder, Status, doors)
        self.url = "%s://localhost:%d" % (scheme, self.config.port)

    async def __aenter__(self):
        up = asyncio.Event()
        self.task = asyncio.ensure_future(self.site.run(up.set))
        await asyncio.wait_for(up.wait(), 10)
        self.session = aiohttp.ClientSession()
        return self

    async def __aexit__(self, *error):
        await self.session.close()
        self.task.cancel()
        await asyncio.wait([self.task])

    async def ask(self, path, sent=None, method=None, ssl=None, **headers):
        """(status, JSON or text) of one request."""
        async with self.session.request(method or ("GET" if sent is None else "POST"), self.url + path, json=sent, ssl=ssl, headers={
                name.replace("_", "-"): value for name, value in headers.items()}) as answer:
            self.headers = answer.headers
            return answer.status, await (answer.json() if answer.content_type == "application/json" else answer.text())


@pytest.fixture
def learner(tmp_path):
    learner = learner_in(tmp_path)
    for moment in moments(clouds(np.random.default_rng(1), 100)[0], "bed/1"):
        learner.observe(moment)
    learner._meet("bed/1")
    learner.ask("bed/1")
    return learner


async def test_from_a_question_to_its_answer(tmp_path, learner):
    async with Served(tmp_path, learner) as door:
        _, told = await door.ask("/v1/feedback")
        asked = told["asked"][0]
        assert (asked["stream"], told["words"], told["alarms"]) == ("bed/1", [], [])
        _, facts = await door.ask("/v1/feedback/bed%%2F1/%d.json" % asked["seq"])
        assert facts["guess"] == asked["guess"] and facts["words"] == []
        status, picture = await door.ask("/v1/feedback/bed%%2F1/%d.svg" % asked["seq"])
        assert status == 200 and picture.startswith("<svg")
        word = {"stream": "bed/1", "seq": asked["seq"], "label": "V", "source": "clinician:a", "given_ms": 5}
        assert (await door.ask("/v1/feedback", word))[1]["verdict"] == "taken"
        assert (await door.ask("/v1/feedback", word))[1]["verdict"] == "repeated"
        told = (await door.ask("/v1/feedback"))[1]
        assert told["asked"] == [] and told["words"] == [dict(word, verdict="taken")]
        assert {moment.seq: label for moment, label in learner.moments.kept("bed/1") if label} == {asked["seq"]: "V"}


async def test_what_is_confirmed_or_denied_is_a_users_word(tmp_path, learner):
    learner.store.introduce("yard", "plugin vision 1", ["confirm", "deny"], 0)
    async with Served(tmp_path, learner) as door:
        assert {row["stream"]: row["giver"] for row in (await door.ask("/v1/attention"))[1]["streams"]} == {"bed/1": "clinician", "yard": "user"}
        told = (await door.ask("/v1/feedback", {"stream": "yard", "seq": 1, "label": "deny"}))[1]
        assert (told["source"], told["verdict"]) == ("user", "waiting")


async def test_a_question_that_nobody_can_answer_makes_room_and_is_not_asked_again(tmp_path, learner):
    async with Served(tmp_path, learner) as door:
        seq = (await door.ask("/v1/feedback"))[1]["asked"][0]["seq"]
        assert (await door.ask("/v1/feedback/bed%%2F1/%d/skip" % seq, {}))[0] == 200
        assert (await door.ask("/v1/feedback/bed%%2F1/%d/skip" % seq, {}))[0] == 404
        assert learner.ask("bed/1").seq != seq and learner.counters["skipped"] == 1


async def test_what_a_stream_uses_is_frozen_taken_back_and_shown(tmp_path, learner):
    for parent in (0, 1):
        learner.store.adopt(AttentionState("bed/1", learner.origin.package, 0, parent, 5, "because", {"ground": []}, learner.origin.copy()))
    learner.store.changed()
    async with Served(tmp_path, learner) as door:
        row = (await door.ask("/v1/attention"))[1]["streams"][0]
        assert (row["version"], row["reason"], row["classes"], row["frozen"]) == (2, "because", CLASSES, False)
        assert (await door.ask("/v1/attention/bed%2F1/freeze", {}))[1]["frozen"] and learner.store.current("bed/1")[1]
        assert learner.store.changed()  # so the learner takes it up
        assert not (await door.ask("/v1/attention/bed%2F1/thaw", {}))[1]["frozen"]
        assert (await door.ask("/v1/attention/bed%2F1/rollback", {}))[1]["version"] == 1
        assert (await door.ask("/v1/attention/bed%2F1/reset", {}))[1]["version"] == 0
        assert (await door.ask("/v1/attention/bed%2F1/rollback", {}))[0] == 400
        assert (await door.ask("/v1/attention/bed%2F1/rollback", {"version": 2}))[1]["version"] == 2
        assert (await door.ask("/v1/attention/bed%2F1/rollback", {"version": 77}))[0] == 404
        versions = (await door.ask("/v1/attention/bed%2F1"))[1]["versions"]
        assert [version["version"] for version in versions] == [1, 2] and all(version["facts"] == {} for version in versions)


async def test_an_alarm_is_answered_by_a_clinician(tmp_path, learner):
    learner.alarms.note("bed/1", Verdict(False, "trust", "is it the right patient?", {}))
    async with Served(tmp_path, learner) as door:
        assert (await door.ask("/v1/feedback"))[1]["alarms"][0]["why"] == "is it the right patient?"
        assert (await door.ask("/v1/feedback/bed%2F1/confirm", {"source": "user:x"}))[0] == 400
        assert (await door.ask("/v1/feedback/bed%2F1/confirm", {"source": "clinician:a"}))[1]["answer"] == "confirmed"
        assert (await door.ask("/v1/feedback/bed%2F1/deny", {}))[0] == 400
        assert (await door.ask("/v1/feedback"))[1]["alarms"] == []


@pytest.mark.parametrize("path, sent, status", [
    ("/v1/feedback", {"stream": "no", "seq": 1, "label": "V"}, 404), ("/v1/feedback", {"stream": "bed/1", "seq": 1, "label": "X"}, 400),
    ("/v1/feedback", {"stream": "bed/1", "seq": 1, "label": "V", "source": "nobody"}, 400), ("/v1/feedback", {"stream": "bed/1"}, 400),
    ("/v1/feedback", {"stream": "bed/1", "seq": True, "label": "V"}, 400), ("/v1/feedback", {"stream": "bed/1", "seq": 1 << 60, "label": "V"}, 400),
    ("/v1/feedback", {"stream": "bed/1", "seq": 1, "label": "V", "other": 1}, 400), ("/v1/feedback", [1], 400),
    ("/v1/feedback", {"stream": "b" * 5000, "seq": 1, "label": "V"}, 413), ("/v1/attention/no/freeze", {}, 404),
    ("/v1/attention/bed%2F1/melt", {}, 404), ("/v1/feedback/bed%2F1/999999.json", None, 404), ("/v1/nothing", None, 404)])
async def test_bad_input_is_told_and_counted(tmp_path, learner, path, sent, status):
    async with Served(tmp_path, learner) as door:
        found, told = await door.ask(path, sent)
        assert found == status and set(told) == {"error", "hint"} and door.site.counters["bad_requests"] == 1
        assert learner.store.rows("SELECT * FROM feedback") == [] and [row["stream"] for row in
                                                                       (await door.ask("/v1/attention"))[1]["streams"]] == ["bed/1"]


@pytest.mark.parametrize("kind, sent", [
    ("application/json", b"\xff\xfe{"), ("application/json", b"[" * 4000), ("application/json; charset=none", b"{}"), ("application/json", b""),
    ("application/json", b'{"stream": "bed/1", "seq": NaN, "label": "V"}'), ("application/json", b'{"stream": "bed/1", "seq": 1e3, "label": "V"}'),
    ("application/json", b'{"stream": "bed/1", "seq": 1, "label": "V", "source": "clinician:\\ud800"}'), ("application/json", b"null")])
async def test_bodies_that_are_no_such_object_are_the_senders_fault(tmp_path, learner, kind, sent):
    async with Served(tmp_path, learner) as door:
        async with door.session.post(door.url + "/v1/feedback", data=sent, headers={"Content-Type": kind}) as answer:
            assert answer.status == 400 and (await answer.json())["hint"]
        assert door.site.counters["failures"] == 0 and learner.store.rows("SELECT * FROM feedback") == []


async def test_other_pages_cannot_speak_for_the_person(tmp_path, learner):
    word = {"stream": "bed/1", "seq": 1, "label": "V"}
    async with Served(tmp_path, learner) as door:
        own = door.url
        for status, headers in [(421, {"Host": "evil.example"}), (403, {"Origin": "https://evil.example"}), (403, {"Sec_Fetch_Site": "cross-site"}),
                                (403, {"Origin": "null"}), (200, {"Origin": own, "Sec_Fetch_Site": "same-origin"})]:
            assert (await door.ask("/v1/feedback", word, **headers))[0] == status, headers
        async with door.session.post(own + "/v1/feedback", data=json.dumps(word), headers={"Content-Type": "text/plain"}) as answer:
            assert answer.status == 415
        assert {name: n for name, n in door.site.counters.items() if n} == {
            "requests": 6, "refused_host": 1, "refused_origin": 3, "refused_type": 1}
        assert (await door.ask("/v1/feedback"))[0] == 200 and "Access-Control-Allow-Origin" not in door.headers
        assert door.headers["X-Frame-Options"] == "DENY" and door.headers["Cache-Control"] == "no-store"


async def test_a_token_lets_in(tmp_path, learner):
    (tmp_path / "token").write_text(TOKEN + "\n")
    async with Served(tmp_path, learner, token_file=str(tmp_path / "token")) as door:
        for path in ("/v1/status", "/v1/feedback", "/metrics"):
            assert (await door.ask(path))[0] == 401
        assert (await door.ask("/v1/status", Authorization="Bearer " + TOKEN[:-1]))[0] == 401 and door.site.counters["refused_token"] == 4
        assert (await door.ask("/v1/status", Authorization="Bearer " + TOKEN)) == (200, {"gateway": "ward", "parts": [], "state": "running", "age_ms": 0})
        status, page = await door.ask("/")
        assert status == 200 and "ward" not in page


async def test_too_many_requests_are_turned_away(tmp_path, learner):
    async with Served(tmp_path, learner, requests_per_s=1) as door:
        found = [(await door.ask("/v1/status"))[0] for _ in range(6)]
        assert found[:3] == [200] * 3 and 429 in found and door.site.counters["refused_rate"] >= 1


async def test_a_certificate_says_who_it_is(tmp_path, learner):
    authority = make(tmp_path / "ca", "https://localhost:1", ["localhost", "127.0.0.1"])
    pem, ca = str(tmp_path / "ca" / "hub.pem"), str(authority.ca_file)
    trusting, known = (ssl.create_default_context(cafile=ca) for _ in range(2))
    known.load_cert_chain(pem)
    async with Served(tmp_path, learner, "https", cert_file=pem, client_ca_file=ca) as door:
        with pytest.raises(aiohttp.ClientError):
            await door.ask("/v1/status", ssl=trusting)
        word = {"stream": "bed/1", "seq": 1, "label": "V"}
        assert (await door.ask("/v1/feedback", word, ssl=known))[1]["source"] == "clinician:heed-hub"
        assert (await door.ask("/v1/feedback", dict(word, source="clinician:a"), ssl=known))[0] == 400


@pytest.mark.parametrize("address, host", [
    ("localhost", "localhost"), ("Ward-3.local:8437", "ward-3.local"), ("[::1]:8437", "::1"), ("127.0.0.1:1", "127.0.0.1"), ("", None),
    ("a:b", None), ("evil.example@localhost:1", "evil.example@localhost"), ("localhost:1:2", None)])
def test_hosts_of_requests(address, host):
    assert host_of(address) == host


def test_a_picture_carries_no_marks_of_whoever_named_the_stream():
    facts = {"stream": "<script>", "seq": 1, "guess": "&", "share": .5, "attended": [.2, .8], "trace": {
        "rate_hz": 100, "line": [0, 1, 0], "around": [{"apart_ms": -30, "guess": "<b>", "line": [0, 1, 0]}]}}
    tags = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(drawn(facts)).iter()}
    assert tags == {"svg", "title", "style", "line", "rect", "text", "polyline"} and "itself 80 %, 1 back 20 %" in drawn(facts)
    del facts["trace"]
    assert "itself 80 %" in drawn(facts) and "polyline" not in drawn(facts)


async def test_where_nothing_learns_there_is_nothing(tmp_path):
    async with Served(tmp_path) as door:
        assert (await door.ask("/v1/attention"))[1] == {"streams": []} and not list(tmp_path.iterdir()) and NOTHING == ":memory:"
        assert (await door.ask("/v1/feedback", {"stream": "bed", "seq": 1, "label": "V"}))[0] == 404


def test_the_page_loads_nothing_from_elsewhere_and_runs_only_its_own_script():
    page = PAGE.read_text()
    assert not re.search(r"(src|href)\s*=\s*[\"'](?!data:,)|https?://|@import|innerHTML|\son\w+=", page)
    assert page.count("<script>") == page.count("<style>") == 1 and "unsafe-inline" not in policy(page)


@pytest.mark.parametrize("table, words", [
    ('listen = "0.0.0.0:8437"', "names is empty"), ('listen = "192.0.2.1:8437"', "without TLS"), ('listen = "8437"', "address:port"),
    ('listen = "192.0.2.1:8437"\ncert_file = "%(pem)s"', "for everybody"), ('token_file = "%(short)s"', "5 characters"),
    ('token_file = "nowhere"', "No such file"), ('client_ca_file = "x.pem"', "are for TLS"), ('cert_file = "%(short)s"', "TLS files"),
    ('port = 1', "unknown option")])
def test_settings_that_would_leave_the_door_open_are_refused(tmp_path, table, words):
    make(tmp_path / "ca", "https://localhost:1", ["localhost"])
    (tmp_path / "short").write_text("12345")
    files = {"pem": tmp_path / "ca" / "hub.pem", "short": tmp_path / "short"}
    chosen, faults = config.check_text("[web]\n" + table % files, "test", [])
    assert chosen.web is None and len(faults) == 1 and "[web]" in str(faults[0]) and words in str(faults[0])


def test_it_is_off_unless_asked_for(tmp_path):
    assert config.check_text("", "test", [])[0].web is None
    chosen, faults = config.check_text("[web]", "test", [])
    assert not faults and (chosen.web.host, chosen.web.port) == ("127.0.0.1", 8437)


async def test_a_beat_of_a_real_patient_as_a_person_sees_it(tmp_path, mitdb):
    text = ('[gateway]\ndata = "%s"\n[web]\nlisten = "127.0.0.1:%d"\n[[sensor]]\nname = "bed"\nkind = "replay"\nfeeds = "ecg"\n'
            'options = { record = "%s/208", speed = 200.0 }\n[[plugin]]\nname = "ecg"\nkind = "ecg"\nmodel = "ecg"\n')
    chosen, faults = config.check_text(text % (tmp_path, free_port(), mitdb), "test", ["ecg"])
    assert not faults
    gateway = app.Gateway(chosen)
    task, url = asyncio.ensure_future(gateway.run()), "http://localhost:%d/v1/" % chosen.web.port
    async with aiohttp.ClientSession() as session:
        asked = []
        for _ in range(600):
            await asyncio.sleep(.1)
            if [child.state for child in gateway.supervisor.children if child.name == "web"] == ["running"]:
                asked = (await (await session.get(url + "feedback")).json())["asked"]
            if asked:
                break
        facts = await (await session.get(url + "feedback/bed/%d.json" % asked[0]["seq"])).json()
        picture = await (await session.get(url + "feedback/bed/%d.svg" % asked[0]["seq"])).text()
        await session.post(url + "feedback", json={"stream": "bed", "seq": asked[0]["seq"], "label": "V"})
        state = await (await session.get(url + "status")).json()
    gateway.stop()
    await task
    assert list(facts["shares"]) == ["N", "S", "V", "F"] and sum(facts["shares"].values()) == pytest.approx(1, abs=.01)
    assert facts["shares"][facts["guess"]] == max(facts["shares"].values()) and sum(facts["attended"]) == pytest.approx(1, abs=.02)
    assert len(facts["trace"]["line"]) == len(facts["trace"]["usual"]) == 104 and facts["trace"]["around"]
    assert all(300 < abs(near["apart_ms"]) < 12000 for near in facts["trace"]["around"]) and picture.count("<polyline") >= 3
    counters = {part["name"]: part["counters"] for part in state["parts"]}
    assert counters["attention"]["taken"] == 1 and counters["web"]["requests"] >= 4
