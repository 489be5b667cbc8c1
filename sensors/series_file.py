"""Reads tables of readings: CSV with a column of times and one column a sensor, or an npz file with one array.

What real files hold is taken as it comes: repeated and disordered times, gaps, empty and unreadable cells. Each is counted.
"""

import csv
from datetime import datetime, timezone
from pathlib import Path

import numpy as np

from gateway.core.errors import ConfigError, HeedError

FORMS = ("%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M", "%Y/%m/%d %H:%M", "%Y-%m-%d %H")
TRUSTED = 20  # rows by which the column of times is found
MAX_BYTES = 256 * 1024 * 1024
DECIMAL = 100  # counts per unit where readings are no whole numbers


def time_ms(text):
    """Milliseconds since 1970 of a time as people write it, or None. Local time is kept as it is."""
    text = text.strip()
    try:
        return whole_ms(datetime.fromisoformat(text))
    except ValueError:
        pass
    for form in FORMS:
        try:
            return whole_ms(datetime.strptime(text, form))
        except ValueError:
            continue
    return None


def whole_ms(moment):
    """Of a datetime; one without a zone counts as UTC, so that its hour of day stays."""
    return int((moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp() * 1000)


def number(text):
    """A finite number that is not negative, or NaN."""
    try:
        value = float(text)
    except ValueError:
        return np.nan
    return value if 0 <= value < 1e7 else np.nan


class Table:
    """times: (rows,) ms, rising; counts: (rows, columns) int, readings times gain; there: which cells hold one;
    names; step_ms: the usual step; counters: what was wrong with the file."""

    def __init__(self, times, values, names, step_ms, counters):
        self.times, self.names, self.counters = np.asarray(times, np.int64), list(names), counters
        self.there = np.isfinite(values)
        held = values[self.there]
        self.gain = 1 if (held == np.round(held)).all() else DECIMAL
        self.counts = np.where(self.there, np.round(np.nan_to_num(values) * self.gain), 0).astype(np.int64)
        steps = np.diff(self.times)
        self.step_ms = step_ms or (int(np.median(steps)) if len(steps) else 300000)
        counters["gaps"] = int((steps > 1.5 * self.step_ms).sum())
        counters["irregular_steps"] = int((np.abs(steps - self.step_ms) * 20 >= self.step_ms).sum()) - counters["gaps"]

    def first_after(self, t_ms):
        """First row at or after a time."""
        return int(np.searchsorted(self.times, t_ms))

    def span(self, start, hours):
        """(first row, row behind the last) of a start time as text and a length. Raises ConfigError."""
        begin = time_ms(start) if start else int(self.times[0])
        if begin is None:
            raise ConfigError("%r is no time" % start, "write it as 2016-08-19 06:00")
        first = self.first_after(begin)
        return first, self.first_after(begin + hours * 3600000) if hours else len(self.times)

    def reach(self):
        """First and last time in words."""
        return tuple(datetime.fromtimestamp(int(t) / 1000, timezone.utc).strftime("%Y-%m-%d %H:%M") for t in self.times[[0, -1]])

    def numbers(self, first):
        """Numbers of the rows from `first` on, in steps: a gap in time is one in these."""
        steps = np.maximum(1, np.round(np.diff(self.times[first:]) / self.step_ms))
        return np.concatenate([[0], np.cumsum(steps)]).astype(np.int64)


def read(path, columns="", first="", step_s=0):
    """Table of a file. Raises HeedError for what is missing or no table; ConfigError for columns that are not there."""
    path = Path(path)
    if not path.is_file():
        raise HeedError("no series %s" % path, "`heed data list` shows what there is")
    if path.stat().st_size > MAX_BYTES:
        raise HeedError("%s has %d MB" % (path, path.stat().st_size // 1000000), "a gateway reads up to 256 MB: cut it")
    return read_npz(path, columns, first, step_s) if path.suffix == ".npz" else read_csv(path, columns, step_s)


def read_npz(path, columns, first, step_s):
    """One two-dimensional array, rows in time; the times are counted from `first`."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            values = archive[archive.files[0]]
    except (OSError, ValueError, IndexError, KeyError) as error:
        raise HeedError("%s is no npz file of one array: %s" % (path, error), "give rows in time and a column a sensor")
    if values.ndim != 2 or not values.size or values.dtype.kind not in "uif":
        raise HeedError("%s holds %s of %s" % (path, values.shape, values.dtype), "numbers are wanted, rows in time and a column a sensor")
    begin, step_ms = time_ms(first), 1000 * (step_s or 300)
    if begin is None:
        raise ConfigError("%r is no time" % first, "write it as 2016-07-01 00:00")
    names = ["%d" % i for i in range(values.shape[1])]
    keep = chosen(path, names, columns)
    return Table(begin + np.arange(len(values)) * step_ms, values[:, keep].astype(float), [names[i] for i in keep], step_ms, {})


def read_csv(path, columns, step_s):
    """A header, a column of times, and columns of numbers."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.reader(file) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise HeedError("%s is no CSV file: %s" % (path, error), "UTF-8 text with a header is wanted")
    at = next((i for i in range(len(rows[0]) if len(rows) > 1 else 0) if timely(rows[1:TRUSTED + 1], i)), None)
    if at is None:
        raise HeedError("%s has no column of times" % path, "a header, then rows such as 2016-03-01 00:05,12,9 are wanted")
    header, counters = rows[0], {"rows_unreadable": 0, "rows_repeated": 0, "rows_disordered": 0, "cells_unreadable": 0}
    names = [name for i, name in enumerate(header) if i != at and numeric(rows[1:], i)]
    keep = [header.index(names[i]) for i in chosen(path, names, columns)]
    times, values = [], []
    for row in rows[1:]:
        t_ms = time_ms(row[at]) if len(row) > at else None
        counter = "rows_unreadable" if t_ms is None else times and (
            "rows_repeated" if t_ms == times[-1] else "rows_disordered" if t_ms < times[-1] else "")
        if counter:
            counters[counter] += 1
            continue
        cells = [row[i] if i < len(row) else "" for i in keep]
        numbers = [number(cell) if cell.strip() else np.nan for cell in cells]
        counters["cells_unreadable"] += sum(bool(cell.strip()) and value != value for cell, value in zip(cells, numbers))
        times.append(t_ms)
        values.append(numbers)
    if len(times) < 2 or not keep:
        raise HeedError("%s holds %d rows and %d columns of numbers" % (path, len(times), len(keep)), "at least two rows and one column are wanted")
    return Table(times, np.array(values), [header[i] for i in keep], 1000 * step_s, counters)


def timely(rows, i):
    """Whether most of a column are times. A number is none, though 2016 could be a year."""
    return 2 * sum(len(row) > i and not row[i].strip().replace(".", "").isdigit() and time_ms(row[i]) is not None for row in rows) > len(rows)


def numeric(rows, i):
    """Whether most of a column's filled cells are numbers."""
    cells = [row[i] for row in rows[:2000] if len(row) > i and row[i].strip()]
    return bool(cells) and 2 * sum(number(cell) == number(cell) for cell in cells) > len(cells)


def chosen(path, names, columns):
    """Indices of the wanted columns. Raises ConfigError."""
    wanted = [name.strip() for name in columns.split(",")] if columns else names
    unknown = [name for name in wanted if name not in names]
    if unknown:
        raise ConfigError("%s has no column of numbers called %s" % (path, ", ".join(unknown)), "columns: " + ", ".join(names[:20]))
    return [names.index(name) for name in wanted]
