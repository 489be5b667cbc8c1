"""Models that forecast series: what their graphs take in, and what their answers mean."""

import numpy as np

from gateway.core.errors import ModelError
from gateway.core.records import Forecast

QUARTERS, WEEKDAYS = 96, 7


class Forecasts:
    """Stands between the Features of the traffic plugin and the graph of a package.

    A package that names its `sensors` knows those, all at once; one that names none knows any, one at a time. Features:
    values = [rows of lags, [quarter of an hour of the day, weekday]], facts["streams"] = the rows' streams, facts["step_min"]. A stream is a
    sensor of that name, or ends in a slash and that name.
    """

    def __init__(self, manifest):
        self.names = manifest.get("sensors")
        self.places = {name: i for i, name in enumerate(self.names or [])}
        self.shape = tuple(manifest["inputs"][0]["shape"])
        self.ahead, self.step_min = manifest["forecast"]["ahead"], manifest["forecast"]["step_min"]

    def shapes(self):
        """{input: shape} beside the controls."""
        out = {"lags": self.shape, "quarter": (1, QUARTERS), "weekday": (1, WEEKDAYS)}
        return dict(out, present=(1, self.shape[1])) if self.names else out

    def check(self, graph, out):
        """Refuse a graph that gives other forecasts than the manifest says."""
        if "forecast" not in out or out["forecast"].shape != (1, self.shape[1], self.ahead):
            raise ModelError("%s gives no forecast of %d slots" % (graph.name, self.ahead), "install the package again")

    def place(self, stream):
        """Row of a stream in the graph, or None."""
        return self.places.get(stream, self.places.get(stream.split("/")[-1]))

    def infer(self, graph, controls, features, variant):
        """Forecast of one Features. Raises ModelError where the graph gives no numbers, or was made for other slots."""
        if features.facts["step_min"] != self.step_min:
            raise ModelError("%s forecasts slots of %d min, these have %d" % (graph.name, self.step_min, features.facts["step_min"]),
                             "heed model train traffic --csv FILE --step %dmin" % features.facts["step_min"])
        rows, (quarter, weekday) = features.values
        clock = {"quarter": np.eye(QUARTERS, dtype=np.float32)[[quarter]], "weekday": np.eye(WEEKDAYS, dtype=np.float32)[[weekday]]}
        run = self._network if self.names else self._single
        values, maps = run(graph, dict(controls, **clock), np.asarray(rows, np.float32), features.facts["streams"])
        return Forecast(features.stream, features.seq, features.t_ms, values, maps, variant)

    def _network(self, graph, inputs, rows, streams):
        places = [self.place(stream) for stream in streams]
        known = [i for i, place in enumerate(places) if place is not None]
        at = [places[i] for i in known]
        lags, present = np.zeros(self.shape, np.float32), np.zeros(self.shape[:2], np.float32)
        lags[0, at], present[0, at] = rows[known], 1
        out = graph.run(dict(inputs, lags=lags, present=present))
        answers = self._counts(graph, out)[0]
        values = [None if place is None else answers[place].tolist() for place in places]
        inside = np.array([place if place is not None else 0 for place in places])
        return values, {"lags": out["lag_weights"][inside], "neighbours": out["neighbour_weights"][np.ix_(inside, inside)]}

    def _single(self, graph, inputs, rows, streams):
        outs = [graph.run(dict(inputs, lags=row.reshape(self.shape))) for row in rows]
        return [self._counts(graph, out)[0, 0].tolist() for out in outs], {"lags": np.stack([out["lag_weights"][0] for out in outs])}

    @staticmethod
    def _counts(graph, out):
        if not np.isfinite(out["forecast"]).all():
            raise ModelError("%s gives no numbers (NaN)" % graph.name, "verify the package: heed model verify")
        return np.round(out["forecast"]).astype(int)
