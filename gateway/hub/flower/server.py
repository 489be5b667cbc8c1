"""What runs at the coordinator: Flower's ServerApp, with Flower's strategies over what hubs have moved."""

import json
from logging import INFO, WARNING

import numpy as np
from flwr.app import Array, ArrayRecord, ConfigRecord
from flwr.common import log
from flwr.serverapp import ServerApp
from flwr.serverapp.strategy import FedAvg, FedMedian, FedTrimmedAvg

from gateway.core.errors import ConfigError
from gateway.hub.aggregate import TRIM, sound
from gateway.hub.federation import Federation

MOST = 1000000  # gateways that one hub may say to stand for
STRATEGIES = {"mean": FedAvg, "trimmed": FedTrimmedAvg, "median": FedMedian}
app = ServerApp()


@app.main()
def main(grid, context):
    """One run: `rounds` rounds, each durable before the hubs hear of it."""
    run = context.run_config
    federation = Federation(run["state"], run["package"])
    strategy = strategy_of(run, federation)
    log(INFO, "state of the federation: %s, version %d", federation.path.absolute(), federation.state["version"])
    strategy.start(grid, strategy.arrays(), num_rounds=run["rounds"], timeout=run["wait_s"])
    log(INFO, "state of the federation: version %(version)d, last of %(hubs)d hubs and %(gateways)d gateways", federation.state)


def strategy_of(run, federation):
    """Strategy of a run: a rule of STRATEGIES over movements that are sound and clipped. Raises ConfigError."""
    if run["rule"] not in STRATEGIES:
        raise ConfigError("rule %s" % run["rule"], "one of " + ", ".join(STRATEGIES))
    return type("Federated", (Movements, STRATEGIES[run["rule"]]), {})(run, federation)


class Movements:
    """Before a strategy of Flower's: what goes to the hubs, and which of their answers the rule may see."""

    def __init__(self, run, federation):
        super().__init__(min_train_nodes=run["least"], min_evaluate_nodes=1, min_available_nodes=1, weighted_by_key="gateways")
        self.run, self.federation = run, federation

    def arrays(self):
        """The state's vector, empty before the first round."""
        return ArrayRecord({"state": Array(np.array(self.federation.state["vector"], float))})

    def _sent(self):
        state = {name: value for name, value in self.federation.state.items() if name != "vector"}
        return ConfigRecord({"json": json.dumps({"state": state, "clip": self.run["clip"]})})

    def configure_train(self, server_round, arrays, config, grid):
        """The state to each hub, to be answered."""
        return super().configure_train(server_round, arrays, self._sent(), grid)

    def configure_evaluate(self, server_round, arrays, config, grid):
        """The state to each hub, once a round is over."""
        return super().configure_evaluate(server_round, arrays, self._sent(), grid)

    def aggregate_train(self, server_round, replies):
        """The rule over what hubs have moved; nothing moves where too few have answered."""
        answers = self._sound(replies)
        if len(answers) < self.run["least"]:
            log(WARNING, "%d hubs have answered, %d are needed: nothing moves", len(answers), self.run["least"])
            return None, None
        self.beta = np.ceil(TRIM * len(answers)) / len(answers) + 1e-9 if len(answers) > 2 else 0.0  # of FedTrimmedAvg, as in our own rounds
        arrays, metrics = super().aggregate_train(server_round, answers)
        self.federation.move(arrays["moved"].numpy(), {a.content["hub"]["name"]: (a.content["hub"]["number"], a.content["metrics"]["gateways"])
                                                       for a in answers})
        return self.arrays(), metrics

    def _sound(self, replies):
        """Answers that are of one length and finite, clipped; the others are told of and left out."""
        replies = list(replies)
        for reply in replies:
            if why := reply.error.reason if reply.has_error() else reply.content.get("hub", {}).get("why"):
                log(INFO, "hub at node %d: %s", reply.metadata.src_node_id, why)
        said = {i: reply for i, reply in enumerate(replies) if not reply.has_error() and well_formed(reply.content)}
        kept = sound({i: said[i].content["arrays"]["moved"].numpy() for i in said}, self.run["clip"])
        for i, vector in kept.items():
            said[i].content["arrays"] = ArrayRecord({"moved": Array(vector)})
        log(INFO, "%d of %d answers are sound", len(kept), len(replies))
        return [said[i] for i in kept]


def well_formed(content):
    """Whether an answer has the parts that client.train gives it."""
    try:
        moved, gateways = content["arrays"]["moved"].numpy(), content["metrics"]["gateways"]
        return (set(content) == {"arrays", "metrics", "hub"} and set(content["arrays"]) == {"moved"} and set(content["metrics"]) == {"gateways"}
                and moved.ndim == 1 and isinstance(gateways, int) and 0 < gateways <= MOST
                and isinstance(content["hub"]["name"], str) and isinstance(content["hub"]["number"], int))
    except (KeyError, TypeError, ValueError, AttributeError):
        return False
