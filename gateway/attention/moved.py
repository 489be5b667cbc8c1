"""A model of series asked again, as if the days of some sensors came earlier or later."""

import numpy as np

from gateway.core.records import Features

HOURS = 2  # moved hours that are asked for in a slot, the commonest
QUARTERS = 96


def lags_at(weeks, slot, rows, lags, moves, levels):
    """The lags (n, width) of sensors `rows` with their day and week moved by so many slots, and multiplied: moves and levels give
    (n,) of either. What is not known where they are moved to stays."""
    out, layout = lags.copy(), weeks.layout
    for (back, group), by, factor in zip(layout.groups, moves, levels):
        for i in np.flatnonzero((by != 0) | (factor != 1)):
            at = np.minimum(slot - back + by[i] + layout.around, slot)
            found = weeks.read[rows[i], at % weeks.size]
            out[i, group] = np.where(found < 0, out[i, group], found) * factor[i]
    return out


def ask(model, features, known, shipped, shown, phase, moved):
    """Forecasts (n, horizons) of the streams `known` (n indices) from the lags `shown`: of those with a phase at the hour that it
    is where they are, of the others that are moved at this hour, of all others as shipped."""
    out = shipped.copy()
    hours, counts = np.unique(phase[phase != 0], return_counts=True)
    chosen = hours[np.argsort(-counts)][:HOURS]
    if len(hours) > len(chosen):
        model.context.count("online_hours_skipped", len(hours) - len(chosen))
    for hour in (0, *chosen):
        wanted = np.flatnonzero(phase == hour if hour else moved & ~np.isin(phase, chosen))
        if len(wanted):
            out[wanted] = again(model, features, known, shown, wanted, int(hour))
    return out


def again(model, features, known, shown, wanted, hour):
    """The model once more, `hour` slots away: a network needs all of its sensors, a single net only those that are wanted."""
    network = bool(model.forecasts.names)
    asked, (quarter, weekday) = np.arange(len(known)) if network else wanted, features.values[1]
    quarters = (weekday * QUARTERS + quarter + hour * features.facts["step_min"] // 15) % (7 * QUARTERS)
    facts = dict(features.facts, streams=[features.facts["streams"][known[i]] for i in asked])
    answer = model.infer(Features(features.stream, features.seq, features.t_ms, [shown[asked], [quarters % QUARTERS, quarters // QUARTERS]], facts))
    model.context.count("online_asked")
    values = np.array(answer.values, np.float32)
    return values[wanted] if network else values
