"""The envelope is what docs/envelope.schema.json and docs/protocol.md say, and nothing bent is read."""

import json
import re

import jsonschema
import pytest

from gateway.core.batch import Batch
from gateway.core.errors import Rejected
from gateway.forms import envelope
from tests.gates.portable import ROOT
from tests.hub.test_hub import summary

SCHEMA = json.loads((ROOT / "docs" / "envelope.schema.json").read_text())
BATCH = Batch("gw", "e" * 16, [(i, summary(i).to_dict()) for i in (5, 6, 9)], 3, 2)


def test_the_example_of_the_docs_is_valid_and_is_read():
    example = json.loads(re.search(r"```json\n(.*?)```", (ROOT / "docs" / "protocol.md").read_text(), re.S)[1])
    jsonschema.validate(example, SCHEMA)
    batch = envelope.loads(json.dumps(example))
    assert [seq for seq, _ in batch.records] == [41, 43] and batch.records[1][1]["stream"] == "bed-2"


def test_what_is_sent_is_valid_and_comes_back_as_it_was():
    jsonschema.validate(envelope.encode(BATCH), SCHEMA)
    again = envelope.loads(envelope.dumps(BATCH))
    assert again.records == BATCH.records and (again.after, again.base) == (3, 2)


@pytest.mark.parametrize("name, value", [
    ("count", 2), ("first_seq", 4), ("after", 7), ("gateway", "../x"), ("epoch", 5), ("tables", [{}]), ("tables", 3), ("base", -1), ("v", 2)])
def test_what_is_bent_is_refused(name, value):
    with pytest.raises(Rejected):
        envelope.loads(json.dumps(dict(envelope.encode(BATCH), **{name: value})))


def test_every_field_that_the_schema_requires_is_required():
    for name in SCHEMA["required"]:
        whole = envelope.encode(BATCH)
        del whole[name]
        with pytest.raises(Rejected):
            envelope.loads(json.dumps(whole))
