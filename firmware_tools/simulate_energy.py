"""Will this site last? The policy of the gateway on a trace, a board, a battery, a panel and a load."""

import copy

import numpy as np

from firmware_tools.bench.energy_sim import Run, Site, arrivals, log_of, spells
from firmware_tools.energy_fluid import Fluid
from gateway.core.errors import ConfigError
from gateway.energy import certificate, tables
from gateway.energy.harvest import DAY, Harvest, SLOT_MS
from gateway.energy.load import Demand
from gateway.energy.policy import EnergyPolicy
from gateway.energy.salvage import frontier, salvage

SPELL = 1.5  # how much slower jobs are while the processor is throttled
YIELD = .75  # of a panel's rating at 1000 W/m2: dirt, angle, heat, converter
EFFICIENCY = .92  # of charging
MINUTES = 1440
PANELS, BATTERIES = (.5, .75, 1, 1.5, 2, 3, 4, 6, 8), (.5, 1, 2, 4)


def quantity(text, unit):
    """44.0 of "44Wh". Raises ConfigError."""
    try:
        return float(text[:-len(unit)] if text.endswith(unit) else text)
    except ValueError:
        raise ConfigError("%r is no amount of %s" % (text, unit), "write for example 10%s" % unit)


def harvest_of(trace, panel_w):
    """mJ of each minute that reach the battery. A trace in W is taken as it is, the panel then does not matter."""
    watts = trace.minutes if trace.unit == "w" else trace.minutes / 1000 * panel_w * YIELD
    return (watts * EFFICIENCY * 60000).astype(int)


class Plan:
    """A site to plan. days: how many of the trace are played job by job, from its poorest day on."""

    def __init__(self, trace, board, load, battery_wh, panel_w, days, start=.6):
        settings = tables.read(load)
        self.trace, self.board, self.start = trace, board, start
        self.classes = tables.classes(settings, board, load)
        self.bursts = [given["name"] for given in settings["class"] if given.get("bursts")]
        self.base_mw, self.battery_wh, self.panel_w = int(board["idle_mw"]), battery_wh, panel_w
        self.days = min(days, trace.days)
        sums = trace.minutes.reshape(-1, MINUTES).sum(1)
        self.first = int(np.convolve(sums, np.ones(self.days), "valid").argmin())

    def site(self):
        """The poorest days, minute by minute and job by job."""
        capacity = int(self.battery_wh * 3600000)
        minutes = harvest_of(self.trace, self.panel_w)[self.first * MINUTES:(self.first + self.days) * MINUTES]
        jobs = arrivals(self.classes, self.days, self.first, self.bursts)
        return Site(self.classes, self.base_mw, capacity, int(self.start * capacity), minutes.tolist(), jobs,
                    spells(jobs[0], self.first, SPELL))

    def play(self, watch=None):
        """(Site, Result) of the policy, which knows what the trace holds of the thirty days before."""
        site, known = self.site(), Harvest()
        before = harvest_of(self.trace, self.panel_w)[max(0, self.first - 30) * MINUTES:self.first * MINUTES]
        for number, mj in enumerate(before.reshape(-1, SLOT_MS // 60000).sum(1).tolist()):
            known.add(number - len(before) * 60000 // SLOT_MS, mj)
        return site, Run(site, EnergyPolicy(copy.deepcopy(self.classes), site.capacity, self.base_mw, harvest=known), watch).run()

    def lasts(self, panel, battery):
        """Share of the whole trace's slots that are dark in the fluid model, with a panel and a battery so many times as large."""
        harvest = harvest_of(self.trace, self.panel_w * panel).reshape(-1, SLOT_MS // 60000).sum(1).tolist()
        capacity = int(self.battery_wh * battery * 3600000)
        return Fluid(self.classes, self.base_mw, capacity, int(self.start * capacity), harvest).dark / len(harvest)

    def enough(self):
        """[{"battery_wh", "panel_w"}]: for each size of battery the smallest panel of those tried with which it never goes dark."""
        found = []
        for battery in BATTERIES:
            for panel in PANELS if self.trace.unit != "w" else (1,):
                if not self.lasts(panel, battery):
                    found.append({"battery_wh": self.battery_wh * battery, "panel_w": self.panel_w * panel})
                    break
        return found


def bound_of(site, points, left):
    """Per cent of the certificate's bound that was reached."""
    log = log_of(site)
    parts = frontier(site.classes, sum(slot.harvest for slot in log) * DAY // len(log) - site.base_mw * 86400)
    most = certificate.bound(site.classes, Demand(site.classes).prices, log, site.charge, site.capacity, parts)
    return certificate.reached(points, salvage(parts, int(left)), most)


def facts_of(plan, search):
    """The answer as a dict; what each minute was, for a picture: (share of charge, price, jobs done by class and variant, refused by
    class, whose device is off, whether only the reserve is left); and the Site."""
    minutes = []

    def watch(minute, charge, policy, result):
        price = policy.plan.price if policy.plan else policy.demand.middle
        minutes.append((charge / policy.capacity, price, [list(d) for d in result.done], list(result.refused),
                        [c.name in policy.off for c in policy.classes], policy.tight))
    site, result = plan.play(watch)
    shed = {}
    for number, c in enumerate(plan.classes):
        came = int((site.kinds == number).sum())
        shed[c.name] = {"jobs": came, "refused": result.refused[number], "missed": result.missed[number],
                        "done": dict(zip([v.name for v in c.variants], result.done[number]))}
    facts = {"trace": plan.trace.name, "days": plan.days, "first_day": plan.first, "filled_minutes": plan.trace.filled,
             "board": plan.board["name"], "battery_wh": plan.battery_wh, "panel_w": plan.panel_w,
             "lasts": result.off_minutes == 0, "off_minutes": result.off_minutes, "critical_missed": result.critical_missed,
             "critical_dark": result.critical_dark, "lowest_percent": round(100 * min(m[0] for m in minutes), 1), "classes": shed,
             "certificate_percent": round(bound_of(site, result.points, result.left), 2),
             "dark_share_of_trace": plan.lasts(1, 1), "enough": plan.enough() if search else None,
             "energy": "from tables, not metered: " + plan.board["source"]}
    return facts, minutes, site
