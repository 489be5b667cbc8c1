"""Plays recorded series as if their detectors were reporting: at their own times of day, in real time or faster."""

from gateway.core.errors import ConfigError, EndOfStream
from gateway.core.plugin import Sensor
from gateway.core.records import Block, Signal
from sensors.series_file import read

MANIFEST = {
    "kind": "sensor", "name": "series", "version": "0.1.0", "api": 1,
    "summary": "plays series from CSV and npz files, one stream a column",
    "runs_on": ("cpython",), "needs": ("numpy",), "permissions": ("files",), "budget": {"ms": 50, "mb": 128},
    "channels": ("the file's columns",), "live": False,
    "options": {
        "file": {"required": True, "type": "str", "help": "a CSV or npz file, or a name such as traffic/pems08/pems08_flow.npz"},
        "columns": {"default": "", "type": "str", "help": "names of columns, comma-separated; empty: all that hold numbers"},
        "prefix": {"default": "", "type": "str", "help": "put before the names of the columns to name the streams"},
        "unit": {"default": "veh", "type": "str", "help": "unit of the numbers"},
        "start": {"default": "", "type": "str", "help": "first time to play, for example 2016-08-19 06:00; for npz also see first"},
        "first": {"default": "2016-07-01 00:00", "type": "str", "help": "time of the first row of an npz file, which holds none"},
        "step_s": {"default": 0, "type": "int", "min": 0, "max": 86400, "help": "usual seconds between rows; 0 = as found, 300 for npz"},
        "hours": {"default": 0.0, "type": "float", "min": 0, "help": "how much to play; 0 = to the end"},
        "history_h": {"default": 0, "type": "int", "min": 0, "max": 2400, "help": "hours before start that are handed over at once"},
        "speed": {"default": 1.0, "type": "float", "min": 0, "max": 1000000, "help": "times real time; 0 = as fast as it goes"},
    },
}


class Series(Sensor):
    """Blocks of one reading, row by row; what came before `start` comes in longer blocks."""

    async def open(self):
        """Find, read and check the file."""
        options, context = self.options, self.context
        found = context.find(options["file"]) or options["file"]
        self.table = table = read(found, options["columns"], options["first"], options["step_s"])
        for counter, n in table.counters.items():
            if n:
                context.count(counter, n)
        gain = table.gain
        self.signals = [Signal(options["prefix"] + name, name, options["unit"], 1000 / table.step_ms, gain, 0) for name in table.names]
        self.row, self.end = table.span(options["start"], options["hours"])
        if self.row >= self.end:
            raise ConfigError("%s holds nothing from %r on" % (found, options["start"]), "its rows are from %s to %s" % table.reach())
        first = table.first_after(table.times[self.row] - options["history_h"] * 3600000)
        self.seqs = table.numbers(first)
        self.first = first
        self.due = self._history(first, self.row) if first < self.row else []
        self.began_ticks, self.began_ms = context.clock.ticks_ms(), int(table.times[self.row])

    def _history(self, first, last):
        """Blocks of the rows before the first one played, newest column first out: the order is of no matter."""
        return [block for column in range(len(self.signals)) for block in self._runs(column, first, last)][::-1]

    def _runs(self, column, first, last):
        """Blocks of a column without a hole in them."""
        start = None
        for row in range(first, last + 1):
            whole = row < last and self.table.there[row, column] and (start is None or self._joins(row))
            if start is not None and not whole:
                yield self._block(column, start, row)
                start = None
            if row < last and self.table.there[row, column] and start is None:
                start = row

    def _joins(self, row):
        """Whether a row comes one step after the one before it."""
        return abs(int(self.table.times[row] - self.table.times[row - 1]) - self.table.step_ms) * 20 < self.table.step_ms

    def _block(self, column, row, end):
        return Block(self.signals[column], int(self.seqs[row - self.first]), int(self.table.times[row]), self.table.counts[row:end, column])

    async def read(self):
        """The next reading, when it would have come."""
        while not self.due:
            if self.row >= self.end:
                raise EndOfStream("the series is over")
            await self._wait()
            self.due = [self._block(column, self.row, self.row + 1) for column in range(len(self.signals))
                        if self.table.there[self.row, column]][::-1]
            self.row += 1
        return self.due.pop()

    async def _wait(self):
        """Until the row's time has come, at the speed that is set."""
        speed = self.options["speed"]
        if speed:
            due = (int(self.table.times[self.row]) - self.began_ms) / speed
            await self.context.clock.sleep_ms(max(0, due - (self.context.clock.ticks_ms() - self.began_ticks)))

    async def close(self):
        """Nothing is held open between reads."""


PLUGIN = Series
