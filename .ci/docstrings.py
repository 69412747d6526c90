"""The rules of docstrings and of arrays' annotations, for the paths given (by default salx).

    python .ci/docstrings.py [--count] [PATH ...]

Of every public module, class, function and method of a public class:
1. The docstring begins with a sentence; but for a module, its first word is a verb.
2. `Args:` names every parameter, `Attributes:` every public field of a dataclass, a named tuple
   or a flax module.
3. `Returns:` (or `Yields:`) is there where something is returned, `Raises:` where the function
   itself raises an error of ours, by its name. A property says all in its sentence.
4. An array is annotated with its dtype and shape, by jaxtyping.
A method that a base class of ours documents needs no docstring of its own, nor do those whose
names begin and end with two underscores.

Prints a line for each breach; the exit code is 1 if there is any.
"""

import ast
import functools
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import lint
from lint import ROOT, Definition, parameters, parsed

NO_VERBS = frozenset(
    {"a", "an", "the", "this", "these", "that", "it", "its", "one", "all", "each", "every", "no"}
    | {"what", "which", "who", "whose", "where", "when", "whether", "how", "why", "as", "from"}
    | {"for", "of", "in", "on", "with", "without", "to", "is", "are", "not", "and", "or", "true"}
)
ERRORS = re.compile(r"(InputError|ArgumentError|RunError|Stopped|Unreachable|\w*Error)$")
ABSTRACT = "NotImplementedError"
BARE = re.compile(r"(?<![\w.])(jax\.Array|np\.ndarray)(?![\w.])")


def first_sentence(text: str, verb: bool) -> Iterator[str]:
    """Breaches of rule 1."""
    head = text.split("\n\n")[0]
    word = re.match(r"[^\W\d_]+", head)
    if not head.rstrip().endswith((".", ":")):
        yield "its docstring does not begin with a sentence"
    if verb and (not word or word[0].lower() in NO_VERBS or not word[0][0].isupper()):
        yield "its docstring does not begin with a verb"


def section(text: str, name: str) -> str | None:
    """The lines of a docstring's section, None where there is none."""
    match = re.search(rf"^{name}:\n((?:[ \t]+.*\n?|\n)+)", text + "\n", re.MULTILINE)
    return match and match[1]


def unnamed(text: str, headings: tuple[str, ...], names: list[str]) -> list[str]:
    """Those of the names that no line of these sections describes: `name: ...`, `a, b: ...`."""
    lines = "".join(filter(None, (section(text, heading) for heading in headings)))
    described = re.findall(r"^[ \t]+([\w*, ]+?)(?: \([^)]*\))?:", lines, re.MULTILINE)
    there = {word.strip(" *") for words in described for word in words.split(",")}
    return [name for name in names if name not in there]


def raised(node: Definition) -> set[str]:
    """Names of the errors that a function's own statements raise."""
    names, stack = set(), list(node.body)
    while stack:
        inner = stack.pop()
        if isinstance(inner, Definition | ast.ClassDef | ast.Lambda):
            continue
        if isinstance(inner, ast.Raise) and inner.exc is not None:
            error = inner.exc.func if isinstance(inner.exc, ast.Call) else inner.exc
            name = ast.unparse(error).split(".")[-1]
            if name[0].isupper() and ERRORS.match(name) and name != ABSTRACT:
                names.add(name)
        stack += ast.iter_child_nodes(inner)
    return names


def is_property(node: Definition) -> bool:
    return any(ast.unparse(each).endswith("property") for each in node.decorator_list)


def of_function(node: Definition) -> Iterator[str]:
    """Breaches of a function's or a method's docstring and annotations."""
    text = ast.get_docstring(node)
    if text is None:
        yield "has no docstring"
        return
    yield from first_sentence(text, verb=True)
    if lacking := unnamed(text, ("Args",), [arg.arg for arg in parameters(node)]):
        yield f"Args: does not name {', '.join(lacking)}"
    silent = node.returns is None or ast.unparse(node.returns) in ("None", "NoReturn")
    answered = section(text, "Returns") or section(text, "Yields")
    if not (silent or answered or is_property(node)):
        yield "Returns: is missing"
    if lacking := unnamed(text, ("Raises",), sorted(raised(node))):
        yield f"Raises: does not name {', '.join(lacking)}"


