"""Series are played at their own times; what real files have wrong with them is counted, and told where it stops the show."""

import numpy as np
import pytest

from gateway.core.errors import ConfigError, EndOfStream, HeedError
from gateway.testing import FakeClock, FakeContext, check_sensor
from sensors import series
from sensors.series_file import read, time_ms

MINUTE = 60000


def sensor_of(path, **given):
    options = dict({name: spec.get("default") for name, spec in series.MANIFEST["options"].items()}, file=str(path), speed=0)
    return series.Series(dict(options, **given), FakeContext("road", FakeClock()))


def csv(folder, text):
    (folder / "flows.csv").write_text(text)
    return folder / "flows.csv"


async def played(sensor):
    await sensor.open()
    blocks = []
    try:
        while True:
            blocks.append(await sensor.read())
    except EndOfStream:
        return blocks


WIDE = """time,north,south,weather
2016-03-01 00:00,12,30,dry
2016-03-01 00:05,13,,dry
2016-03-01 00:05,13,99,dry
2016-03-01 00:15,-4,33,wet
2016-03-01 00:10,1,1,wet
never,1,1,wet
2016-03-01 00:21,abc,35,wet
"""


async def test_a_wide_file_with_its_faults(tmp_path):
    sensor = sensor_of(csv(tmp_path, WIDE), step_s=300)
    blocks = await played(sensor)
    readings = [(b.stream, b.seq, (b.t_ms - time_ms("2016-03-01 00:00")) // MINUTE, b.values[0]) for b in blocks]
    assert readings == [("north", 0, 0, 12), ("south", 0, 0, 30), ("north", 1, 5, 13), ("south", 3, 15, 33), ("south", 4, 21, 35)]
    assert {k: v for k, v in sensor.context.counters.items() if v} == {
        "rows_repeated": 1, "rows_disordered": 1, "rows_unreadable": 1, "cells_unreadable": 2, "gaps": 1, "irregular_steps": 1}
    assert blocks[0].signal.rate_hz == pytest.approx(1 / 300) and blocks[0].signal.gain == 1


async def test_the_contract(tmp_path):
    await check_sensor(lambda: sensor_of(csv(tmp_path, WIDE)))


async def test_decimals_become_hundredths(tmp_path):
    blocks = await played(sensor_of(csv(tmp_path, "t,mph\n2016-03-01 00:00,64.375\n2016-03-01 00:05,61.5\n"), unit="mph", prefix="i5/"))
    assert [(b.stream, b.values[0], b.signal.gain, b.signal.unit) for b in blocks] == [("i5/mph", 6438, 100, "mph"), ("i5/mph", 6150, 100, "mph")]


async def test_history_comes_at_once_and_without_its_holes(tmp_path):
    values = np.arange(1, 61).reshape(-1, 2)
    np.savez(tmp_path / "flow.npz", flow=values)
    sensor = sensor_of(tmp_path / "flow.npz", first="2016-07-01 00:00", start="2016-07-01 02:00", history_h=2, hours=0.25)
    blocks = await played(sensor)
    assert [len(b.values) for b in blocks] == [24, 24] + [1] * 6
    assert {b.stream for b in blocks} == {"0", "1"} and [b.seq for b in blocks[2:]] == [24, 24, 25, 25, 26, 26]
    assert np.concatenate([b.values for b in blocks if b.stream == "1"]).tolist() == values[:27, 1].tolist()
    holed = csv(tmp_path, "t,a\n" + "".join("2016-07-01 00:%02d,%d\n" % (m, m) for m in (0, 5, 10, 25, 30, 35, 40)))
    blocks = await played(sensor_of(holed, start="2016-07-01 00:40", history_h=1))
    assert [(b.seq, list(b.values)) for b in blocks] == [(0, [0, 5, 10]), (5, [25, 30, 35]), (8, [40])]


async def test_it_keeps_time(tmp_path):
    sensor = sensor_of(csv(tmp_path, WIDE), speed=10.0)
    await played(sensor)
    assert sensor.context.clock.now - FakeClock().now == 21 * MINUTE // 10


@pytest.mark.parametrize("text, words", [
    ("", "no column of times"), ("a,b\n1,2\n3,4\n", "no column of times"), ("time,v\n2016-03-01 00:00,1\n", "holds 1 rows"),
    ("time,v\n2016-03-01 00:00,x\n2016-03-01 00:05,y\n", "0 columns of numbers"), ("\xff\xfe", "")])
def test_what_is_no_table_is_said(tmp_path, text, words):
    (tmp_path / "bad.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(HeedError) as caught:
        read(tmp_path / "bad.csv")
    assert words in caught.value.message and caught.value.hint


async def test_a_wrong_setting_names_the_right_ones(tmp_path):
    path = csv(tmp_path, WIDE)
    for given, words in (({"columns": "nroth"}, "north, south"), ({"start": "tomorrow"}, "write it as"), ({"start": "2020-01-01 00:00"}, "2016-03-01 00:21")):
        with pytest.raises(ConfigError) as caught:
            await sensor_of(path, **given).open()
        assert words in caught.value.hint
    with pytest.raises(HeedError):
        await sensor_of(tmp_path / "none.csv").open()
    np.savez(tmp_path / "cube.npz", x=np.zeros((2, 2, 2)))
    with pytest.raises(HeedError):
        await sensor_of(tmp_path / "cube.npz").open()


def test_the_real_files_are_read(traffic):
    nab = read(traffic / "nab-realtraffic" / "TravelTime_387.csv")
    assert nab.names == ["value"] and nab.gain == 1 and len(nab.times) > 2000 and nab.counters["gaps"] > 10
    metro = read(traffic / "metro-interstate" / "Metro_Interstate_Traffic_Volume.csv", "traffic_volume")
    assert metro.step_ms == 3600000 and metro.counters["rows_repeated"] == 7629 and metro.counters["gaps"] > 100
    single = read(traffic / "pems-single-site" / "test.csv")
    assert single.names[0].startswith("Lane 1 Flow") and single.step_ms == 300000
