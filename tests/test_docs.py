"""The plugin in the README runs as it stands there."""

import re

from gateway.core.records import Block, Signal
from gateway.discover import discover, load
from gateway.testing import FakeContext, check_manifest, run_flow
from tests.gates.portable import ROOT
from tests.gates.portable_ast import check


async def test_the_readme_plugin(tmp_path):
    source = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S)[1]
    assert check(source) == []
    (tmp_path / "moisture.py").write_text(source)
    found = discover(tmp_path)[0]["plugin", "moisture"]
    check_manifest(found.manifest)
    options = {name: spec["default"] for name, spec in found.manifest["options"].items()}
    made = load(found)
    signal = Signal("bed", "soil", "%", 1, 1, 0)
    summaries = await run_flow([Block(signal, 0, 0, [40, 15, 12, 30, 10, 9, 8, 7])], made(options, FakeContext()),
                               made.baseline(options, FakeContext()))
    assert [s["reason"] for s in summaries] == ["dry for 3 readings"]


def test_links_in_the_docs_lead_somewhere():
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), "%s links to %s" % (page.name, target)
