"""The commands, as a person types them: a hub is set up, a gateway is let in, sends, is put out and let in again."""

import json
import subprocess
import sys
import time

import pytest

from firmware_tools.services import free_port

SETTINGS = """
[gateway]
name = "bed-7"
data = "heed-data"
[[sensor]]
name = "bed-1"
kind = "simulated"
feeds = "ecg"
options = { speed = 50 }
[[plugin]]
name = "ecg"
kind = "ecg"
[[uplink]]
name = "hub"
kind = "http"
options = { url = "https://localhost:%d/v1/batches", ca_file = "%s", cert_file = "%s" }
"""


def heed(folder, *words, code=0):
    """Output of a command."""
    done = subprocess.run([sys.executable, "-m", "firmware_tools", *words], cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def background(tmp_path):
    """Starts a command that goes on; all are stopped at the end."""
    running = []

    def start(*words):
        with open(tmp_path / "log", "ab") as log:
            running.append(subprocess.Popen([sys.executable, "-m", "firmware_tools", *words], cwd=tmp_path, stdout=log, stderr=log))
        return running[-1]
    yield start
    for process in running:
        process.terminate()
        process.wait(30)


def until(ask, limit_s=40):
    """The first true answer."""
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        answer = ask()
        if answer:
            return answer
        time.sleep(0.3)
    raise AssertionError("it did not come to pass")


def reason(folder):
    """What the status says of the uplink."""
    return {part["name"]: part["reason"] for part in json.loads((folder / "heed-data" / "status.json").read_text())["parts"]}["hub"]


def arrived(folder):
    """Records at the hub."""
    return json.loads(heed(folder, "hub", "gateways", "--json"))["records"]


def test_from_init_to_revoke_by_the_commands(tmp_path, background):
    port = free_port()
    assert "heed hub run" in heed(tmp_path, "hub", "init", "--url", "https://localhost:%d" % port)
    background("hub", "run", "--ca", "hub-ca", "--listen", "127.0.0.1:%d" % port)
    until(lambda: "hub listens" in (tmp_path / "log").read_text())
    token = json.loads(heed(tmp_path, "hub", "token", "bed-7", "--json"))["token"]
    facts = json.loads(heed(tmp_path, "enroll", token, "--json"))
    assert "used by another gateway" in heed(tmp_path, "enroll", token, "--data", "thief", code=1)
    (tmp_path / "heed.toml").write_text(SETTINGS % (port, facts["ca_file"], facts["cert_file"]))
    background("run")
    until(lambda: arrived(tmp_path) > 0)
    assert facts["serial"] in heed(tmp_path, "hub", "certificates", "--json")
    assert "revoked 1" in heed(tmp_path, "hub", "revoke", facts["serial"])
    assert "the certificate of bed-7 is revoked" in until(lambda: reason(tmp_path))
    before = arrived(tmp_path)
    heed(tmp_path, "enroll", json.loads(heed(tmp_path, "hub", "token", "bed-7", "--json"))["token"])
    until(lambda: arrived(tmp_path) > before and not reason(tmp_path))
    gateways = json.loads(heed(tmp_path, "hub", "gateways", "--json"))["gateways"]
    assert [(g["gateway"], g["missing"], g["holes"]) for g in gateways] == [("bed-7", 0, 0)]
    states = [c["state"] for c in json.loads(heed(tmp_path, "hub", "certificates", "--json"))["certificates"]]
    assert states == ["valid", "revoked"]
    assert "hub" in heed(tmp_path, "uplink", "preview", "--dry", "2", "--records", "1")


@pytest.mark.parametrize("words, code, said", [
    (("enroll", "nonsense"), 2, "no token"),
    (("enroll", "https://localhost:1/#" + "ab" * 32 + ".x"), 1, "is the hub up"),
    (("hub", "token", "x"), 1, "`heed hub init` makes one"),
    (("hub", "init", "--url", "http://x"), 2, "write https://host:port"),
    (("hub", "init", "--url", "https://x:99999"), 2, "write https://host:port"),
    (("hub", "run", "--ca", "nowhere"), 1, "`heed hub init` makes one"),
    (("hub", "run", "--crl", "x"), 2, "--client-ca"),
    (("hub", "run", "--crl", "x", "--client-ca", "y"), 2, "no revocation list"),
    (("uplink", "preview"), 2, "`heed init` writes one")])
def test_what_cannot_be_is_said_with_what_to_do(tmp_path, words, code, said):
    assert said in heed(tmp_path, *words, code=code)
