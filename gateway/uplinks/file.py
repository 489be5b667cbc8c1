"""JSON lines in files on this machine: for offline sites, and for whoever collects them by hand."""

import json
import os

from gateway.core.errors import NotConnected
from gateway.core.plugin import Uplink

MANIFEST = {
    "kind": "uplink", "name": "file", "version": "0.1.0", "api": 1,
    "summary": "writes summaries as JSON lines, rotated by size",
    "runs_on": ("cpython",), "needs": (), "permissions": ("files",), "budget": {"ms": 100, "mb": 8},
    "options": {
        "path": {"default": "summaries.jsonl", "type": "path", "help": "file to append to; relative to the data folder"},
        "max_mb": {"default": 16, "type": "int", "min": 1, "max": 4096, "help": "size at which a new file is begun"},
        "keep": {"default": 8, "type": "int", "min": 1, "max": 1000, "help": "finished files kept; older ones are deleted and counted"},
    },
}


class FileUplink(Uplink):
    """A record is acknowledged when fsync returned."""

    def __init__(self, options, context):
        super().__init__(options, context)
        self.path = context.path(options["path"])
        self.file = None
        self.last = ("", 0)

    async def open(self):
        """Open for appending. A line that a power cut tore is cut off: it was never acknowledged."""
        try:
            os.makedirs(os.path.dirname(self.path) or ".", exist_ok=True)
            self.file = open(self.path, "a+b")
        except OSError as error:
            raise NotConnected("%s cannot be written: %s" % (self.path, error.strerror), "set the uplink's option path")
        self._mend()

    def _mend(self):
        """Cut off a torn last line and note the last whole one, so that nothing is written twice."""
        size = self.file.seek(0, os.SEEK_END)
        at = self.file.seek(max(0, size - 65536))
        tail = self.file.read()
        whole = tail.rfind(b"\n") + 1
        if whole < len(tail):
            self.context.count("torn_lines")
            self.file.truncate(at + whole)
        lines = tail[:whole].splitlines()
        if lines:
            last = json.loads(lines[-1])
            self.last = last["epoch"], last["seq"]

    async def send(self, batch):
        """Append a batch, once."""
        done = self.last[1] if self.last[0] == batch.epoch else 0
        lines = [json.dumps(dict(fields, gateway=batch.gateway, epoch=batch.epoch, seq=seq)) + "\n"
                 for seq, fields in batch.records if seq > done]
        try:
            self.file.write("".join(lines).encode())
            self.file.flush()
            os.fsync(self.file.fileno())
        except OSError as error:
            raise NotConnected("%s: %s" % (self.path, error.strerror), "free some room on that disk")
        self.last = batch.epoch, max(done, batch.last_seq)
        if self.file.tell() > self.options["max_mb"] * 1000000:
            self._rotate()
        return batch.last_seq

    def _rotate(self):
        """summaries.jsonl -> .1 -> .2 ...; the oldest goes."""
        self.file.close()
        oldest = "%s.%d" % (self.path, self.options["keep"])
        if os.path.exists(oldest):
            self.context.count("files_deleted")
        for n in range(self.options["keep"], 0, -1):
            source = "%s.%d" % (self.path, n - 1) if n > 1 else self.path
            if os.path.exists(source):
                os.replace(source, "%s.%d" % (self.path, n))
        self.file = open(self.path, "a+b")

    async def close(self):
        """Close the file."""
        if self.file:
            self.file.close()


PLUGIN = FileUplink
