"""Edge TPU: LiteRT with Coral's delegate. Absent, refused, lost in use, returned: each is a ModelError or its end.

No stick was at hand: tested with a stand-in delegate (tests/models/fake_edgetpu.c); see docs/accelerators.md.
"""

import os

from gateway.core.errors import ModelError
from models.runtimes.litert import LiteRt, load_delegate

LIBRARY = "libedgetpu.so.1"
ENVIRONMENT = "HEED_EDGETPU"  # another library name or path


def delegate(library=None, options=None):
    """The delegate of the first Edge TPU. options: dict, for example {"device": "usb"}. Raises ModelError."""
    library = library or os.environ.get(ENVIRONMENT, LIBRARY)
    try:
        return load_delegate(library, options or {})
    except OSError as error:
        raise ModelError("no Edge TPU library %s: %s" % (library, error), "install libedgetpu, or set %s" % ENVIRONMENT)
    except ValueError as error:
        raise ModelError("%s gives no Edge TPU: %s" % (library, " ".join(str(error).split())), "is the stick plugged in, and no other program on it?")


class EdgeTpu(LiteRt):
    """A graph compiled for the Edge TPU."""

    def __init__(self, data, name):
        super().__init__(data, name, delegates=[delegate()])
