"""What the coordinator of a federation keeps: the state that all hubs share, in one file, replaced in one step."""

import json
import os
from pathlib import Path

import numpy as np

from gateway.core.compat import random_id
from gateway.core.errors import ConfigError
from gateway.hub.cohort import known_as


class Federation:
    """path: JSON file, made at the first move; package: that learns. state: as gateway.hub.cohort.Cohort takes it."""

    def __init__(self, path, package):
        self.path = Path(path)
        self.state = {"package": package, "federation": random_id(), "version": 0, "vector": [], "hubs": 0, "gateways": 0, "taken": {}}
        if self.path.exists():
            self.state = self._read()
        if self.state["package"] != package:
            raise ConfigError("%s is the state of %s, not of %s" % (path, self.state["package"], package), "give each package its file")

    def _read(self):
        try:
            read = json.loads(self.path.read_text())
            return {name: read[name] for name in self.state}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ConfigError("%s is no state of a federation: %s" % (self.path, error), "take it from a backup, or begin anew without it")

    def move(self, moved, answers):
        """Move the state by a vector, durably. answers: {hub: (number of its answer, gateways behind it)} of all that are in it."""
        vector = np.round(np.array(self.state["vector"] or np.zeros(len(moved))) + moved, 6)
        self.state.update(version=self.state["version"] + 1, vector=vector.tolist(), hubs=len(answers),
                          gateways=sum(gateways for _, gateways in answers.values()),
                          taken=dict(self.state["taken"], **{known_as(hub): number for hub, (number, _) in answers.items()}))
        fresh = self.path.with_name(self.path.name + ".new")
        with open(fresh, "w") as file:
            json.dump(self.state, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, self.path)
