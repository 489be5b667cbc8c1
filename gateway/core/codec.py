"""Frames on a serial wire between a node and its gateway. Integers only.

Frame: 0xA5, kind (1 byte), length (2, little-endian), payload, CRC-32 of kind, length and payload (4).
A receiver that is out of step looks for the next 0xA5 whose CRC holds; what it skips is counted.
"""

import struct

from gateway.core.compat import crc32
from gateway.core.records import Block

START = 0xA5
HEAD = 4
TAIL = 4
MAX_PAYLOAD = 4096  # bounds what a corrupt length can make the receiver wait for


def encode_frame(kind, payload):
    """Bytes of one frame. kind: 0..255; payload: bytes, at most MAX_PAYLOAD, else ValueError."""
    if len(payload) > MAX_PAYLOAD or not 0 <= kind <= 255:
        raise ValueError("kind 0..255 and at most %d bytes a frame" % MAX_PAYLOAD)
    head = struct.pack("<BBH", START, kind, len(payload))
    body = head + bytes(payload)
    return body + struct.pack("<I", crc32(body[1:]))


class Decoder:
    """Turns bytes as they come into frames. `skipped` counts bytes that belonged to no valid frame."""

    def __init__(self):
        self.buffer = b""
        self.skipped = 0

    def feed(self, data):
        """List of (kind, payload) completed by `data`, any cut of the stream."""
        self.buffer += bytes(data)
        frames = []
        while True:
            frame = self._next()
            if frame is None:
                return frames
            frames.append(frame)

    def _next(self):
        while len(self.buffer) >= HEAD + TAIL:
            kind, length = self.buffer[1], self.buffer[2] | self.buffer[3] << 8
            end = HEAD + length
            if self.buffer[0] == START and length <= MAX_PAYLOAD:
                if len(self.buffer) < end + TAIL:
                    return None
                if struct.unpack("<I", self.buffer[end:end + TAIL])[0] == crc32(self.buffer[1:end]):
                    payload = self.buffer[HEAD:end]
                    self.buffer = self.buffer[end + TAIL:]
                    return kind, payload
            self._skip()
        return None

    def _skip(self):
        """Drop bytes up to the next possible start."""
        at = self.buffer.find(b"\xa5", 1)
        n = at if at > 0 else len(self.buffer)
        self.skipped += n
        self.buffer = self.buffer[n:]


def put_varint(out, value):
    """Append a signed integer to a bytearray: zigzag, then 7 bits a byte, low first (as protobuf does)."""
    value = value << 1 if value >= 0 else (-value << 1) - 1
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)


def get_varint(data, at):
    """(value, next position); IndexError when `data` ends inside the number."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return (value >> 1) ^ -(value & 1), at
        shift += 7


def encode_block(block):
    """Bytes of a Block: seq, t_ms, count, then the differences between neighbours."""
    out = bytearray()
    for value in (block.seq, block.t_ms, len(block.values)):
        put_varint(out, int(value))
    last = 0
    for value in block.values:
        put_varint(out, int(value) - last)
        last = int(value)
    return bytes(out)


def decode_block(signal, data):
    """The Block that encode_block made, values as a list. ValueError on a cut or impossible payload."""
    try:
        seq, at = get_varint(data, 0)
        t_ms, at = get_varint(data, at)
        count, at = get_varint(data, at)
        values, last = [], 0
        while len(values) < count:
            step, at = get_varint(data, at)
            last += step
            values.append(last)
    except IndexError:
        raise ValueError("the payload ends inside a block")
    return Block(signal, seq, t_ms, values)
