"""A hub's SuperNode, and what it may start: Heed's own ClientApp and nothing else.

Flower sends the code of an app along with a run, and a SuperNode runs what it is sent. Here it starts the executor and the app
by names that it looks up in PATH, and there they are ours: the executor takes client tasks only, and an app that is not the
one beside this file is refused before it is unpacked.
"""

import io
import json
import os
import sys
import tempfile
import zipfile
from pathlib import Path

APP = Path(__file__).with_name("app")
SCRIPT = "#!%s\nfrom gateway.hub.flower import node\nnode.%s()\n"
STARTS = {"flower-superexec": "executor", "flwr-clientapp": "client"}


def serve(superlink, port, hub, insecure=False, roots="", key=""):
    """Run a SuperNode in this process until it is stopped. hub: {"database", "least"}; port: of this machine, for its own processes."""
    with tempfile.TemporaryDirectory(prefix="heed-flower-") as home:
        prepare(Path(home), hub)
        from flwr.supernode.cli.flower_supernode import flower_supernode  # reads the environment when it is imported
        sys.argv = ["flower-supernode", "--superlink", superlink, "--port", str(port), *(["--insecure"] if insecure else []),
                    *(["--root-certificates", roots] if roots else []), *(["--auth-supernode-private-key", key] if key else [])]
        flower_supernode()


def prepare(home, hub):
    """Environment of the SuperNode and its processes: our own commands first, nothing said to Flower's makers, a home that goes with it."""
    for command, function in STARTS.items():
        path = home / command
        path.write_text(SCRIPT % (sys.executable, function))
        path.chmod(0o755)
    os.environ.update(PATH=os.pathsep.join((str(home), os.environ.get("PATH", os.defpath))), FLWR_HOME=str(home),
                      FLWR_TELEMETRY_ENABLED="0", FLWR_DISABLE_UPDATE_CHECK="1", HEED_FEDERATE=json.dumps(hub))


def executor():
    """flower-superexec, for client tasks only."""
    from flwr.supercore.cli.flower_superexec import flower_superexec
    from flwr.supercore.constant import TaskType
    from flwr.supercore.superexec.plugin import AutoExecPlugin
    AutoExecPlugin.supported_task_types = frozenset({TaskType.CLIENT_APP})
    flower_superexec()


def client():
    """flwr-clientapp, for our own app only."""
    from flwr.supernode.cli import flwr_clientapp
    from flwr.supernode.runtime import run_clientapp
    install = run_clientapp.install_from_fab

    def guarded(fab, *arguments, **options):
        if not ours(fab):
            raise PermissionError("the run brings an app that is not Heed's: nothing of it is run")
        return install(fab, *arguments, **options)

    run_clientapp.install_from_fab = guarded
    flwr_clientapp()


def ours(fab):
    """Whether the bytes of an app bundle hold what is in APP and nothing else."""
    from flwr.cli.build import build_fab_from_disk
    return contents(fab) == contents(build_fab_from_disk(APP))


def contents(fab):
    """{name: bytes} of a bundle."""
    with zipfile.ZipFile(io.BytesIO(fab)) as bundle:
        return {entry.filename: bundle.read(entry) for entry in bundle.infolist()}
