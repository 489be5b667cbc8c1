"""The energy policy's guarantees, price, reserve, ladder, ledger and certificate, on every interpreter."""

from gateway.energy import certificate, price
from gateway.energy.harvest import DAY, SLOT_MS, Harvest
from gateway.energy.ladder import Ladder
from gateway.energy.ledger import DAYS, Ledger
from gateway.energy.load import Demand, Device, JobClass, Variant
from gateway.energy.policy import EnergyPolicy
from gateway.energy.salvage import frontier, salvage

WH = 3600000


def load():
    """A critical class, and one that needs a camera."""
    ecg = JobClass("ecg", 5000, 1000000, 1000000, True,
                   [Variant("small", 4000, 6000, 800), Variant("large", 90000, 150000, 1000)], [3600] * 24)
    vision = JobClass("vision", 1000, 500000, 250000, False,
                      [Variant("small", 40000, 70000, 600), Variant("large", 300000, 510000, 1000)], [1800] * 24, Device("camera", 120, 400))
    return [ecg, vision]


def sunny(days=10, mj=1500000):
    """A history: twelve hours of sun a day, one day in four at a fifth of it."""
    harvest = Harvest()
    for day in range(days):
        for slot in range(DAY):
            harvest.add((day - days) * DAY + slot, (mj // 5 if day % 4 == 3 else mj) if DAY // 4 <= slot < 3 * DAY // 4 else 0)
    return harvest


def made(share, harvest=None):
    """A policy at noon with a battery of 40 Wh that holds `share` per mille."""
    policy = EnergyPolicy(load(), 40 * WH, 580, 1600, harvest or sunny())
    policy.begin(DAY // 2 * SLOT_MS, 40 * WH * share // 1000)
    return policy


def test_a_joule_is_dearer_the_emptier_the_battery():
    prices = [made(share).plan.price for share in (950, 700, 500, 300, 100)]
    assert prices == sorted(prices) and prices[0] < prices[-1], prices


def test_below_the_reserve_only_critical_jobs_at_their_smallest():
    policy = made(20)
    ecg, vision = policy.classes
    assert policy.tight and "vision" in policy.off
    assert policy.choose(ecg, 0, 1000000) == 0 and policy.choose(vision, 0, 500000) == -1
    assert policy.counters["refused_reserve"] == 1
    policy.level(38 * WH)
    assert not policy.tight
    policy.begin(DAY // 2 * SLOT_MS, 38 * WH)
    assert policy.choose(ecg, 0, 1000000) == 1


def test_the_reserve_lasts_a_poor_night():
    policy = made(500)
    spent = price.turned(policy.demand.least(), 580 * 3600, 12)[:price.NIGHT]
    poor = sorted(policy.harvest.hours(), key=sum)[price.POOR][:price.NIGHT]
    assert policy.plan.reserve + sum(poor) >= sum(spent)


def test_the_dearer_the_poorer_the_days_known():
    rich, poor = [made(500, sunny(mj=mj)).plan for mj in (3500000, 1500000)]
    assert rich.price < poor.price and rich.long_run < poor.long_run and rich.floor <= poor.floor


def test_a_day_that_overflows_is_free_and_one_that_starves_is_dear():
    demand, mean = Demand(load()), 40 * WH
    full, empty = ([[mj] * 24] * 3 for mj in (20 * WH, 0))
    assert price.expected(30 * WH, 40 * WH, 580 * 3600, demand, full, mean, 12) == 0
    assert price.expected(WH, 40 * WH, 580 * 3600, demand, empty, mean, 12) == demand.prices[-1]


def test_need_goes_over_step_by_step():
    demand = Demand(load())
    cheap, dear = demand.prices[5], demand.prices[25]
    found = [demand.between(cheap, dear, share) for share in range(0, 1001, 50)]
    assert found[0] == cheap and found[-1] == dear and found == sorted(found) and found[10] == demand.prices[15]


def test_no_job_blocks_a_critical_one():
    """Whatever is asked for at whatever moment, what runs ends in time for the critical job to come, at worst slow-down."""
    policy = made(900)
    ecg, vision = policy.classes
    policy.arrived(ecg, 0)
    for now in range(0, 1000000, 7919):
        for slack in (50000, 200000, 500000, 900000):
            index = policy.choose(vision, now, now + slack, [(1000000, ecg)])
            if index >= 0:
                ends = now + vision.variants[index].time_us * 1600 // 1000
                assert ends + ecg.variants[0].time_us * 1600 // 1000 <= 1000000, (now, slack, index)


def test_a_critical_job_is_never_refused():
    policy = made(900)
    ecg = policy.classes[0]
    assert policy.choose(ecg, 999000, 1000000) == 0
    policy.lost, ecg.variants[0].device = ("tpu",), "tpu"
    assert policy.choose(ecg, 0, 1000000) == 1


def test_slow_down_and_heat_take_the_large_variant_away():
    policy = made(950)
    vision = policy.classes[1]
    policy.plan.price, policy.off = 0, set()
    assert policy.choose(vision, 0, 500000) == 1
    for _ in range(60):
        policy.done(vision, 1, 600000)
    assert policy.slow > 1900 and policy.choose(vision, 0, 500000) == 0
    for _ in range(200):
        policy.done(vision, 1, 300000)
    assert policy.slow < 1100 and policy.choose(vision, 0, 500000) == 1
    policy.heat = 1
    assert policy.choose(vision, 0, 500000) == 0


def test_a_camera_is_off_while_its_jobs_are_not_worth_its_power():
    policy = made(950)
    policy.plan.price = 10000000
    policy._switch(12)
    assert "vision" in policy.off and policy.choose(policy.classes[1], 0, 500000) == -1 and policy.counters["refused_device"] == 1
    policy.plan.price = 0
    policy._switch(12)
    assert not policy.off


def test_rates_are_learnt_but_not_from_hours_without_the_camera():
    policy = made(950)
    ecg, vision = policy.classes
    for _ in range(7200):
        policy.arrived(ecg, 0)
    policy.off = policy.blind = {"vision"}
    policy.begin(DAY // 2 * SLOT_MS + 3600000, 38 * WH)
    assert ecg.hourly[12] == 5400 and vision.hourly[12] == 1800


def test_a_clock_that_jumps_is_filled_with_what_is_usual():
    harvest = sunny()
    before = harvest.days(3)
    harvest.add(30, 7)
    assert harvest.filled == 30 and harvest.slots[-1] == 7 and len(before) == 3
    harvest.add(5, 7)
    assert harvest.filled == 30 + (5 - 31) % DAY


def test_history_is_bounded():
    harvest = Harvest()
    for slot in range(40 * DAY):
        harvest.add(slot, 1)
    assert len(harvest.slots) <= 31 * DAY and harvest.mean() == DAY


def test_no_certificate_is_below_what_was_done():
    """Schedules drawn at random: none is worth more than the bound."""
    classes, seed = load(), 1
    prices = Demand(classes).prices
    parts = frontier(classes, 10 * WH)
    for trial in range(20):
        log, level, capacity, done, ok = [], 8 * WH, 20 * WH, 0, True
        for slot in range(36):
            seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
            gained = seed % 1200000
            log.append(certificate.Slot({"ecg": 1200, "vision": 600}, gained, 580 * 1200, SLOT_MS))
            for c, jobs in zip(classes, (1200, 600)):
                seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
                index = (seed >> 16) % (len(c.variants) + (not c.critical)) - (not c.critical)
                if index >= 0:
                    gained -= jobs * c.variants[index].energy_uj // 1000 + (c.device.power_mw * 1200 if c.device else 0)
                    done += jobs * c.variants[index].points
            level = min(capacity, level + gained - 580 * 1200)
            ok = ok and level >= 0
        if ok:
            most = certificate.bound(classes, prices, log, 8 * WH, capacity, parts)
            assert done + salvage(parts, level) <= most, trial


def test_the_ladder_says_each_step_once():
    lines = []
    ladder = Ladder(lambda level, words: lines.append(level))
    for rung in (0, 1, 1, 2, 0, 0):
        ladder.set("heat", rung, "81 C")
    assert lines == ["warning", "warning", "info"] and ladder.counters == {"steps_down": 2, "steps_up": 1}
    assert ladder.shown() == []


def test_the_ledger_adds_up_and_is_bounded():
    ledger = Ledger()
    for day in range(DAYS + 10):
        ledger.spend(day, "model", "ecg/int8", 3000, 2)
        ledger.spend(day, "base", "board", 5000)
    assert len(ledger.days) == DAYS and ledger.total(70) == 8 and ledger.total(70, "model") == 3 and ledger.per_job(70) == 4
