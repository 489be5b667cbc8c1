"""Both ends of the wire between a node and its gateway: summaries out, acknowledgements back."""

import asyncio
import json

from gateway.core.codec import Decoder, encode_frame, get_varint, put_varint
from gateway.core.errors import NotConnected
from gateway.core.plugin import Uplink

RECORD = 1  # epoch (16 bytes of hex), seq (varint), fields of a Summary (JSON)
ACKNOWLEDGE = 2  # epoch, seq: all up to seq is on the gateway's disk
CHUNK = 256


def message(epoch, seq, text=""):
    """Payload of either kind."""
    out = bytearray(epoch.encode())
    put_varint(out, seq)
    return bytes(out) + text.encode()


def parse(payload):
    """(epoch, seq, text) of a payload. ValueError or IndexError where it is cut."""
    seq, at = get_varint(payload, 16)
    return bytes(payload[:16]).decode(), seq, bytes(payload[at:]).decode()


class LinkUplink(Uplink):
    """The node's end. One frame a record, one acknowledgement a batch. stream: (reader, writer) of asyncio."""

    def __init__(self, options, context, stream):
        super().__init__(options, context)
        self.reader, self.writer = stream
        self.decoder = Decoder()

    async def send(self, batch):
        """Send a batch and wait for its acknowledgement, at most options["timeout_s"] seconds."""
        for seq, fields in batch.records:
            self.writer.write(encode_frame(RECORD, message(batch.epoch, seq, json.dumps(fields))))
            await self.writer.drain()
        try:
            return await asyncio.wait_for(self._acknowledged(batch), self.options.get("timeout_s", 10))
        except asyncio.TimeoutError:
            raise NotConnected("the gateway does not acknowledge", "is `heed run` up at the other end of the line?")

    async def _acknowledged(self, batch):
        while True:
            data = await self.reader.read(CHUNK)
            if not data:
                raise NotConnected("the line to the gateway is closed")
            for kind, payload in self.decoder.feed(data):
                epoch, seq, _ = parse(payload)
                if kind == ACKNOWLEDGE and epoch == batch.epoch and batch.first_seq <= seq <= batch.last_seq:
                    return seq


class LinkReceiver:
    """The gateway's end: records in as (epoch, seq, fields), each epoch's numbers once; acknowledgements out."""

    def __init__(self, writer):
        self.writer = writer
        self.decoder = Decoder()
        self.marks = {}
        self.duplicates = 0

    def feed(self, data):
        """List of new (epoch, seq, fields) that `data` completes. What came before is counted and left out."""
        records = []
        for kind, payload in self.decoder.feed(data):
            epoch, seq, text = parse(payload)
            if kind == RECORD and seq > self.marks.get(epoch, 0):
                self.marks[epoch] = seq
                records.append((epoch, seq, json.loads(text)))
            else:
                self.duplicates += 1
        return records

    async def acknowledge(self, epoch, seq):
        """Tell the node that all up to `seq` is stored."""
        self.writer.write(encode_frame(ACKNOWLEDGE, message(epoch, seq)))
        await self.writer.drain()
