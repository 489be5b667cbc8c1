"""Stands around a model of series: verifies its forecasts by what comes, and attends to whoever was right.

The labels are free: the truth of a slot is there when the slot is over. Five experts are asked: the model as shipped; the
model, shown a day and a week that are moved to where they fit, at the hour that it then is; both, corrected; and last week itself,
moved and at today's level. The weights of the model are never touched, and a sensor whose mixture was not verifiably better
gets what was shipped.
"""

import numpy as np

from gateway.attention import moved
from gateway.attention.correction import Correction
from gateway.attention.experts import CORRECTED, EXPERTS, LAST, MOVED, SHIPPED, Experts
from gateway.attention.level import Level
from gateway.attention.phase import Phase
from gateway.attention.weeks import Layout, Weeks
from gateway.core.plugin import Model
from gateway.core.records import Forecast

MAX_SENSORS = 1024  # 48 kB each at five minutes
REACH_MIN, STEP_MIN = 120, 15  # how far a day may move, and in which steps
LEVEL = .001  # of the running level


class OnlineForecasts(Model):
    """model: what forecasts (see models.attention.PackageModel), with `forecasts` that say of what form. places: {stream: row}.
    facts["measured"] of the Features, where given, says of which streams the newest lag was truly read."""

    def __init__(self, model):
        super().__init__(model.options, model.context)
        self.model, form = model, model.forecasts
        per_day = 1440 // form.step_min
        self.layout = Layout(form.shape[-1], form.ahead, per_day, max(1, REACH_MIN // form.step_min))
        self.weeks = Weeks(self.layout)
        self.phase = Phase(self.layout, self.weeks.size, max(1, STEP_MIN // form.step_min))
        self.level, self.experts, self.corrections = (Level(self.layout), Experts(form.ahead),
                                                      (Correction(form.ahead), Correction(form.ahead)))
        self.parts = {"weeks": self.weeks, "phase": self.phase, "level": self.level, "experts": self.experts,
                      "correction": self.corrections[0], "moved": self.corrections[1]}
        self.step_min, self.places, self.frozen, self.after = form.step_min, {}, frozenset(), lambda: None

    def switch(self, name):
        """As the model's own."""
        self.model.switch(name)

    def forget(self, stream):
        """As the model's own; a sensor that is seen again begins anew."""
        self.model.forget(stream)
        self.clear(stream)

    def clear(self, stream):
        """Let a sensor begin anew."""
        for part in self.parts.values() if stream in self.places else ():
            part.clear([self.places[stream]])

    def forget_all(self):
        """Begin anew, without sensors."""
        for part in self.parts.values():
            part.shrink()
        self.places, self.weeks.last = {}, None

    def state(self):
        """({"part name": array}, {"streams", "slot", "shown"}): all that was learnt, to be kept."""
        arrays = {"%s %s" % (part, name): array for part, rows in self.parts.items() for name, array in rows.state().items()}
        return arrays, {"streams": list(self.places), "slot": self.weeks.last, "shown": self.shown()}

    def restore(self, arrays, facts, stream=None):
        """Take over what state() gave, or one stream of it. Raises KeyError or ValueError for what is of another form."""
        rows = (slice(None), slice(None)) if stream is None else (self.places[stream], facts["streams"].index(stream))
        if stream is None:
            self._place(facts["streams"])
            self.weeks.last = facts["slot"]
        for name, part in self.parts.items():
            part.restore({key.split(" ", 1)[1]: array for key, array in arrays.items() if key.startswith(name + " ")}, *rows)

    def shown(self):
        """{stream: what a person is shown}: mean shares of the experts, minutes by which its day is moved, verified MAE of the last
        week in counts (shipped, given out), and whether the mixture is trusted."""
        told, shares = self.experts.tell(), self.experts.weights().mean(1)
        phase = self.phase.apart(self.weeks.last)[0] * self.step_min
        return {stream: {"shares": np.round(shares[row], 3).tolist(), "moved_min": int(phase[row]), "static": round(float(told["static"][row]), 3),
                         "online": round(float(told["online"][row]), 3), "judged": int(told["judged"][row]),
                         "trusted": bool(self.experts.trusted()[row])} for stream, row in self.places.items()}

    def infer(self, features):
        """Forecast of one Features. maps gain "experts": shares (streams, experts), and "moved": minutes by which a day was moved."""
        answer = self.model.infer(features)
        streams = features.facts["streams"]
        self._place([stream for stream, values in zip(streams, answer.values) if values is not None])
        known = [i for i, values in enumerate(answer.values) if values is not None and streams[i] in self.places]
        if not known:
            return answer
        self._turn(features.seq)
        rows = np.array([self.places[streams[i]] for i in known])
        lags = np.asarray([features.values[0][i] for i in known], np.float32)
        self._verify(features, known, rows, lags)
        answer = self._answer(features, answer, known, rows, lags)
        self.after()
        return answer

    def _place(self, streams):
        """Rows for streams that have none, while there is room."""
        new = [stream for stream in streams if stream not in self.places]
        room = MAX_SENSORS - len(self.places)
        if len(new) > room:
            self.context.count("online_refused", len(new) - room)
        for stream in new[:room]:
            self.places[stream] = len(self.places)
        if new[:room]:
            for part in self.parts.values():
                part.grow(len(new[:room]))

    def _turn(self, slot):
        """Time that is turned back costs the memory of the week, not what was learnt."""
        last = self.weeks.last
        if last is not None and slot <= last:
            self.context.count("online_turned_back")
            self.weeks.clear(slice(None))
            self.phase.clear(slice(None))
            self.experts.made[:], self.weeks.last = -1, None
        elif last is not None and slot > last + 1:
            self.context.count("online_gaps")

    def _verify(self, features, known, rows, lags):
        """Take the truth of the slot that is over."""
        slot, n = features.seq, len(self.places)
        value, good = np.zeros(n), np.zeros(n, bool)
        value[rows] = lags[:, self.layout.recent - 1]
        measured = features.facts.get("measured")
        good[rows] = value[rows] > 0 if measured is None else [bool(measured[i]) for i in known]
        self.context.count("online_unmeasured", len(rows) - int(good.sum()))
        held = [self.places[stream] for stream in self.frozen if stream in self.places]
        good[held] = False
        level = self.experts.level
        level[rows] = np.where(level[rows] > 0, level[rows] + LEVEL * (value[rows] - level[rows]), lags.mean(1) + 1)
        at, due = self.experts.due(slot, good)
        self.experts.verify(slot, value, good)
        for correction in self.corrections:
            correction.learn(value, at, due)
        self.weeks.put(slot, lags, rows, good)
        self.context.count("online_verified", int(due.sum()))
        self.context.count("online_moves", self.phase.update(slot, self.weeks, value, good))
        self.level.update(slot, self.weeks, value, good, *self.phase.apart(slot)[1:])

    def _answer(self, features, answer, known, rows, lags):
        """The Forecast that is given out."""
        slot, layout = features.seq, self.layout
        phase, day, week = (by[rows] for by in self.phase.apart(slot))
        levels = [factor[rows] for factor in self.level.factors()]
        shipped = np.array([answer.values[i] for i in known], np.float32)
        shown = moved.lags_at(self.weeks, slot, rows, lags, (day, week), levels)
        elsewhere = moved.ask(self.model, features, known, shipped, shown, phase, (shown != lags).any(1))
        full = np.zeros((len(self.places), layout.ahead, len(EXPERTS)), np.float32)
        full[rows, :, SHIPPED], full[rows, :, MOVED] = shipped, elsewhere
        self._correct(SHIPPED, slot, rows, full, lags, 0 * week, 0 * week + 1)
        self._correct(MOVED, slot, rows, full, shown, week, levels[1])
        full[rows, :, LAST] = shown[:, -layout.ahead:] * (self.phase.level(slot)[rows] / levels[1])[:, None]
        there = np.zeros(len(full), bool)
        there[rows] = True
        given, weights = self.experts.mix(slot, full, there)
        return self._told(answer, known, rows, np.round(given[rows]).astype(int), weights[rows].mean(1), phase)

    def _correct(self, i, slot, rows, full, lags, by, factor):
        """Put the correction of expert i into `full`. lags: what that expert was shown; by, factor: of its week, (rows,) each."""
        week, target, factors = np.zeros(full.shape[:2]), np.zeros(full.shape[:2], int), np.ones((len(full), 1))
        week[rows], target[rows] = lags[:, -self.layout.ahead:], slot + self.layout.horizons + by[:, None]
        factors[rows, 0] = factor
        usual = self.weeks.usually(target, week / factors) * factors
        full[..., CORRECTED + i] = self.corrections[i].forecast(slot, full[..., i], week, usual, np.maximum(self.experts.level, 1))

    def _told(self, answer, known, rows, given, shares, phase):
        """The answer with what was given out in place of what was shipped, and who was listened to."""
        values, trusted = list(answer.values), self.experts.trusted()
        heard, minutes = np.zeros((len(values), len(EXPERTS))), np.zeros(len(values), int)
        heard[:, SHIPPED] = 1
        for i, row, numbers, share, by in zip(known, rows, given.tolist(), shares, phase):
            values[i], minutes[i] = numbers, by * self.step_min
            if trusted[row]:
                heard[i] = share
        maps = dict(answer.maps or {}, experts=heard, moved=minutes)
        return Forecast(answer.stream, answer.seq, answer.t_ms, values, maps, answer.variant)
