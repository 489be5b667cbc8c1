"""Finds what runs on CPython, compiles for MicroPython, and fails or lies there. Each rule was seen by running."""

import ast

MODULES = {"asyncio", "json", "struct", "binascii", "hashlib", "time", "collections", "array", "re", "io", "os", "sys", "math",
           "random", "heapq", "errno", "gc", "select", "micropython", "machine", "deflate"}
OURS = {"gateway", "plugins", "sensors", "models"}
NO_EXCEPTIONS = {"TimeoutError", "ConnectionError", "FileNotFoundError", "PermissionError", "BrokenPipeError", "RecursionError",
                 "ModuleNotFoundError", "UnicodeDecodeError"}
NO_METHODS = {"hexdigest": "hash has no hexdigest", "removeprefix": "str has none", "zfill": "str has none", "ljust": "str has none",
              "rjust": "str has none", "title": "str has none", "isalnum": "str has none", "bit_length": "int has none",
              "tobytes": "array and memoryview have none"}
NO_KEYWORDS = {"dumps": {"sort_keys", "indent", "default", "allow_nan"}, "print": {"flush"}, "zip": {"strict"},
               "deque": {"maxlen"}, "create_task": {"name"}, "open": {"newline"}}
NO_ASYNCIO = {"Queue", "Semaphore", "Condition", "TaskGroup", "timeout", "shield", "wait", "to_thread", "Future", "all_tasks"}


def name_of(node):
    """Last part of a dotted name."""
    return getattr(node, "attr", getattr(node, "id", ""))


class Check(ast.NodeVisitor):
    """Collects (line, what is wrong)."""

    def __init__(self):
        self.found = []
        self.guarded = 0

    def say(self, node, text):
        """Note a finding."""
        self.found.append((node.lineno, text))

    def visit_Try(self, node):
        """An import that is tried, with ImportError caught, may be of anything; so may what an interpreter guards."""
        guard = any(name_of(handler.type) == "ImportError" for handler in node.handlers if handler.type)
        self.guarded += guard
        self.generic_visit(node)
        self.guarded -= guard
        for handler in node.handlers:
            if handler.type and name_of(handler.type) in NO_EXCEPTIONS and isinstance(handler.type, ast.Name):
                self.say(handler, "no such exception: " + name_of(handler.type))

    def visit_If(self, node):
        """`if IS_MICROPYTHON:` guards both of its branches."""
        guard = name_of(node.test) == "IS_MICROPYTHON"
        self.guarded += guard
        self.generic_visit(node)
        self.guarded -= guard

    def visit_Import(self, node):
        for alias in node.names:
            self.module(node, alias.name)

    def visit_ImportFrom(self, node):
        self.module(node, node.module or "")

    def module(self, node, name):
        """Only built-in modules, and ours."""
        if name.split(".")[0] not in MODULES | OURS and not self.guarded:
            self.say(node, "module %s is not on MicroPython" % name)

    def visit_ClassDef(self, node):
        if len(node.bases) > 1 or node.keywords:
            self.say(node, "multiple inheritance or class keywords")
        self.generic_visit(node)

    def visit_AsyncFunctionDef(self, node):
        inner = [n for n in ast.walk(node) if isinstance(n, (ast.Yield, ast.YieldFrom))]
        if inner:
            self.say(node, "async generator: compiles, then fails in `async for`")
        self.generic_visit(node)

    def visit_FunctionDef(self, node):
        calls = [n for n in ast.walk(node) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and n.func.id == node.name]
        if calls:
            self.say(node, "recursion: a node has about 35 frames")
        self.generic_visit(node)

    def visit_Raise(self, node):
        if node.cause and not self.guarded:
            self.say(node, "raise ... from drops the cause")
        self.generic_visit(node)

    def visit_Subscript(self, node):
        step = getattr(node.slice, "step", None)
        if step is not None:
            self.say(node, "a slice with a step: not for str and bytes")
        self.generic_visit(node)

    def visit_Attribute(self, node):
        if node.attr in NO_METHODS and not self.guarded:
            self.say(node, "%s: %s" % (node.attr, NO_METHODS[node.attr]))
        if name_of(node.value) == "asyncio" and node.attr in NO_ASYNCIO:
            self.say(node, "asyncio.%s is not on MicroPython" % node.attr)
        self.generic_visit(node)

    def visit_Call(self, node):
        name = name_of(node.func)
        for keyword in node.keywords:
            if keyword.arg in NO_KEYWORDS.get(name, ()):
                self.say(node, "%s(%s=) is not on MicroPython" % (name, keyword.arg))
        if name in ("wait_for", "gather") and any(isinstance(a, ast.Call) and name_of(a.func) in ("sleep", "sleep_ms")
                                                   and name_of(a.func.value if hasattr(a.func, "value") else a.func) == "asyncio"
                                                   for a in node.args):
            self.say(node, "%s(asyncio.sleep()) raises TypeError: wrap it in a coroutine" % name)
        if name in ("compile", "match", "search") and node.args and isinstance(node.args[0], ast.Constant):
            if "(?P<" in str(node.args[0].value) or "{" in str(node.args[0].value):
                self.say(node, "named groups and {m,n} do not work")
        self.generic_visit(node)


def check(source):
    """[(line, what is wrong)] of a file's text."""
    checker = Check()
    checker.visit(ast.parse(source))
    return sorted(checker.found)
