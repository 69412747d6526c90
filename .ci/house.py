"""The rules of the house that no other tool knows, for the paths given (by default all of them).

    python .ci/house.py [--count] [PATH ...]

1. Imports only go down: a module imports from rooms below its own, or beside it in its room.
2. Nothing imports salx.commands but salx.__main__ and salx.main.
3. None of the words that once had many meanings is a bare name.
4. Every parameter of a public function or method is annotated.

Prints a line for each breach; the exit code is 1 if there is any.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import lint

CHECKED = ("salx", "configs", "benchmarks")

# The rooms from the top to the bottom; those in one line may not import each other.
ROOMS = (
    ("__main__", "main"),
    ("commands",),
    ("__init__",),
    ("library",),
    ("report",),
    ("study",),
    ("selection",),
    ("training", "scoring"),
    ("policies",),
    ("surrogates",),
    ("algorithms",),
    ("models",),
    ("data",),
    ("tasks",),
    ("records",),
    ("run_folder",),
    ("infra",),
)
LEVEL = {room: level for level, rooms in enumerate(ROOMS) for room in rooms}

BANNED = frozenset(
    {"seen", "told", "asked", "found", "place", "part", "own"}
    | {"beside", "here", "once", "given", "known", "kept"}
)


def room_of(module: str) -> str:
    """The room of `salx.data.loader` is `data`; that of `salx` itself is `__init__`."""
    return [*module.split("."), "__init__"][1]


def imported(tree: ast.AST, package: bool) -> Iterator[tuple[int, str]]:
    """(line, module) of each import from salx, wherever it stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                if name.name.split(".")[0] == "salx":
                    yield node.lineno, name.name
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "salx":
            for name in node.names:
                inner = node.module == "salx" and name.name in LEVEL
                yield node.lineno, f"salx.{name.name}" if inner else node.module


def going_up(path: Path, tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Breaches of rules 1 and 2 in a module of salx."""
    if path.parts[0] != "salx":
        return
    own = path.stem if len(path.parts) == 2 else path.parts[1]
    for line, module in imported(tree, path.name == "__init__.py"):
        room = room_of(module)
        if room not in LEVEL:
            yield line, f"imports {module}, which is in no room of .ci/house.py"
        elif room != own and LEVEL[room] <= LEVEL[own]:
            yield line, f"{own} imports {module}, which is not below it"


def bare_names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every name that a module binds or a definition has, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id if isinstance(node, ast.Name) else node.attr
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.alias) and node.asname:
            yield node.lineno, node.asname
        elif isinstance(node, ast.ExceptHandler) and node.name:
            yield node.lineno, node.name


def unannotated(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Breaches of rule 4: of functions at the top of a module and methods of its classes."""
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    nodes = [*tree.body, *(inner for node in classes for inner in node.body)]
    for node in nodes:
        if not isinstance(node, lint.Definition):
            continue
        if node.name.startswith("_") and not node.name.startswith("__"):
            continue
        for arg in lint.parameters(node):
            if arg.annotation is None:
                yield node.lineno, f"{node.name}: parameter {arg.arg!r} is not annotated"


def breaches(path: Path) -> lint.Breaches:
    """(line, what is wrong) in a file."""
    tree = lint.parsed(path)
    yield from going_up(path, tree)
    for line, name in bare_names(tree):
        if name in BANNED:
            yield line, f"{name!r} has had too many meanings to be a bare name"
    yield from unannotated(tree)


if __name__ == "__main__":
    sys.exit(lint.run(__doc__, breaches, CHECKED))
