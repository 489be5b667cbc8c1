"""What runs at the coordinator: Flower's ServerApp, with Flower's strategies over what hubs have moved."""

import json
from logging import INFO, WARNING

import numpy as np
from flwr.app import Array, ArrayRecord, ConfigRecord
from flwr.common import log
from flwr.serverapp import ServerApp
from flwr.serverapp.strategy import FedAvg, FedMedian, FedTrimmedAvg

from gateway.core.errors import ConfigError
from gateway.core.options import check_options
from gateway.hub.aggregate import TRIM, sound
from gateway.hub.federation import Federation
from gateway.hub.inbox import LONGEST

MOST = 1000000  # gateways that one hub may say to stand for
STRATEGIES = {"mean": FedAvg, "trimmed": FedTrimmedAvg, "median": FedMedian}
RUN = {"options": {
    "package": {"default": "ecg 0.1.0", "type": "str", "help": "name and version of the package that learns"},
    "rounds": {"default": 1, "type": "int", "min": 1, "max": 1000000, "help": "rounds of this run"},
    "rule": {"default": "mean", "type": "str", "choices": tuple(STRATEGIES), "help": "how movements come together"},
    "least": {"default": 2, "type": "int", "min": 1, "max": 1000000, "help": "hubs without which a round moves nothing"},
    "clip": {"default": 2.0, "type": "float", "min": 0.001, "max": 1000, "help": "largest L2 norm of one hub's movement"},
    "wait_s": {"default": 600, "type": "int", "min": 1, "max": 604800, "help": "how long a hub that does not answer is waited for"},
    "state": {"default": "federation.json", "type": "str", "help": "file of the state"}}}
app = ServerApp()


@app.main()
def main(grid, context):
    """One run: `rounds` rounds, each durable before the hubs hear of it."""
    run = checked(context.run_config)
    federation = Federation(run["state"], run["package"])
    strategy = strategy_of(run, federation)
    log(INFO, "state of the federation: %s, version %d", federation.path.absolute(), federation.state["version"])
    strategy.start(grid, strategy.arrays(), num_rounds=run["rounds"], timeout=run["wait_s"])
    log(INFO, "state of the federation: version %(version)d, last of %(hubs)d hubs and %(gateways)d gateways", federation.state)


def checked(given):
    """Settings of a run. Raises ConfigError with every fault."""
    run, faults = check_options(RUN, dict(given))
    if faults:
        raise ConfigError("\n".join('--run-config: "%s" %s' % (name, problem) for name, problem, _ in faults), faults[0][2])
    return run


def strategy_of(run, federation):
    """One of STRATEGIES over movements that are sound and clipped."""
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
        self.beta = np.ceil(TRIM * len(answers)) / len(answers) + 1e-9 if len(answers) > 2 else 0.0  # FedTrimmedAvg's, as in our rounds
        arrays, metrics = super().aggregate_train(server_round, answers)
        told = [(answer.content["hub"], answer.content["metrics"]["gateways"]) for answer in answers]
        self.federation.move(arrays["moved"].numpy(), {hub["name"]: (hub["number"], gateways) for hub, gateways in told})
        return self.arrays(), metrics

    def _sound(self, replies):
        """Answers that are well formed and finite, clipped, one of each hub: its latest. The others are told of and left out."""
        replies, length = list(replies), len(self.federation.state["vector"])
        for reply in replies:
            if why := reply.error.reason if reply.has_error() else reply.content.get("hub", {}).get("why"):
                log(INFO, "hub at node %d: %s", reply.metadata.src_node_id, why)
        formed = [reply for reply in replies if not reply.has_error() and well_formed(reply.content, length)]
        said = {reply.content["hub"]["name"]: reply for reply in sorted(formed, key=lambda reply: reply.content["hub"]["number"])}
        kept = sound({hub: said[hub].content["arrays"]["moved"].numpy() for hub in said}, self.run["clip"])
        for hub, vector in kept.items():
            said[hub].content["arrays"] = ArrayRecord({"moved": Array(vector)})
        log(INFO, "%d of %d answers are sound", len(kept), len(replies))
        return [said[hub] for hub in kept]


def well_formed(content, length):
    """Whether an answer has the parts that client.train gives it. length: of the state, 0 = not known yet."""
    try:
        moved, gateways = content["arrays"]["moved"].numpy(), content["metrics"]["gateways"]
        return (set(content) == {"arrays", "metrics", "hub"} and set(content["arrays"]) == {"moved"}
                and set(content["metrics"]) == {"gateways"} and moved.ndim == 1 and 0 < len(moved) <= LONGEST and len(moved) == (length or len(moved))
                and isinstance(gateways, int) and 0 < gateways <= MOST
                and isinstance(content["hub"]["name"], str) and isinstance(content["hub"]["number"], int))
    except (KeyError, TypeError, ValueError, AttributeError):
        return False
