"""Traffic recordings are fetched from where they come from, and only if they are the ones that Heed knows."""

import io
import json

import numpy as np
import pytest

from gateway import data, data_traffic, fetch
from gateway.core.errors import HeedError


@pytest.fixture
def web(tmp_path, monkeypatch):
    """A web of our own: {URL: bytes}, and an empty cache."""
    pages = {}
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    def download(source):
        if source not in pages:
            raise HeedError("%s cannot be fetched" % source, "no network?")
        return pages[source]
    monkeypatch.setattr(fetch, "download", download)
    monkeypatch.setattr(data_traffic, "download", download)
    return pages


def npz(**arrays):
    packed = io.BytesIO()
    np.savez(packed, **arrays)
    return packed.getvalue()


def test_pems08_is_its_flow_channel(web, traffic, tmp_path):
    flow = np.load(traffic / "pems08" / "pems08_flow.npz")["flow"]
    web[data_traffic.PEMS08] = npz(data=np.stack([flow, flow * 0, flow * 0], 2))
    folder = data.fetch("traffic/pems08")
    assert folder == tmp_path / "heed" / "traffic" / "pems08"
    assert (np.load(folder / "pems08_flow.npz")["flow"] == flow).all()
    web.clear()
    assert data.fetch("traffic/pems08") == folder, "what is there is not fetched again"


@pytest.mark.parametrize("page", [b"nonsense", npz(other=np.zeros(3)), npz(data=np.zeros((5, 2, 3)))])
def test_another_pems08_is_refused(web, page, tmp_path):
    web[data_traffic.PEMS08] = page
    with pytest.raises(HeedError) as caught:
        data.fetch("traffic/pems08")
    assert "is not the file that Heed knows" in caught.value.message and not list(tmp_path.rglob("*.npz"))


def test_nab_comes_with_its_windows(web, traffic):
    folder = traffic / "nab-realtraffic"
    windows = json.loads((folder / "combined_windows.json").read_text())
    everything = {"artificial/x.csv": [], **{"realTraffic/" + name: spans for name, spans in windows.items()}}
    web[data_traffic.NAB + "labels/combined_windows.json"] = json.dumps(everything).encode()
    for _, name in data_traffic.NAB_FILES:
        web[data_traffic.NAB + "data/realTraffic/" + name] = (folder / name).read_bytes()
    seen = []
    fetched = data.fetch("traffic/nab-realtraffic", lambda done, total: seen.append((done, total)))
    assert json.loads((fetched / "combined_windows.json").read_text()) == windows and seen[-1] == (7, 7)
    assert {path.name for path in fetched.glob("*.csv")} == {name for _, name in data_traffic.NAB_FILES}


def test_a_changed_series_is_refused_and_nothing_is_left_of_it(web, tmp_path):
    for _, _, source in data_traffic.PLAIN["traffic/metro-interstate"]:
        web[source] = b"date_time,traffic_volume\n"
    with pytest.raises(HeedError):
        data.fetch("traffic/metro-interstate")
    assert not list(tmp_path.rglob("*.csv*"))
    web.clear()
    with pytest.raises(HeedError) as caught:
        data.fetch("traffic/pems-single-site")
    assert "cannot be fetched" in caught.value.message
