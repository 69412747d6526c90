"""A case: a command line in a folder of its own, and what is special about it."""

import importlib
import random
from dataclasses import dataclass, replace
from pathlib import Path

from tests.fuzz.materials import Materials

GRAMMARS = (
    *("flags", "configs", "lists", "labels"),
    *("images", "weights", "run_folders", "outputs"),
)
GOOD, REFUSED, FAILED = frozenset({0}), frozenset({2}), frozenset({1, 2})
ANY = GOOD | FAILED
COMMANDS = "home", "work/run"  # below a case's folder: the user's home, and where the command runs


@dataclass(frozen=True)
class Case:
    """A command line, and what must hold of it beside the rules for all.

    Attributes:
      words: what comes after `salx`.
      about: what is odd about it, in words; cases of one cause read alike.
      codes: the exit codes that it may have.
      alone: whether it has to be a process of its own, as it may block or end its process.
      changes: files and folders below its folder, by the start of their path, that may change.
      absent: files below its folder that must not be there afterwards.
      leaves: whether it may leave files where it is refused.
      file_limit: bytes of the largest file that it may write, as on a full disk; 0 for no limit.
      encoding: of the terminal.
      grammar, seed: what it was made from.
    """

    words: tuple[str, ...]
    about: str
    codes: frozenset[int] = ANY
    alone: bool = False
    changes: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    leaves: bool = False
    file_limit: int = 0
    encoding: str = "utf-8"
    grammar: str = ""
    seed: int = 0

    @property
    def again(self) -> str:
        """The command that runs this case again."""
        return f"python -m tests.fuzz {self.grammar} {self.seed}"


@dataclass(frozen=True)
class Ground:
    """What a grammar builds on.

    Attributes:
      rng: draws everything, from the case's seed.
      root: the case's folder, empty but for the user's home and `cwd`.
      materials: good files, to be copied and spoiled.
    """

    rng: random.Random
    root: Path
    materials: Materials

    @property
    def cwd(self) -> Path:
        """The folder where the command runs; two levels above it are the case's, too."""
        return self.root / COMMANDS[1]

    @property
    def is_good(self) -> bool:
        """Draw whether this case shall be a good one."""
        return self.rng.random() < 1 / 8

    def write(self, name: str, content: bytes | str) -> Path:
        """Write a file below the folder where the command runs."""
        path = self.cwd / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            content = content.encode("utf-8", "surrogatepass")
        path.write_bytes(content)
        return path

    def pool(self, count: int = 4, folder: str = "pool") -> list[str]:
        """Write a folder of small pictures; return their names."""
        names = [f"{number}.png" for number in range(count)]
        for name, content in zip(names, self.materials.pictures, strict=False):
            self.write(f"{folder}/{name}", content)
        return names


def make(grammar: str, seed: int, root: Path, materials: Materials) -> Case:
    """Write a case's files below an empty folder; return it."""
    for name in COMMANDS:
        (root / name).mkdir(parents=True)
    (root / COMMANDS[0] / "mine.txt").write_text("the user's own\n")
    ground = Ground(random.Random(f"{grammar} {seed}"), root, materials)
    case = importlib.import_module(f"tests.fuzz.{grammar}").make(ground)
    return replace(case, grammar=grammar, seed=seed)


def select(*words: str, budget: str = "2", out: str = "p.jsonl", policy: str = "random") -> tuple:
    """The words of a selection from `pool`; a flag among `words` takes the place of its own."""
    flags = {"pool": "pool", "policy": policy, "budget": budget, "out": out}
    named = {word.removeprefix("--").partition("=")[0] for word in words}
    base = [f"--{name}={value}" for name, value in flags.items() if name not in named]
    return ("select", *base, *words)
