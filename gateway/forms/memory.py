"""A few values of a form that outlive a restart."""

import json
import os
from pathlib import Path


class Memory(dict):
    """Written whole at each change; a file that is damaged, or cannot be written, costs what it held and nothing else."""

    def __init__(self, path):
        super().__init__()
        self.path = Path(path)
        try:
            self.update(json.loads(self.path.read_text()))
        except (OSError, ValueError, TypeError):
            pass

    def __setitem__(self, name, value):
        super().__setitem__(name, value)
        part = self.path.with_suffix(".part")
        try:
            part.write_text(json.dumps(self))
            os.replace(part, self.path)
        except OSError:
            part.unlink(missing_ok=True)
