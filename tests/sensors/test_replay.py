"""Records are played as they are; what is cut, missing or odd is named with what to do."""

import numpy as np
import pytest

from gateway.core.errors import ConfigError, EndOfStream, HeedError
from gateway.testing import FakeClock, FakeContext, check_sensor
from sensors import replay
from sensors.wfdb_record import WfdbRecord, annotations, decode


def write(folder, form="212", samples=None, header_samples=None, leads=2):
    """A small WFDB record; gives its path without extension and the samples."""
    if samples is None:
        samples = np.random.default_rng(1).integers(-2000, 2000, (1000, leads))
    flat = samples.ravel()
    if form == "212":
        a, b = flat[0::2] & 4095, flat[1::2] & 4095
        raw = np.stack((a & 255, (a >> 8) | ((b >> 8) << 4), b & 255), 1).astype(np.uint8).tobytes()
    elif form == "80":
        raw = (flat + 128).astype(np.uint8).tobytes()
    elif form == "24":
        raw = np.stack((flat & 255, flat >> 8 & 255, flat >> 16 & 255), 1).astype(np.uint8).tobytes()
    else:
        raw = flat.astype({"16": "<i2", "61": ">i2", "32": "<i4"}[form]).tobytes()
    (folder / "r.dat").write_bytes(raw)
    lines = ["r %d 250 %d" % (samples.shape[1], header_samples or len(samples))]
    lines += ["r.dat %s 200/mV 12 0 0 0 0 %s" % (form, name) for name in ("MLII", "V1")[:samples.shape[1]]]
    (folder / "r.hea").write_text("\n".join(lines) + "\n")
    return folder / "r", samples


@pytest.mark.parametrize("form", ["212", "16", "61", "24", "32"])
def test_formats_and_any_cut(tmp_path, form):
    path, samples = write(tmp_path, form)
    record = WfdbRecord(path)
    for step in (1, 7, 250, 1000):
        assert (np.concatenate([record.read(at, step) for at in range(0, 1000, step)]) == samples).all()


def test_samples_that_begin_after_a_header_of_their_own(tmp_path):
    path, samples = write(tmp_path, "16")
    (tmp_path / "r.dat").write_bytes(b"MATLAB 4 header, 24 byte" + (tmp_path / "r.dat").read_bytes())
    header = (tmp_path / "r.hea").read_text()
    (tmp_path / "r.hea").write_text(header.replace(" 16 ", " 16x1+24 "))
    assert (WfdbRecord(path).read(0, 1000) == samples).all()
    (tmp_path / "r.hea").write_text(header.replace(" 16 ", " 16x4 "))
    with pytest.raises(HeedError) as caught:
        WfdbRecord(path)
    assert "several rates" in caught.value.message


def test_eight_bits(tmp_path):
    path, samples = write(tmp_path, "80", np.arange(-100, 100).reshape(-1, 1))
    assert (WfdbRecord(path).read(0, 200) == samples).all()


def test_the_same_as_wfdb(mitdb):
    wfdb = pytest.importorskip("wfdb")
    for name in ("100", "114"):
        ours, theirs = WfdbRecord(mitdb / name), wfdb.rdrecord(str(mitdb / name), physical=False)
        assert (ours.read(1001, 5000) == theirs.d_signal[1001:6001]).all()
        assert [lead.name for lead in ours.leads] == theirs.sig_name
        marks = wfdb.rdann(str(mitdb / name), "atr")
        assert annotations(mitdb / name) == list(zip(marks.sample.tolist(), marks.symbol))


def options_of(**given):
    return dict({name: spec.get("default") for name, spec in replay.MANIFEST["options"].items()}, **given)


def player(path, **given):
    return replay.Replay(options_of(record=str(path), **given), FakeContext("bed", FakeClock()))


async def played(sensor):
    await sensor.open()
    blocks = []
    try:
        while True:
            blocks.append(await sensor.read())
    except EndOfStream:
        return blocks


async def test_plays_in_time(tmp_path):
    path, samples = write(tmp_path)
    sensor = player(path, lead="V1", speed=2.0, block_ms=300)
    blocks = await played(sensor)
    assert (np.concatenate([b.values for b in blocks]) == samples[:, 1]).all()
    assert [b.seq for b in blocks] == list(range(0, 1000, 75))
    assert sensor.context.clock.now - 1700000000000 == 2000, "4 s at twice the speed"
    assert blocks[-1].t_ms - blocks[0].t_ms == 13 * 300
    await check_sensor(lambda: player(path))


async def test_loops_without_a_gap(tmp_path):
    path, _ = write(tmp_path)
    sensor = player(path, loop=True, speed=0)
    await sensor.open()
    blocks = [await sensor.read() for _ in range(20)]
    assert [b.seq for b in blocks] == list(range(0, 2500, 125))


@pytest.mark.parametrize("harm, words", [
    (lambda path: (path.parent / "r.dat").write_bytes(b"123"), "holds 3 bytes, the header promises 3000"),
    (lambda path: (path.parent / "r.dat").unlink(), "holds 0 bytes"),
    (lambda path: (path.parent / "r.hea").unlink(), "no record"),
    (lambda path: (path.parent / "r.hea").write_text("nonsense\n"), "no WFDB header"),
    (lambda path: (path.parent / "r.hea").write_text("r 1 250 10\nr.dat 516 200 12 0 0 0 0 II\n"), "format 516")])
def test_what_is_wrong_is_named(tmp_path, harm, words):
    path, _ = write(tmp_path)
    harm(path)
    with pytest.raises(HeedError) as caught:
        WfdbRecord(path)
    assert words in caught.value.message and caught.value.hint


async def test_a_lead_that_is_not_there_names_those_that_are(tmp_path):
    path, _ = write(tmp_path)
    with pytest.raises(HeedError) as caught:
        await player(path, lead="V9").open()
    assert "MLII, V1" in caught.value.hint
    with pytest.raises(ConfigError):
        await player(path, start_s=100.0).open()


def test_decode_sign():
    assert decode(np.array([255, 255, 255], np.uint8), "212").tolist() == [-1, -1]
