"""A trial: a case that was made, run and judged."""

import functools
import shutil
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz import rules
from tests.fuzz.case import Case, make
from tests.fuzz.materials import Materials
from tests.fuzz.running import Outcome, in_process, whole_process

SHOWN = 1500  # characters of an output in a message


@dataclass(frozen=True)
class Trial:
    """A case, what it gave, and what did not hold."""

    case: Case
    outcome: Outcome
    faults: Sequence[str]

    def in_words(self) -> str:
        """Return all that somebody needs to see it again."""
        case, outcome = self.case, self.outcome
        lines = [f"{case.again}: {case.about}", f"    salx {' '.join(map(_short, case.words))}"]
        lines += [f"    {fault}" for fault in self.faults]
        lines.append(f"    exit code {outcome.code} after {outcome.seconds:.1f} s")
        for name in ("out", "err", "shown"):
            output = getattr(outcome, name).strip()
            if output:
                start = "" if len(output) <= SHOWN else "... "
                lines.append(f"    {name}: {start}{output[-SHOWN:]!r}")
        return "\n".join(lines)


def _short(word: str) -> str:
    return ascii(word) if len(word) < 200 else f"{word[:100]!a}... ({len(word)} characters)"


def run(grammar: str, seed: int, folder: Path, materials: Materials, process: bool) -> Trial:
    """Make a case in a folder of its own, run it, judge it, and remove the folder."""
    root = folder / f"{grammar}_{seed}"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    case = make(grammar, seed, root, materials)
    before = rules.snapshot(root)
    outcome = (whole_process if process or case.alone else in_process)(case, root)
    faults = rules.faults(case, outcome, before, rules.snapshot(root))
    shutil.rmtree(root, ignore_errors=True)
    return Trial(case, outcome, faults)


@functools.cache
def several(
    grammar: str, seeds: range, folder: Path, materials: Materials, process: bool = False
) -> tuple[Trial, ...]:
    """Run the cases of several seeds; run again, they are not."""
    return tuple(run(grammar, seed, folder, materials, process) for seed in seeds)


def complaint(trials: Iterable[Trial]) -> str:
    """Tell of all that failed; "" where nothing did."""
    failed = [trial for trial in trials if trial.faults]
    return "\n\n".join(["", *(trial.in_words() for trial in failed)]) if failed else ""


def shares(trials: Iterable[Trial]) -> dict[int, float]:
    """The share of each exit code among trials."""
    counts = Counter(trial.outcome.code for trial in trials)
    return {code: count / counts.total() for code, count in counts.items()}
