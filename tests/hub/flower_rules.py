"""The coordinator's rules over made-up answers, without a SuperLink; run by Flower's environment (tests/hub/test_flower.py).

    python flower_rules.py RULE LEAST < answers

The standard input is JSON: [{"hub", "number", "moved", "gateways"} or {"why"} or {"error"}]. Prints what became of them: the
federation's state, or null where nothing moved.
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
from flwr.app import Array, ArrayRecord, ConfigRecord, Error, Message, MetricRecord, RecordDict
from flwr.supercore.task_identity import TaskIdentity

from gateway.hub.federation import Federation
from gateway.hub.flower.server import checked, strategy_of


def reply_of(node, answer):
    """The Message in which a hub answers."""
    asked = Message(RecordDict(), dst_node_id=node, message_type="train")
    asked.metadata.__dict__["_message_id"] = str(node)
    if "error" in answer:
        return Message(Error(code=0, reason=answer["error"]), reply_to=asked)
    if "why" in answer:
        return Message(RecordDict({"hub": ConfigRecord({"why": answer["why"]})}), reply_to=asked)
    return Message(RecordDict({"arrays": ArrayRecord({"moved": Array(np.array(answer["moved"], float))}),
                               "metrics": MetricRecord({"gateways": answer["gateways"]}),
                               "hub": ConfigRecord({"name": answer["hub"], "number": answer["number"]})}), reply_to=asked)


TaskIdentity.run_id = TaskIdentity.node_id = TaskIdentity.task_id = 1
with tempfile.TemporaryDirectory() as folder:
    federation = Federation(Path(folder) / "federation.json", "clouds 1")
    strategy = strategy_of(checked({"rule": sys.argv[1], "least": int(sys.argv[2])}), federation)
    arrays, _ = strategy.aggregate_train(1, [reply_of(node, answer) for node, answer in enumerate(json.load(sys.stdin), 2)])
    print(json.dumps(Federation(federation.path, "clouds 1").state if arrays else None))
