"""The [energy] table: impossible sets are refused with the arithmetic; files of sites and traces with faults in them."""

import json

import pytest
from click.testing import CliRunner

from firmware_tools.cli import main
from gateway import config, sun
from gateway.core.errors import ConfigError
from gateway.energy import settings, tables

TEXT = """
[[plugin]]
name = "ecg"
kind = "ecg"
[[plugin]]
name = "road"
kind = "generic"
options = { length = [4] }
[energy]
board = "%s"
[[energy.class]]
name = "ecg"
critical = true
period_ms = 1000
variant = [ { name = "small", time_ms = 4, utility = 0.8 }, { name = "large", time_ms = 90, utility = 1.0 } ]
[[energy.class]]
name = "road"
period_ms = 5000
variant = [ { name = "small", time_ms = %s, utility = 0.8 }, { name = "large", time_ms = 1100, utility = 1.0 } ]
"""


def faults(text):
    return [str(fault) for fault in config.check_text(text, "t.toml", [])[1]]


def test_what_fits_is_sound():
    assert faults(TEXT % ("zero2w", 30)) == []


def test_a_job_longer_than_the_critical_deadline_allows_is_refused_with_the_arithmetic():
    found = faults(TEXT % ("zero2w", 1100))
    assert len(found) == 1 and "1100 x 1.6 x 1.25 = 2200 ms" in found[0] and "cannot be interrupted" in found[0], found
    assert faults(TEXT % ("pi5", 1100)) == []  # there it takes 165 ms


def test_a_critical_job_that_never_meets_its_deadline_is_refused():
    found = faults((TEXT % ("zero2w", 30)).replace("time_ms = 4,", "time_ms = 700,").replace("time_ms = 90,", "time_ms = 900,"))
    assert any("more than its deadline of 1000 ms" in fault for fault in found) and any("112 % of the executor" in fault for fault in found)


def test_what_will_never_be_chosen_is_told():
    chosen, _ = config.check_text(TEXT % ("zero2w", 30), "t.toml", [])
    assert any("road/large" in line for line in settings.warnings(chosen.energy.classes, 1.6))


@pytest.mark.parametrize("old, new, what", [
    ('board = "zero2w"', 'board = "zero2"', 'did you mean "zero2w"?'), ('name = "road"\nperiod', 'name = "raod"\nperiod', "no [[plugin]] of this name"),
    ("utility = 0.8 }, { name = \"large\", time_ms = 90", "utilty = 0.8 }, { name = \"large\", time_ms = 90", "utilty"),
    ("period_ms = 5000", "per_hour = [1, 2]", "per_hour has 2 numbers"), ("period_ms = 5000", "per_hour = -1", "numbers from 0 up"),
    ("period_ms = 5000", "period_ms = 0", "period_ms"), ('name = "road"\nperiod', 'name = "ecg"\nperiod', "have one name"), ("critical = true", "critical = 1", "critical")])
def test_faults_name_place_and_remedy(old, new, what):
    text = TEXT % ("zero2w", 30)
    assert old in text
    found = faults(text.replace(old, new))
    assert found and any(what in fault for fault in found), found


def test_a_board_from_a_file(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("idle_mw = 300\nbusy_mw = 900\n")
    assert tables.board(str(path))["name"] == "mine"
    path.write_text("idle_mw = -300\nbusy = 900\n")
    with pytest.raises(ConfigError) as caught:
        tables.board(str(path))
    assert "idle_mw" in caught.value.message and "busy" in caught.value.message


def trace(path, lines):
    path.write_text("\n".join(["time,w_m2", *lines]) + "\n")
    return path


def test_a_trace_with_gaps_is_filled_and_says_so(tmp_path):
    lines = ["2024-06-%02dT%02d:00" % (day, hour) + ",%d" % (500 if 8 <= hour < 18 else 0)
             for day in (1, 2, 3) for hour in range(24) if (day, hour) not in [(2, h) for h in range(9, 15)]]
    found = sun.read(trace(tmp_path / "gaps.csv", lines))
    assert found.days == 3 and found.filled == 360
    assert found.minutes[1440 + 12 * 60] == 500  # a long gap takes the day before
    assert found.minutes.min() >= 0


@pytest.mark.parametrize("lines, what", [
    (["2024-06-01T00:00,1", "yesterday,2", "x,3"], "line 3"), (["2024-06-02T00:00,1", "2024-06-01T00:00,1", "2024-06-03T00:00,1"], "time goes back"),
    (["2024-06-01T00:00,1", "2024-06-01T01:00,1"], "shorter than a day")])
def test_a_trace_that_is_none(tmp_path, lines, what):
    with pytest.raises(ConfigError) as caught:
        sun.read(trace(tmp_path / "bad.csv", lines))
    assert what in caught.value.message


def test_simulate_answers_for_a_site_by_file(tmp_path):
    lines = ["2024-06-%02dT%02d:00,%d" % (day, hour, 600 if 6 <= hour < 18 else 0) for day in range(1, 5) for hour in range(24)]
    path = trace(tmp_path / "sunny.csv", lines)
    words = ["energy", "simulate", "--trace", str(path), "--days", "1", "--json", "--plot", str(tmp_path / "p")]
    result = CliRunner().invoke(main, [*words, "--battery", "44Wh", "--panel", "10W"])
    facts = json.loads(result.output)
    assert result.exit_code == 0 and facts["lasts"] and facts["critical_missed"] == 0 and facts["enough"]
    assert 0 < facts["certificate_percent"] <= 100 and facts["classes"]["ecg"]["refused"] == 0 and (tmp_path / "p" / "energy-plan.png").exists()
    dark = json.loads(CliRunner().invoke(main, [*words, "--battery", "2Wh", "--panel", "1W", "--no-search"]).output)
    assert not dark["lasts"] and dark["off_minutes"] > 0
    assert CliRunner().invoke(main, [*words, "--battery", "much"]).exit_code == 2


def test_the_demo_plays_a_trace_and_saves_a_picture(tmp_path):
    lines = ["2024-06-%02dT%02d:00,%d" % (day, hour, 900 // day if 6 <= hour < 18 else 0) for day in range(1, 5) for hour in range(24)]
    path = trace(tmp_path / "fading.csv", lines)
    result = CliRunner().invoke(main, ["demo", "energy", "--trace", str(path), "--seconds", "0", "--plot", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert "critical jobs missed: 0" in result.output and "certificate: at least" in result.output
    assert (tmp_path / "energy-days.png").stat().st_size > 20000
