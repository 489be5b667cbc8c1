"""What a part may ask for on the gateway."""

import logging
from pathlib import Path

from gateway import data
from gateway.core.compat import Clock
from gateway.core.context import Context


class GatewayContext(Context):
    """folder: where this gateway keeps its files; each part has a sub-folder of its own."""

    def __init__(self, name, folder, gateway="heed", clock=Clock):
        super().__init__(name, clock)
        self.gateway = gateway
        self.folder = Path(folder)
        self.logger = logging.getLogger("heed." + name)

    def log(self, level, message):
        """To the gateway's log."""
        self.logger.log(getattr(logging, level.upper()), message)

    def path(self, name):
        """Absolute names stay as they are; others lie in the data folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return str(path)

    def find(self, name):
        """Path of recorded data, or None."""
        found = data.find(name)
        return found and str(found)
