"""What one stream can be taught now, and how: the replay buffer, what is unlabelled, and the anchors that hold the rest."""

import numpy as np

from gateway.attention.near import spread, told, usual
from gateway.attention.optimise import HEAD, Adam, GraphLoss, HeadLoss, Search, descend, judged, weighted

SAMPLE = 64  # unlabelled moments that hold the controls: each costs an eighth of a gradient
CONTROL_RATE, CONTROL_STEPS = .02, 25


class Lesson:
    """twin: see models.twin; origin: Origin; labelled: [(Moment, label)]; others: Moments without a label;
    anchors: (hidden, labels) or None; start: parameters that all is learnt from (as shipped, or as the hub sends); mode: "head",
    "controls" or "all"; search: by forward passes only."""

    def __init__(self, twin, origin, labelled, others, anchors=None, start=None, pause=lambda: None, mode="head", search=False):
        self.twin, self.origin, self.pause = twin, origin, pause
        self.mode, self.search = mode, search
        self.start = start or origin.shipped
        self.moments = [moment for moment, _ in labelled]
        self.labels = np.array([origin.classes.index(label) for _, label in labelled], int)
        self.others, self.anchors = others, anchors
        self.vouched = np.zeros(len(labelled), bool)

    def vouch(self, confirmed):
        """Note which labels a person has confirmed. confirmed: {(seq, label)}."""
        self.vouched[:] = [(moment.seq, self.origin.classes[label]) in confirmed for moment, label in zip(self.moments, self.labels)]

    def hidden(self, parameters, moments=None):
        """(n, width): what the head judges under these controls. Where controls never move, what was recorded is that."""
        moments = self.moments if moments is None else moments
        if self.mode == "head":
            return np.array([moment.hidden for moment in moments]).reshape(len(moments), -1)
        return np.array([self._run(moment, parameters) for moment in moments]).reshape(len(moments), -1)

    def _run(self, moment, parameters):
        self.pause()
        return self.twin.hidden(moment, parameters)

    def shares(self, parameters):
        """(n, classes) of the labelled moments."""
        return judged(self.hidden(parameters), parameters)

    def teach(self, rows=None):
        """Parameters taught by some rows of the buffer, None = all."""
        rows = np.arange(len(self.labels)) if rows is None else rows
        parameters = self.start
        if self.mode != "controls":
            parameters = self._head(parameters, rows)
        if self.mode != "head":
            parameters = self._controls(parameters, rows)
        return parameters

    def opinions(self, start, rows, others):
        """((n, width), (n, classes)) of unlabelled moments: what the start thinks of them, and what labels of `rows` nearby say."""
        hidden = self.hidden(start, others)
        if len(others) < 2:
            return hidden, judged(hidden, start)
        targets = np.eye(len(self.origin.classes))[self.labels[rows]]
        return hidden, told(judged(hidden, start), hidden, self.hidden(start)[rows], targets, usual(spread(hidden)))

    def _head(self, start, rows):
        held = [self.opinions(start, rows, self.others)] if self.others else []
        held += [(self.anchors[0], judged(self.anchors[0], start))] if self.anchors else []
        targets = weighted(self.labels[rows], len(self.origin.classes))
        loss = HeadLoss(start, self.hidden(start)[rows], targets, held)
        return descend(Search(loss, HEAD) if self.search else loss, self.origin, Adam(), start=start, pause=self.pause)

    def _controls(self, start, rows):
        held = [self.others[i] for i in np.linspace(0, len(self.others) - 1, min(SAMPLE, len(self.others))).astype(int)]
        opinions = self.opinions(start, rows, held)[1] if held else None
        targets = weighted(self.labels[rows], len(self.origin.classes))
        loss = GraphLoss(self.twin, self.twin.controls, start, [self.moments[i] for i in rows], targets, held, opinions)
        return descend(Search(loss.forward, self.twin.controls) if self.search else loss, self.origin, Adam(CONTROL_RATE),
                       CONTROL_STEPS, self.pause, start)
