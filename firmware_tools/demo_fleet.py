"""heed demo fleet: three gateways, three real patients, a hub, a masked round, and improved attention back, in one process."""

import asyncio
import contextlib
import tempfile
import time
from pathlib import Path

import numpy as np

from firmware_tools.bench.patients import answers, patients_of
from firmware_tools.cli import grid
from firmware_tools.evaluate import ready
from firmware_tools.pictures import truth_near, truths
from firmware_tools.recordings import ecg_folder
from firmware_tools.services import free_port
from gateway import config
from gateway.app import Gateway
from gateway.attention.desk import Desk
from gateway.attention.federate import unflat
from gateway.attention.feedback import Feedback
from gateway.attention.learner import GLOBAL
from gateway.attention.store import FILE, AttentionStore
from gateway.core.errors import HeedError
from gateway.core.options import check_options
from gateway.hub.app import Hub
from gateway.hub.rounds import SETTINGS as ROUNDS, Rounds
from models.ecg.recipe.evaluate import figures
from models.package import names
from sensors.wfdb_record import WfdbRecord

RECORDS, LATE = ("231", "221", "123"), "219"
LIMIT_S = 240
SETTINGS = """
[gateway]
name = "gateway-%(record)s"
data = '%(folder)s'
[attention]
asks_per_day = 60
slack_permille = 200
hub = "%(hub)s"
hub_poll_s = 1
[[sensor]]
name = "bed-%(record)s"
kind = "replay"
feeds = "ecg"
options = { record = '%(path)s', duration_s = 300, speed = 0, block_ms = 250 }
[[plugin]]
name = "ecg"
kind = "ecg"
model = "ecg"
[[uplink]]
name = "hub"
kind = "http"
options = { url = "%(hub)s/v1/batches" }
"""


class Bed:
    """One gateway at one patient; its questions are answered from the record's annotations."""

    def __init__(self, record, folder, hub, labels):
        path = ecg_folder() / "mitdb" / record
        text = SETTINGS % {"record": record, "folder": folder, "path": path, "hub": hub}
        chosen, faults = config.check_text(text, "demo", names())
        if faults:
            raise HeedError("\n".join(map(str, faults)), "heed demo fleet --help")
        self.record, self.labels, self.given, opened = record, labels, 0, WfdbRecord(path)
        self.marks, self.rate_hz = truths(opened), opened.rate_hz
        self.gateway = Gateway(chosen)
        self.learner = self.gateway.attention.learners[0]
        self.stream, self.desk = "bed-" + record, Desk(AttentionStore(Path(folder) / FILE))

    def answer(self):
        """Label what the gateway asks for, as `heed feedback give` would."""
        for asked in self.desk.asked():
            label = truth_near(self.marks, asked["seq"], self.rate_hz) or "N"
            self.given += self.desk.give(Feedback(self.stream, asked["seq"], label, "clinician:annotations")) == "taken"

    def state(self):
        """What is in use, None = as shipped."""
        return self.learner.current(self.stream)

    def together(self):
        """What came back from the hub and passed the guard, or None."""
        return self.learner.store.current(GLOBAL + self.learner.origin.package)[0]


async def until(done, limit_s=LIMIT_S):
    """Wait for done(), at most so long. Raises HeedError."""
    began = time.monotonic()
    while not done():
        if time.monotonic() - began > limit_s:
            raise HeedError("the fleet did not get there within %d s" % limit_s, "is this machine very busy? try again")
        await asyncio.sleep(.2)


async def play(labels, folder, say):
    """The whole story; gives the hub's global state."""
    port = free_port()
    url = "http://127.0.0.1:%d" % port
    beds = [Bed(record, folder / record, url, labels) for record in RECORDS]
    running = [asyncio.ensure_future(bed.gateway.run()) for bed in beds]
    rounds = Rounds(check_options(ROUNDS, {"every_s": 1, "step_s": 20, "masked": True})[0])
    hub = Hub(str(folder / "hub.db"), ("127.0.0.1", port), rounds=rounds)
    started = False
    try:
        say("three gateways listen to a patient each; the hub is not there yet")
        await until(lambda: [bed.answer() for bed in beds] and all(bed.given >= labels and bed.state() for bed in beds))
        for bed in beds:
            say("  %s: %d labels, version %d: %s" % (bed.stream, bed.given, bed.state().version, bed.state().reason))
        await hub.start()
        started = True
        say("the hub is there: keys, shares, masked sums, and what it learns of the sum alone")
        await until(lambda: rounds.learnt and rounds.learnt["version"] and all(bed.together() for bed in beds))
        say("  round closed: %(gateways)d gateways, masked: %(masked)s" % rounds.learnt["facts"])
        for bed in beds:
            say("  %s: %s" % (bed.stream, bed.together().reason))
        return rounds.learnt
    finally:
        for bed in beds:
            bed.gateway.stop()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*running)
        if started:
            await hub.stop()


def show(labels, console):
    """Run it, and judge a patient that joins late by what the others learnt."""
    with tempfile.TemporaryDirectory(prefix="heed-") as folder:
        learnt = asyncio.run(play(labels, Path(folder), console.print))
    from gateway.attention.state import Origin
    from models.package import Package, folder_of
    from models.twin import Twin
    twin = Twin(Package(folder_of("ecg")))
    together = unflat(Origin(twin.package, twin.parameters, twin.ranges, twin.classes), learnt["vector"])
    (patient,) = patients_of(ready("ecg", "float"), [LATE])
    rows = []
    for name, parameters in (("as shipped", twin.parameters), ("learnt by the others", together)):
        table = patient.score(answers(patient, (parameters, None), parameters))
        rows.append((name, *["%.3f" % figures(table)[c]["f1"] for c in "NSV"], int(table[:, 1].sum() - table[1, 1]), int(np.trace(table))))
    console.print(grid("record %s joins late, without a label of its own" % LATE, ("", "F1 N", "F1 S", "F1 V", "false S", "right"), rows))
    console.print("Not a medical device.\nnext: heed hub run --rounds rounds.toml, and `hub` in the table attention of heed.toml")
