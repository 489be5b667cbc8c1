"""Reads WFDB records (https://physionet.org/physiotools/wag/header-5.htm, signal-5.htm, annot-5.htm).

Our own, because the `wfdb` package brings pandas, scipy and matplotlib into memory that a gateway does not
have; see docs/decisions/0001-wfdb.md. Checked against `wfdb` in the tests.
"""

import os
from pathlib import Path

import numpy as np

from gateway.core.errors import HeedError

BYTES = {"16": 2.0, "61": 2.0, "80": 1.0, "160": 2.0, "24": 3.0, "32": 4.0, "212": 1.5}
PLAIN = {"16": "<i2", "61": ">i2", "32": "<i4"}
SKIP, NUM, SUB, CHN, AUX = 59, 60, 61, 62, 63
CODES = {1: "N", 2: "L", 3: "R", 4: "a", 5: "V", 6: "F", 7: "J", 8: "A", 9: "S", 10: "E", 11: "j", 12: "/", 13: "Q",
         14: "~", 16: "|", 18: "s", 19: "T", 20: "*", 21: "D", 22: '"', 23: "=", 24: "p", 25: "B", 26: "^", 27: "t",
         28: "+", 29: "u", 30: "?", 31: "!", 32: "[", 33: "]", 34: "e", 35: "n", 36: "@", 37: "x", 38: "f", 39: "(",
         40: ")", 41: "r"}


class Lead:
    """One signal of a record. gain: counts per unit; zero: the count at 0."""

    def __init__(self, fields):
        self.file, form = fields[0], fields[1]
        form, _, offset = form.partition("+")
        self.format, self.offset, self.sparse = form.split("x")[0].split(":")[0], int(offset or 0), "x" in form and "x1" not in form
        gain = fields[2] if len(fields) > 2 else "200"
        self.unit = gain.split("/")[1] if "/" in gain else "mV"
        gain = gain.split("/")[0]
        adc_zero = int(fields[4]) if len(fields) > 4 else 0
        self.zero = int(gain.split("(")[1].rstrip(")")) if "(" in gain else adc_zero
        self.gain = float(gain.split("(")[0]) or 200.0
        self.name = " ".join(fields[8:]) or "lead"


class WfdbRecord:
    """path: record without extension. rate_hz, length (samples), leads.

    Raises HeedError for what is missing, cut short or in a format that is not read here.
    """

    def __init__(self, path):
        self.path = Path(path)
        self.raw = None
        lines = [line for line in self._header().splitlines() if line.strip() and not line.startswith("#")]
        try:
            first = lines[0].split()
            self.rate_hz = float(first[2].split("/")[0]) if len(first) > 2 else 250.0
            self.length = int(first[3]) if len(first) > 3 else 0
            self.leads = [Lead(line.split()) for line in lines[1:1 + int(first[1])]]
        except (IndexError, ValueError) as error:
            raise HeedError("%s.hea is no WFDB header: %s" % (path, error), "fetch the record again")
        if self.rate_hz == int(self.rate_hz):
            self.rate_hz = int(self.rate_hz)
        self._check()

    def _header(self):
        try:
            return Path(str(self.path) + ".hea").read_text(encoding="latin-1")
        except OSError as error:
            raise HeedError("no record %s: %s" % (self.path, error.strerror), "`heed data list` shows what there is")

    def _check(self):
        if not self.leads:
            raise HeedError("%s has no signals" % self.path, "multi-segment records are not read: name a segment")
        for lead in self.leads:
            if lead.format not in BYTES or lead.format == "160":
                raise HeedError("%s: signal format %s is not read here" % (self.path, lead.format),
                                "formats: 16, 24, 32, 61, 80, 212; convert it with `xform`")
        if any(lead.sparse for lead in self.leads):
            raise HeedError("%s: signals of several rates in one record are not read here" % self.path, "convert it with `xform`")
        if any(lead.file != self.leads[0].file or lead.format != self.leads[0].format for lead in self.leads):
            raise HeedError("%s: signals in several files are not read here" % self.path, "convert it with `xform`")
        self.data = self.path.parent / self.leads[0].file
        self.frame = BYTES[self.leads[0].format] * len(self.leads)
        found = os.path.getsize(self.data) - self.leads[0].offset if self.data.exists() else 0
        self.length = self.length or int(found / self.frame)
        if found < int(self.length * self.frame):
            raise HeedError("%s holds %d bytes, the header promises %d" % (self.data, found, self.length * self.frame),
                            "the file is cut short or missing: fetch it again")

    def lead(self, wanted):
        """Index of a lead by name or number; "" gives MLII, or the first."""
        names = [lead.name for lead in self.leads]
        if wanted == "":
            return names.index("MLII") if "MLII" in names else 0
        if wanted in names:
            return names.index(wanted)
        if wanted.isdigit() and int(wanted) < len(names):
            return int(wanted)
        raise HeedError('%s has no lead "%s"' % (self.path, wanted), "leads: " + ", ".join(names))

    def read(self, first, count):
        """Samples first..first + count - 1 of all leads: int32 array (n, leads), n < count at the end."""
        count = max(0, min(count, self.length - first))
        n = len(self.leads)
        even = first - first % 2  # format 212 packs two samples in three bytes
        start, stop = (self.leads[0].offset + int(n_bytes) for n_bytes in (even * self.frame, -(-(first + count) * self.frame // 1)))
        if self.raw is None:
            self.raw = np.memmap(self.data, np.uint8, "r")
        values = decode(np.asarray(self.raw[start:stop + (3 - (stop - start) % 3) % 3]), self.leads[0].format)
        skipped = (first - even) * n
        return values[skipped:skipped + count * n].reshape(-1, n)


def decode(raw, form):
    """Bytes of a signal file as int32 samples."""
    if form in PLAIN:
        width = np.dtype(PLAIN[form]).itemsize
        return raw[:len(raw) // width * width].view(PLAIN[form]).astype(np.int32)
    if form == "80":
        return raw.astype(np.int32) - 128
    if form == "24":
        b = raw[:len(raw) // 3 * 3].reshape(-1, 3).astype(np.int32)
        return (b[:, 0] | b[:, 1] << 8 | b[:, 2] << 16) << 8 >> 8
    b = raw[:len(raw) // 3 * 3].reshape(-1, 3).astype(np.int32)
    pairs = np.stack((b[:, 0] | (b[:, 1] & 15) << 8, b[:, 2] | (b[:, 1] & 240) << 4), axis=1).ravel()
    return pairs << 20 >> 20


def annotations(path, extension="atr"):
    """[(sample, code)] of an annotation file in MIT format; code as in the WFDB tables ("N", "V", "+"...)."""
    try:
        words = np.frombuffer(Path("%s.%s" % (path, extension)).read_bytes(), "<u2").tolist()
    except OSError as error:
        raise HeedError("%s.%s: %s" % (path, extension, error.strerror), "annotations are needed to judge answers")
    out, at, i = [], 0, 0
    while i < len(words) and words[i]:
        code, step = words[i] >> 10, words[i] & 1023
        i += 1
        if code == SKIP:
            jump = words[i] << 16 | words[i + 1]
            at += jump - (1 << 32) if jump >> 31 else jump
            i += 2
        elif code == AUX:
            i += (step + 1) // 2
        elif code not in (NUM, SUB, CHN):
            at += step
            out.append((at, CODES.get(code, "?")))
    return out
