"""The best that any scheduler could have done, knowing everything: a linear programme in slots of five minutes (HiGHS)."""

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from gateway.energy.salvage import frontier

SLOT_MINUTES = 5
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


def solve(site, mean_mj):
    """Oracle of a site. mean_mj: mJ that a mean day brings, for the salvage. Energy in J, points in units of weight 1."""
    slots = site.minutes // SLOT_MINUTES
    jobs, slow = counts(site, slots)
    harvest = np.asarray(site.harvest, float).reshape(slots, SLOT_MINUTES).sum(1) / 1000
    span, at, gain = SLOT_MINUTES * 60, 0, []
    work, power, bounds, equal, less = [], [], [], Rows(), Rows()
    t = np.arange(slots)
    for number, c in enumerate(site.classes):
        columns = []
        for variant in c.variants:
            columns.append(at + t)
            gain.append(np.full(slots, variant.points / 1e6))
            stretch = slow[number]
            work.append((at + t, variant.time_us / 1e6 * stretch))
            power.append((at + t, variant.energy_uj / 1e6 * np.maximum(stretch, 1)))
            at += slots
        terms = [(column, 1) for column in columns]
        if c.critical:
            equal.add(terms, jobs[number])
        elif c.device:
            power.append((at + t, c.device.power_mw / 1000 * span))
            gain.append(np.zeros(slots))
            less.add(terms + [(at + t, -jobs[number])], np.zeros(slots))
            less.add([(at + t, 1)], np.ones(slots))
            at += slots
        else:
            less.add(terms, jobs[number])
    less.add(work, np.full(slots, span))
    level, spill, lack = at + t, at + slots + t, at + 2 * slots + t
    gain += [np.zeros(2 * slots), np.full(slots, -DEFICIT)]
    at += 3 * slots
    before = [(np.where(t > 0, level - 1, level), np.where(t > 0, -1, 0))]
    right = harvest - site.base_mw / 1000 * span + np.where(t == 0, site.charge / 1000, 0)
    equal.add([(level, 1), (spill, 1), (lack, -1)] + before + power, right)
    parts = frontier(site.classes, mean_mj - site.base_mw * 86400)
    left = at + np.arange(len(parts))
    gain.append(np.array([slope for _, slope in parts]) * 1e-6)
    less.add([(column, 1) for column in left] + [(level[-1], -1)], [0])
    at += len(parts)
    high = np.full(at, np.inf)
    high[level] = site.capacity / 1000
    high[left] = [width / 1000 for width, _ in parts]
    found = linprog(-np.concatenate(gain), *less.matrix(at), *equal.matrix(at), np.stack([np.zeros(at), high], 1), method="highs")
    lacked = found.x[lack].sum()
    points = 1e6 * (-found.fun + DEFICIT * lacked)
    return Oracle(points, 60 * lacked / (site.base_mw / 1000 * 3600), 1000 * found.x[level[-1]])
