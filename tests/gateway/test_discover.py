"""Parts are found by their literal manifest; nothing is imported; broken ones are named, not raised."""

import sys

import pytest

from gateway.core.errors import PluginError
from gateway.discover import discover, load
from gateway.testing import check_manifest

GOOD = '''
import sys
sys.modules["imported_by_discovery"] = True
MANIFEST = {"kind": "plugin", "name": "mine", "version": "1", "api": 1, "summary": "a test", "runs_on": ("cpython",), "needs": (),
            "budget": {}, "options": {}}
class Mine: pass
PLUGIN = Mine
'''


def test_everything_built_in_is_found_and_sound():
    parts, faults = discover()
    assert not faults
    assert {("sensor", "replay"), ("sensor", "simulated"), ("plugin", "ecg"), ("uplink", "file"), ("uplink", "http")} <= set(parts)
    for found in parts.values():
        check_manifest(found.manifest)
        assert load(found)


def test_a_folder_of_ones_own_is_read_without_importing(tmp_path):
    (tmp_path / "mine.py").write_text(GOOD)
    parts, faults = discover(tmp_path)
    assert not faults and parts["plugin", "mine"].origin == "folder"
    assert "imported_by_discovery" not in sys.modules
    assert load(parts["plugin", "mine"]).__name__ == "Mine"
    del sys.modules["imported_by_discovery"]


@pytest.mark.parametrize("text, words", [
    ("MANIFEST = {", "cannot be read"), ("MANIFEST = {'kind': make()}", "no literal"), ("MANIFEST = {'kind': 'plugin'}", "lacks name"),
    (GOOD.replace('"api": 1', '"api": 9'), "api 9"), (GOOD.replace('"options": {}', '"options": {"x": {"default": 1}}'), "lacks help"),
    (GOOD.replace('"mine"', '"ecg"'), "a second plugin"), (GOOD.replace('"budget"', '"rest_ms": -1, "budget"'), '"rest_ms" is -1')])
def test_broken_manifests_are_faults_with_place_and_remedy(tmp_path, text, words):
    (tmp_path / "mine.py").write_text(text)
    parts, faults = discover(tmp_path)
    assert ("plugin", "ecg") in parts, "the others stay"
    assert len(faults) == 1 and words in faults[0].message and "mine.py" in faults[0].message and faults[0].hint


@pytest.mark.parametrize("tail, words", [("import nothing_like_this", "cannot be imported"), ("del PLUGIN", "defines no PLUGIN")])
def test_a_part_that_does_not_load_says_so(tmp_path, tail, words):
    (tmp_path / "mine.py").write_text(GOOD + tail)
    with pytest.raises(PluginError) as caught:
        load(discover(tmp_path)[0]["plugin", "mine"])
    assert words in caught.value.message
