"""How much of the time learning may take."""

import threading
import time

from gateway.core.errors import HeedError


class Slack:
    """Lets a thread have a share of the time: after each piece of work it rests so long that inference seldom meets it.
    stopping: an Event that ends the rest, and the work with it."""

    def __init__(self, share, clock=time.perf_counter, sleep=None):
        self.share, self.clock = share, clock
        self.stopping = threading.Event()
        self.sleep = sleep or self.stopping.wait
        self.since = clock()

    def pause(self):
        """Rest for what was just worked. Raises HeedError when all is to stop."""
        worked = self.clock() - self.since
        self.sleep(worked * (1 / self.share - 1))
        if self.stopping.is_set():
            raise HeedError("the gateway stops", "what was to be learnt is learnt after the next start")
        self.since = self.clock()
