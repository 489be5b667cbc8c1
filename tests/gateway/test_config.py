"""Settings: every fault at once, each with place and remedy."""

from pathlib import Path

import pytest

from gateway import config, limits
from gateway.core.errors import ConfigError
from models.package import names

TEMPLATE = Path(__file__).parents[2] / "firmware_tools" / "cli" / "heed.toml"
BROKEN = """
[gatway]
[gateway]
name = 7
[outbox]
commit_ms = "soon"
[outbox.alarm]
max_bytes = "lots"
policy = "drop_newest"
[[sensor]]
name = "bed-1"
kind = "replay"
feeds = "ecg"
options = { recrd = "100", speed = -1 }
[[sensor]]
name = "bed-2"
kind = "replya"
feeds = "ecg"
[[plugin]]
name = "ecg"
kind = "ecg"
isolation = "jail"
options = { pause_ms = 10 }
[uplink]
"""


def faults_of(text):
    return [str(fault) for fault in config.check_text(text, "heed.toml", names())[1]]


def test_the_template_is_sound():
    assert faults_of(TEMPLATE.read_text()) == []


def test_all_faults_are_reported_in_one_pass():
    text = "\n".join(faults_of(BROKEN))
    for words in ("[gatway]: unknown table: did you mean \"gateway\"", '[gateway]: "name" is 7', '"commit_ms" is \'soon\'', "max_bytes is 'lots'",
                  '"policy" is \'drop_newest\'', "[[sensor]] #1 'bed-1' options: \"recrd\" unknown option: did you mean \"record\"",
                  '"record" is missing', '"speed" is -1', 'no sensor of kind "replya": did you mean "replay"', '"isolation" is \'jail\'',
                  '"pause_ms" is 10', "write [[uplink]]"):
        assert words in text, "%s\nnot in\n%s" % (words, text)


def test_links_must_lead_somewhere():
    text = TEMPLATE.read_text().replace('feeds = "ecg"', 'feeds = "egc"').replace('model = "ecg"', 'model = "ecgg"')
    found = "\n".join(faults_of(text))
    assert 'feeds "egc"' in found and 'no model package "ecgg": did you mean "ecg"' in found


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.write_text("[gateway\n"), lambda path: path.write_bytes(b"\xff\xfe")])
def test_missing_and_broken_files_say_what_to_do(tmp_path, make):
    path = tmp_path / "heed.toml"
    make(path)
    with pytest.raises(ConfigError) as caught:
        config.load(path, names())
    assert str(path) in caught.value.message and caught.value.hint


def test_sizes():
    assert limits.size("x", "64MB") == 64000000 and limits.size("x", "1.5 kB") == 1500
    with pytest.raises(ConfigError):
        limits.size("x", "64 megs")


@pytest.mark.parametrize("hub, uplink, fault", [
    ("https://hub.example:8443", "", ""), ("mqtts://broker.example", "", ""), ("mqtt", "", "no [[uplink]]"), ("mqtt", "mqtt://localhost", ""),
    ("hub.example", "", "write https://")])
def test_the_way_down_from_a_hub(hub, uplink, fault):
    text = '[attention]\nhub = "%s"\n' % hub
    text += '[[uplink]]\nname = "up"\nkind = "mqtt"\noptions = { url = "%s", user = "g" }\n' % uplink if uplink else ""
    chosen, faults = config.check_text(text, "test", [])
    assert [fault in str(each) for each in faults] == [True] * bool(fault)
    assert chosen.attention.get("line", {}).get("url", "") == uplink
