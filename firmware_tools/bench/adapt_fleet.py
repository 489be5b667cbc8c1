"""Gateways that learn together: real patients, one a gateway; the hub's own rounds on its own database, without the wire."""

import tempfile
import time
from pathlib import Path

import numpy as np

from firmware_tools.bench.adapt_ecg import pooled
from firmware_tools.bench.patients import Bedside, answers
from gateway.attention.federate import Collaborator, unflat
from gateway.attention.lesson import Lesson
from gateway.core.batch import Batch
from gateway.core.options import check_options
from gateway.forms import compress, envelope
from gateway.hub.aggregate import sound, together
from gateway.hub.rounds import SETTINGS, Rounds
from gateway.hub.store import SqliteStore

LABELS = 20
GATEWAYS = 20  # that a late joiner meets
CLIP = 2.0  # of the head's difference: most that patients learn lies below, chosen on DS1


class Hall:
    """A hub without its sockets: what gateways offer goes into its database as their batches would. t_ms moves by hand."""

    def __init__(self, folder, **options):
        self.t_ms, self.store, self.seqs, self.bytes = 1000, SqliteStore(str(Path(folder) / "hub.db")), {}, []
        self.store.open()
        self.ask = None
        given = dict({"every_s": 0, "step_s": 60, "clip": CLIP, "masked": False}, **options)
        self.rounds = Rounds(check_options(SETTINGS, given)[0], lambda: self.t_ms)
        self.rounds.attach(self)
        self.rounds.open()

    def deliver(self, gateway, summaries):
        """Summaries of one gateway, as one batch."""
        if not summaries:
            return
        first = self.seqs.get(gateway, 0) + 1
        self.seqs[gateway] = first + len(summaries) - 1
        batch = Batch(gateway, "e", [(first + i, summary.to_dict()) for i, summary in enumerate(summaries)])
        self.bytes.append(len(compress.pack("gzip", envelope.dumps(batch))))
        self.store.apply([batch])
        self.store.query("UPDATE record SET received_ms = ? WHERE gateway = ? AND seq = ? RETURNING seq", (self.t_ms, gateway, first))

    def turn(self, later_ms=1000):
        """Let time pass, and the hub do what is due."""
        self.t_ms += later_ms
        self.rounds.turn()


def whole_round(hall, parties, gone=lambda step, name: False):
    """Run one round to its end. parties: {name: Collaborator}; gone(step, name): this gateway is away in that step."""
    hall.turn()
    while hall.rounds.round is not None:
        step = hall.rounds.round["step"]
        for name, party in parties.items():
            if not gone(step, name):
                hall.deliver(name, party.turn(hall.rounds.seen_by(name)))
        hall.turn()
        if hall.rounds.round is not None and hall.rounds.round["step"] == step:
            hall.turn(61000)


def taught(patients, twin, anchors):
    """[Bedside] of patients with LABELS labels each."""
    bedsides = [Bedside(patient, twin, anchors) for patient in patients]
    for bedside in bedsides:
        for _ in range(LABELS):
            bedside.asked()
    return bedsides


def met_by_late(bedsides):
    """[(Bedside that joins late, the Bedsides that were there)]: GATEWAYS of them, or all others where there are fewer."""
    count = min(GATEWAYS, len(bedsides) - 1)
    return [(late, [bedsides[(i + k) % len(bedsides)] for k in range(1, count + 1)]) for i, late in enumerate(bedsides)]


def joining(bedsides, learnt):
    """Figures of late joiners: each patient judged by learnt(the Bedsides that were there), without a label of its own."""
    tables = {}
    for late, there in met_by_late(bedsides):
        parameters = learnt(there)
        tables[late.patient.name] = late.patient.score(answers(late.patient, (parameters, None), parameters))
    return pooled(tables)


def in_a_round(vectors, hostile=0):
    """Function that gives what a round makes of gateways' vectors: at most GATEWAYS take part, `hostile` of them against the others."""
    def learnt(there):
        honest = {b.patient.name: vectors[b.patient.name] for b in there[:GATEWAYS - hostile] if b.patient.name in vectors}
        wrong = {str(i): -10 * CLIP * np.sign(sum(honest.values())) for i in range(hostile)}
        return unflat(there[0].learner.origin, together(list(sound({**honest, **wrong}, CLIP).values()), "trimmed"))
    return learnt


