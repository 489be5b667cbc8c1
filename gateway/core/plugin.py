"""The kinds of parts that authors write.

Each part is one class made as PLUGIN(options, context). Its file starts with a literal MANIFEST and ends
with `PLUGIN = TheClass`. Retry, back-off, time stamps, option checks and counting of losses belong to the
flow, not to the part.
"""

API = 1


class Part:
    """options: dict of checked values by name; context: see gateway.core.context."""

    def __init__(self, options, context):
        self.options = options
        self.context = context


class Sensor(Part):
    """Reads a source. open() is called until it succeeds, then read() one call at a time, then close().

    Raises NotConnected (open is tried again, later) or EndOfStream (finished). close() may come twice,
    and after a failed open().
    """

    async def open(self):
        """Connect, or raise NotConnected."""

    async def read(self):
        """The next Block or Sample. Waits for it; never returns None."""
        raise NotImplementedError

    async def rest(self, ms):
        """Rest for `ms` between two readings; a source that goes on by itself passes over what comes meanwhile, and counts it.

        Called as far as the manifest's `rest_ms` allows where energy is short, and by a plugin's Decision."""
        await self.context.clock.sleep_ms(ms)

    async def close(self):
        """Let go of the device."""


class Plugin(Part):
    """One domain. Plain functions, called by one pipeline, one at a time, for all of its streams."""

    def push(self, block):
        """Take a Block or Sample in; give the list of Features that it completes, for the model, and of each
        Summary that is due without one."""
        raise NotImplementedError

    def decide(self, features, inference):
        """Decision on one inference."""
        raise NotImplementedError

    def summarise(self, features, inference, decision):
        """List of Summary due now: events at once, digests when their span is over."""
        raise NotImplementedError

    def use(self, stream, state):
        """What persons said of this plugin's reports (manifest: "remembers"): see gateway.attention.reports. None = nothing."""

    def finish(self):
        """List of Summary still owed when the input ends or the gateway stops."""
        return []


class Model(Part):
    """Gives Features a meaning. infer() neither changes its input nor keeps it."""

    def load(self):
        """Make ready, or raise ModelError."""

    def infer(self, features):
        """Inference for one Features."""
        raise NotImplementedError

    def forget(self, stream):
        """Drop what is kept for `stream`; it has ended or starts afresh."""


class Uplink(Part):
    """Carries batches to a far end. send() may be called again with what was sent before.

    An uplink that keeps several batches in flight returns from send() early, with what is acknowledged so
    far (0 when nothing is), and waits for the rest in settle().
    express: whether the far end knows a record by its number and takes it before its turn. sent_bytes: counted up
    by an uplink on a line that is paid by the byte.
    """

    express = False
    sent_bytes = 0

    async def open(self):
        """Connect, or raise NotConnected."""

    async def send(self, batch):
        """Highest sequence number that the FAR END says it has stored.

        Raises NotConnected (sent again later) or Rejected (the far end will never take this batch).
        """
        raise NotImplementedError

    async def settle(self):
        """Wait until all that was sent is acknowledged; gives the highest number, 0 when none is open.

        Raises as send() does."""
        return 0

    async def close(self):
        """Let go of the connection."""
