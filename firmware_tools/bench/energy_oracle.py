"""The best that any scheduler could have done, knowing everything: a linear programme in slots of five minutes (HiGHS)."""

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from gateway.energy.salvage import frontier

SLOT_MINUTES = 5
SWITCHED = 4  # slots: devices are switched no more often than the gateway plans, in the oracle as in the certificate
DEFICIT = 1e4  # points per mJ that is not there: only a window that nobody can survive uses it


class Oracle:
    """points: value done and salvage of what is left; dark_minutes: without power, more than nothing in no feasible window."""

    def __init__(self, points, dark_minutes, left):
        self.points, self.dark_minutes, self.left = points, dark_minutes, left


def counts(site, slots):
    """Jobs of each class in each slot, and how slow they are in the mean: arrays [class, slot]."""
    width = SLOT_MINUTES * 60 * 1000000
    number, n = (site.times // width).astype(int), len(site.classes)
    number = np.minimum(number, slots - 1)
    jobs, slow = np.zeros((n, slots)), np.zeros((n, slots))
    np.add.at(jobs, (site.kinds, number), 1)
    np.add.at(slow, (site.kinds, number), site.slow)
    return jobs, np.where(jobs > 0, slow / np.maximum(jobs, 1), 1)


class Rows:
    """A sparse matrix that grows by coordinates."""

    def __init__(self):
        self.row, self.column, self.value, self.right, self.n = [], [], [], [], 0

    def add(self, terms, right):
        """terms: [(columns, values)], one row for each element of `right`."""
        right = np.atleast_1d(np.asarray(right, float))
        at = self.n + np.arange(len(right))
        for columns, values in terms:
            self.row.append(at)
            self.column.append(np.broadcast_to(columns, at.shape))
            self.value.append(np.broadcast_to(np.asarray(values, float), at.shape))
        self.right.append(right)
        self.n += len(right)

    def matrix(self, width):
        """(matrix, right-hand side)."""
        row, column, value = (np.concatenate(part) for part in (self.row, self.column, self.value))
        return sparse.csr_matrix((value, (row, column)), (self.n, width)), np.concatenate(self.right)


class Programme:
    """The linear programme of a site: columns are added class by class, then the battery's. Energy in J, gain in points of weight 1."""

    def __init__(self, site):
        self.site, self.slots, self.at = site, site.minutes // SLOT_MINUTES, 0
        self.t = np.arange(self.slots)
        self.gain, self.work, self.power, self.equal, self.less = [], [], [], Rows(), Rows()

    def columns(self, gain, span=1):
        """A column for each `span` slots; gives the number of each slot's."""
        n = -(-self.slots // span)
        self.gain.append(np.full(n, float(gain)))
        self.at += n
        return self.at - n + self.t // span

    def add(self, c, jobs, stretch):
        """The jobs of a class: at most as many as come, all of a critical one; none while its device is off."""
        terms = []
        for variant in c.variants:
            column = self.columns(variant.points / 1e6)
            terms.append((column, 1))
            self.work.append((column, variant.time_us / 1e6 * stretch))
            self.power.append((column, variant.energy_uj / 1e6 * np.maximum(stretch, 1)))
        if c.critical:
            self.equal.add(terms, jobs)
        elif c.device:
            on = self.columns(0, SWITCHED)
            self.power.append((on, c.device.power_mw / 1000 * SLOT_MINUTES * 60))
            self.less.add(terms + [(on, -jobs)], np.zeros(self.slots))
            self.less.add([(on, 1)], np.ones(self.slots))
        else:
            self.less.add(terms, jobs)

    def battery(self, harvest):
        """Level, spill and what is lacking in each slot; gives the columns of level and lack."""
        level, spill, lack = self.columns(0), self.columns(0), self.columns(-DEFICIT)
        before = (np.where(self.t > 0, level - 1, level), np.where(self.t > 0, -1, 0))
        right = harvest - self.site.base_mw / 1000 * SLOT_MINUTES * 60 + np.where(self.t == 0, self.site.charge / 1000, 0)
        self.equal.add([(level, 1), (spill, 1), (lack, -1), before] + self.power, right)
        return level, lack


def solve(site, mean_mj):
    """Oracle of a site. mean_mj: mJ that a mean day brings, for the salvage."""
    made = Programme(site)
    jobs, slow = counts(site, made.slots)
    for number, c in enumerate(site.classes):
        made.add(c, jobs[number], slow[number])
    made.less.add(made.work, np.full(made.slots, SLOT_MINUTES * 60))
    level, lack = made.battery(np.asarray(site.harvest, float).reshape(made.slots, SLOT_MINUTES).sum(1) / 1000)
    parts = frontier(site.classes, mean_mj - site.base_mw * 86400)
    left = made.at + np.arange(len(parts))
    made.gain.append(np.array([slope for _, slope in parts]) * 1e-6)
    made.less.add([(column, 1) for column in left] + [(level[-1], -1)], [0])
    width = made.at + len(parts)
    high = np.full(width, np.inf)
    high[level] = site.capacity / 1000
    high[left] = [mj / 1000 for mj, _ in parts]
    found = linprog(-np.concatenate(made.gain), *made.less.matrix(width), *made.equal.matrix(width), np.stack([np.zeros(width), high], 1),
                    method="highs")
    lacked = float(found.x[lack].sum())
    return Oracle(1e6 * (-float(found.fun) + DEFICIT * lacked), 60 * lacked / (site.base_mw / 1000 * 3600), 1000 * float(found.x[level[-1]]))
