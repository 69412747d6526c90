"""What the lints of this folder share: the files to check, and how breaches are printed."""

import argparse
import ast
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
Definition = ast.FunctionDef | ast.AsyncFunctionDef
Breaches = Iterator[tuple[int, str]]  # (line, what is wrong)


def parsed(path: Path) -> ast.Module:
    """A module of the repository, by its path from the root."""
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def parameters(node: Definition) -> list[ast.arg]:
    """A function's parameters, but for the object or class that a method is of."""
    spec = node.args
    more = [arg for arg in (spec.vararg, spec.kwarg) if arg]
    every = [*spec.posonlyargs, *spec.args, *spec.kwonlyargs, *more]
    return [arg for arg in every if arg.arg not in ("self", "cls")]


def run(about: str, breaches: Callable[[Path], Breaches], paths: Sequence[str]) -> int:
    """Check the files that the flags name, by default those of `paths`; return the exit code."""
    parser = argparse.ArgumentParser(description=about.split("\n")[0])
    parser.add_argument("paths", nargs="*", default=paths)
    parser.add_argument("--count", action="store_true", help="only how many a file has")
    arguments = parser.parse_args()
    roots = [(ROOT / path) for path in arguments.paths]
    every = [file for root in roots for file in ([root] if root.is_file() else root.rglob("*.py"))]
    counts: Counter[Path] = Counter()
    for path in sorted(file.relative_to(ROOT) for file in every):
        for line, what in sorted(set(breaches(path))):
            counts[path] += 1
            if not arguments.count:
                print(f"{path}:{line}: {what}")
    if arguments.count:
        for path, count in counts.most_common():
            print(f"{count:4} {path}")
    return int(bool(counts))