def bare_arrays(node: Definition) -> Iterator[str]:
    """Breaches of rule 4."""
    for arg in parameters(node):
        if arg.annotation and BARE.search(bare(arg.annotation)):
            yield f"{arg.arg} is an array without dtype and shape"
    if node.returns and BARE.search(bare(node.returns)):
        yield "what it returns is an array without dtype and shape"


def bare(annotation: ast.expr) -> str:
    """An annotation without what jaxtyping says of arrays, Float[np.ndarray, "n d"]."""
    return re.sub(r"\w+\[(jax\.Array|np\.ndarray|Array), '[^']*'\]", "", ast.unparse(annotation))


def fields(node: ast.ClassDef) -> list[str]:
    """The public annotated fields of a class, but for class variables."""
    return [
        line.target.id
        for line in node.body
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name)
        if not line.target.id.startswith("_") and "ClassVar" not in ast.unparse(line.annotation)
    ]


def of_class(node: ast.ClassDef) -> Iterator[str]:
    """Breaches of a class's docstring."""
    text = ast.get_docstring(node)
    if text is None:
        yield "has no docstring"
        return
    yield from first_sentence(text, verb=True)
    if lacking := unnamed(text, ("Attributes", "Args"), fields(node)):
        yield f"Attributes: does not name {', '.join(lacking)}"
    for line in node.body:
        if isinstance(line, ast.AnnAssign) and BARE.search(bare(line.annotation)):
            yield f"{ast.unparse(line.target)} is an array without dtype and shape"


class Classes(dict):
    """Every class of salx by name: its bases, and the methods that it documents."""

    def __init__(self) -> None:
        for path in sorted((ROOT / "salx").rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ClassDef):
                    methods = {
                        each.name
                        for each in node.body
                        if isinstance(each, Definition) and ast.get_docstring(each)
                    }
                    bases = [ast.unparse(base).split("[")[0].split(".")[-1] for base in node.bases]
                    self.setdefault(node.name, (bases, methods))

    def inherits(self, node: ast.ClassDef, method: str) -> bool:
        """Tell whether a base class documents a method."""
        bases = [ast.unparse(base).split("[")[0].split(".")[-1] for base in node.bases]
        while bases:
            more, methods = self.get(bases.pop(), ((), ()))
            if method in methods:
                return True
            bases += more
        return False


def breaches(path: Path, classes: Classes) -> lint.Breaches:
    """(line, what is wrong) in a file."""
    tree = parsed(path)
    text = ast.get_docstring(tree)
    for what in first_sentence(text, verb=False) if text else ["has no docstring"]:
        yield 1, f"the module: {what}"
    for node in tree.body:
        if isinstance(node, Definition) and not node.name.startswith("_"):
            for what in (*of_function(node), *bare_arrays(node)):
                yield node.lineno, f"{node.name}: {what}"
        if not isinstance(node, ast.ClassDef) or node.name.startswith("_"):
            continue
        for what in of_class(node):
            yield node.lineno, f"{node.name}: {what}"
        for method in node.body:
            if not isinstance(method, Definition):
                continue
            public = not method.name.startswith("_")
            if public and not classes.inherits(node, method.name):
                for what in of_function(method):
                    yield method.lineno, f"{node.name}.{method.name}: {what}"
            if public or method.name == "__call__":
                for what in bare_arrays(method):
                    yield method.lineno, f"{node.name}.{method.name}: {what}"


if __name__ == "__main__":
    sys.exit(lint.run(__doc__, functools.partial(breaches, classes=Classes()), ["salx"]))
