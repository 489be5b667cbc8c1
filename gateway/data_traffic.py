"""Traffic recordings: where each comes from, and how it is known to be the right one.

PEMS08: flow of 170 loop detectors of Caltrans PeMS district 8, July and August 2016, as the benchmark of ASTGCN has it (Guo et al.,
AAAI 2019); the flow channel is kept. NAB: real traffic series with labelled windows (Numenta, MIT). The others: see each source.
"""

import io
import json
import zipfile

import numpy as np

from gateway.core.errors import HeedError
from gateway.fetch import cache, download, fetch_files, keep, same

RAW = "https://raw.githubusercontent.com/"
PEMS08 = RAW + "STGTraffic/TWIST/3bc24ccd2d6410c26992762514c83ff560fa8046/data/PEMS08/PEMS08.npz"
PEMS08_FLOW = "8a7c19b49527b58c76c3b9164d22530df9b20765de2a017e59ed3b8aa1d5e929"  # of the flow as little-endian uint16
NAB = RAW + "numenta/NAB/master/"
NAB_WINDOWS = "5eeead0322360be703c2625bafede85798c96b8974134763eee9417bf26cb101"
NAB_FILES = (("38e70e9ead8227fd023bff6e93247d5bc01ee008f781b921a156962419b399bb", "TravelTime_387.csv"),
             ("7c174adfc457b201cd111d60688f7ec37eb7201c8080790dc41eeff477bd7345", "TravelTime_451.csv"),
             ("cd357d7820d675074270fd976d4af1fc1e7854ecb764783028cbcb18d980c91d", "occupancy_6005.csv"),
             ("5663a8122a300360eb51fbbd0f21706da05af1af55262926d6a226bb6d071704", "occupancy_t4013.csv"),
             ("7976e7596cd1e579696c737576e96a26fe041484472ed7d0a463ce2b094d7aa7", "speed_6005.csv"),
             ("15ba994384730cb5a2e6818f17ded1430b40d92eb7a08e5b1a48a445c8c350f6", "speed_7578.csv"),
             ("fa5532d6f7db36cadc73e657fd4dfef05cb1ec44d4010243b314d3f1bbd6a7b5", "speed_t4013.csv"))
PLAIN = {
    "traffic/pems-single-site": (
        ("cf46f219b4595fa214d99d42a85ccd5e7137499efaa54e4705eaf25653b09f14", "train.csv",
         RAW + "xiaochus/TrafficFlowPrediction/9eceab34e86818c145cbd2110f42ac1487f7bdfd/data/train.csv"),
        ("c3abee88094bb733e04c74812ae6b749ac5f21f6ccedf53120b5e3d8df2fc7ba", "test.csv",
         RAW + "xiaochus/TrafficFlowPrediction/9eceab34e86818c145cbd2110f42ac1487f7bdfd/data/test.csv")),
    "traffic/metro-interstate": (
        ("1b92185e2b9cd407e3ea626d10eb010a2ee82f820a48c6d8b690535511c1061a", "Metro_Interstate_Traffic_Volume.csv",
         RAW + "mellonchap/data/a2ca6820307b3a6667ead0a5801a341cf4acbae0/Metro_Interstate_Traffic_Volume.csv"),)}
WHAT = {"traffic/pems08": "flow of 170 loop detectors, 62 days of 5 minutes", "traffic/nab-realtraffic": "7 series with labelled incidents",
        "traffic/pems-single-site": "flow of one loop detector, 42 days", "traffic/metro-interstate": "hourly volume of one road, 6 years with gaps"}


def fetch_pems08(progress):
    """The benchmark's file, of which the flow is kept if it is the flow that Heed knows."""
    path = cache() / "traffic" / "pems08" / "pems08_flow.npz"
    if not path.exists():
        try:
            with np.load(io.BytesIO(download(PEMS08)), allow_pickle=False) as archive:
                flow = archive["data"][:, :, 0].astype("<u2")
        except (ValueError, KeyError, IndexError, zipfile.BadZipFile) as error:
            raise HeedError("%s is not the file that Heed knows: %s" % (PEMS08, error), "try again later")
        same(flow.tobytes(), PEMS08_FLOW, PEMS08)
        packed = io.BytesIO()
        np.savez_compressed(packed, flow=flow)
        keep(path, packed.getvalue())
    progress(1, 1)
    return path.parent


def fetch_nab(progress):
    """The series, and of the windows those that are of them."""
    folder = cache() / "traffic" / "nab-realtraffic"
    if not (folder / "combined_windows.json").exists():
        source = NAB + "labels/combined_windows.json"
        windows = {name.split("/")[1]: spans for name, spans in json.loads(download(source)).items() if name.startswith("realTraffic/")}
        keep(folder / "combined_windows.json", same(json.dumps(windows, indent=1).encode(), NAB_WINDOWS, source))
    fetch_files([(sha256, "traffic/nab-realtraffic/" + name, NAB + "data/realTraffic/" + name) for sha256, name in NAB_FILES], progress)
    return folder


def fetch(name, progress):
    """Fetch one of WHAT into the cache; gives its folder."""
    if name == "traffic/pems08":
        return fetch_pems08(progress)
    if name == "traffic/nab-realtraffic":
        return fetch_nab(progress)
    fetch_files([(sha256, "%s/%s" % (name, file), source) for sha256, file, source in PLAIN[name]], progress)
    return cache() / name
