"""Small on purpose: modules fit on a page or two, functions hold one idea. Docstrings and blank lines count for modules only."""

import ast
import statistics

from tests.gates.portable import ROOT, product_files

CORE, OTHER, FUNCTION, MEDIAN = 120, 200, 40, 8
KIT = ROOT / "gateway" / "testing.py"


def functions(path):
    """(name, lines without docstring) of every function of a file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            lines = node.end_lineno - node.lineno + 1
            if ast.get_docstring(node):
                lines -= node.body[0].end_lineno - node.body[0].lineno + 1
            yield node.name, lines


def test_modules_are_short():
    long = []
    for path in product_files():
        lines = len(path.read_text().splitlines())
        limit = CORE if "gateway/core" in str(path) else OTHER
        if lines > limit:
            long.append("%s: %d lines, at most %d" % (path.relative_to(ROOT), lines, limit))
    assert not long, "\n".join(long)


def test_functions_are_short():
    found = [(lines, "%s: %s" % (path.relative_to(ROOT), name)) for path in product_files() for name, lines in functions(path)]
    assert max(found)[0] <= FUNCTION, max(found)
    assert statistics.median([lines for lines, _ in found]) <= MEDIAN