def in_one_place(there):
    """What the same optimiser makes of all their labelled and unlabelled moments, were they brought together."""
    labelled, others = [], []
    for bedside in there:
        kept = bedside.learner.moments.kept(bedside.patient.name)
        labelled += [pair for pair in kept if pair[1]]
        others += bedside.learner.moments.unlabelled(bedside.patient.name, {moment.seq for moment, _ in kept})
    learner = there[0].learner
    return Lesson(learner.twin, learner.origin, labelled, others, learner.anchors).teach()


def fleet(patients, twin, anchors):
    """(figures, baselines): what a late joiner gains, what one hostile gateway of GATEWAYS costs, what a round weighs."""
    bedsides = taught(patients, twin, anchors)
    parties = {bedside.patient.name: Collaborator(bedside.learner, bedside.patient.name) for bedside in bedsides}
    vectors = {name: v for name, v in ((name, party.update(CLIP)) for name, party in parties.items()) if v is not None}
    shipped = pooled({b.patient.name: b.patient.score(answers(b.patient, (twin.parameters, None), twin.parameters)) for b in bedsides})
    alone, joined = pooled({b.patient.name: b.table() for b in bedsides}), joining(bedsides, in_a_round(vectors))
    harmed, in_one = joining(bedsides, in_a_round(vectors, hostile=1)), joining(bedsides, in_one_place)
    weight = round_bytes(parties)
    for bedside in bedsides:
        bedside.close()
    figures = {"fleet_global_minus_shipped_f1": joined["macro_f1_nsv"] - shipped["macro_f1_nsv"],
               "fleet_poisoned_gateway_loss": joined["macro_f1_nsv"] - harmed["macro_f1_nsv"], "round_bytes_per_gateway": weight["plain"]}
    macro = {"shipped": shipped, "late joiner": joined, "alone": alone, "late joiner, one hostile": harmed, "late joiner, pooled training": in_one}
    return figures, {"macro F1": {name: found["macro_f1_nsv"] for name, found in macro.items()}, "bytes of a round": weight,
                     "gateways": {"there for a late joiner": len(met_by_late(bedsides)[0][1]), "patients": len(bedsides), "learnt": len(vectors)}}


def round_bytes(parties):
    """{kind: bytes up of one gateway in one round}."""
    weight = {}
    for kind, masked in (("plain", False), ("masked", True)):
        with tempfile.TemporaryDirectory(prefix="heed-") as folder:
            hall = Hall(folder, masked=masked, package=next(iter(parties.values())).learner.origin.package)
            whole_round(hall, parties)
            weight[kind] = sum(hall.bytes) / max(1, len(hall.seqs))
    return weight


def updates_per_minute(gateways, length=100):
    """Updates of so many gateways that one hub process takes, aggregates and publishes, a minute of its own time."""
    rng = np.random.default_rng(1)
    with tempfile.TemporaryDirectory(prefix="heed-") as folder:
        hall = Hall(folder, package="load 1", least=gateways)
        hall.turn()
        body = {name: np.round(rng.normal(0, .05, length), 5).tolist() for name in map("gw-{}".format, range(gateways))}
        payloads = [compress.pack("gzip", envelope.dumps(Batch(name, "e", [(1, {
            "stream": "* load 1", "kind": "attention_update", "cls": "event", "t_ms": 1, "reason": "", "data": {
                "round": hall.rounds.round["id"], "step": "update", "body": vector}})]))) for name, vector in body.items()]
        began = time.process_time()
        for at in range(0, gateways, 50):
            hall.store.apply([envelope.loads(compress.unpack(payload, 1 << 20)) for payload in payloads[at:at + 50]])
        hall.store.query("UPDATE record SET received_ms = ? RETURNING seq", (hall.t_ms,))
        hall.turn(61000)
        took = time.process_time() - began
        return gateways * 60 / took if hall.rounds.learnt["version"] == 1 else 0.0
