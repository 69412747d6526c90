"""Run one case again, or a range of seeds: python -m tests.fuzz GRAMMAR SEED[:STOP] [--process]."""

import argparse
import shlex
import sys
import tempfile
from pathlib import Path

from absl import flags

from tests import compilation_cache
from tests.builders import ROOT
from tests.fuzz import trials
from tests.fuzz.case import GRAMMARS
from tests.fuzz.materials import Materials


def main() -> int:
    """Run the cases; return 1 if something does not hold."""
    parser = argparse.ArgumentParser("python -m tests.fuzz", description=__doc__)
    parser.add_argument("grammar", choices=GRAMMARS)
    parser.add_argument("seed", help="a number, or FIRST:STOP")
    parser.add_argument("--process", action="store_true", help="as a process of its own")
    parser.add_argument("--keep", type=Path, help="where good files stay for the next call")
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    flags.FLAGS.mark_as_parsed()
    first, _, stop = options.seed.partition(":")
    seeds = range(int(first), int(stop or int(first) + 1))
    with tempfile.TemporaryDirectory() as folder:
        materials = Materials(options.keep or Path(folder) / "good")
        for seed in seeds:
            trial = trials.run(options.grammar, seed, Path(folder), materials, options.process)
            if stop and not trial.faults:
                print(f"{seed}: {trial.outcome.code} {trial.case.about}")
            else:
                print(trial.in_words(), f"    words: {shlex.join(trial.case.words)}", sep="\n")
    return int(bool(trial.faults))


if __name__ == "__main__":
    compilation_cache.share()
    sys.exit(main())
