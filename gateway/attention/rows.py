"""Arrays with a row for each sensor, that are made, cleared, kept and restored together."""

import numpy as np


class Rows:
    """fresh: {name: first row of a new sensor}. Each name is an attribute: an array (sensors, *row). passing: names of what is not
    worth keeping, since it is old within the hour."""

    def __init__(self, passing=(), **fresh):
        self.fresh, self.passing = {name: np.asarray(row) for name, row in fresh.items()}, passing
        Rows.shrink(self)

    def shrink(self):
        """Have no sensor."""
        for name, row in self.fresh.items():
            setattr(self, name, np.empty((0, *row.shape), row.dtype))

    def grow(self, n):
        """Add n sensors."""
        for name, row in self.fresh.items():
            setattr(self, name, np.concatenate([getattr(self, name), np.broadcast_to(row, (n, *row.shape))]))

    def clear(self, rows):
        """Let these rows begin anew. rows: index or mask."""
        for name, row in self.fresh.items():
            getattr(self, name)[rows] = row

    def state(self):
        """{name: copy of the array}, in single precision."""
        return {name: getattr(self, name).astype(thin(row.dtype)) for name, row in self.fresh.items() if name not in self.passing}

    def restore(self, arrays, rows=slice(None), kept_rows=slice(None)):
        """Take over what state() gave, or of it the rows `kept_rows` as `rows`. Raises KeyError or ValueError for arrays of
        another form."""
        for name, fresh in self.fresh.items():
            if name in self.passing:
                continue
            kept = arrays[name]
            if kept.shape[1:] != fresh.shape or kept.dtype != thin(fresh.dtype) or not np.isfinite(kept).all():
                raise ValueError("%s is of another form" % name)
            getattr(self, name)[rows] = kept[kept_rows]


def thin(dtype):
    """The type that an array is kept in."""
    return np.dtype(np.float32) if dtype == np.float64 else dtype
