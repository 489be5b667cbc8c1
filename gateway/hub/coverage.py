"""What has arrived of one epoch of one gateway: a high-water mark, and what arrived ahead of it.

With several workers, or several batches in flight, batches arrive in any order. A batch covers the numbers after
`after` up to its last one (numbers without a record are nowhere any more); the mark moves over what is covered
without a hole, and only the mark is acknowledged.
"""

from gateway.core.errors import Rejected

MAX_AHEAD = 256


class Coverage:
    """mark: all up to it has arrived, or is nowhere; ahead: sorted [[after, last]] beyond it; missing: numbers that the
    gateway says were acknowledged, though this hub never had them."""

    def __init__(self, mark=0, ahead=(), missing=0):
        self.mark = mark
        self.ahead = [list(span) for span in ahead]
        self.missing = missing

    def add(self, batch):
        """Account for a batch. Raises Rejected when too much is ahead: the batch must come again later."""
        if batch.base > self.mark:
            self.missing += batch.base - self.mark - self._within(self.mark, batch.base)
            self.mark = batch.base
        if not batch.express:
            self.ahead.append([batch.after, batch.last_seq])
        self._settle()

    def _within(self, low, high):
        """Numbers in (low, high] that are ahead of the mark already."""
        return sum(max(0, min(last, high) - max(after, low)) for after, last in self.ahead)

    def _settle(self):
        """Join spans, and move the mark over those that touch it."""
        joined = []
        for after, last in sorted(self.ahead):
            if after <= self.mark:
                self.mark = max(self.mark, last)
            elif joined and after <= joined[-1][1]:
                joined[-1][1] = max(joined[-1][1], last)
            else:
                joined.append([after, last])
        self.ahead = joined
        if len(joined) > MAX_AHEAD:
            raise Rejected("more than %d holes" % MAX_AHEAD, "the gateway sends what is missing first")
