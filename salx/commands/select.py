"""Chooses from your own images with a model you already have.

    python -m salx select --surrogate=RUN_OR_WEIGHTS --pool=IMAGES --policy=entropy \\
        --budget=2% --out=picks.jsonl

--surrogate   a finished run's folder (W/deployments/...), or weights of a known network
              (.safetensors, .npz, .pth); again for a comparison of several
--pool        a folder of images (with those in the folders below it), a list of them (.csv or
              .jsonl with a column "image"), or a data set of SALX: NAME,option=value,...
--policy      random, entropy, learning_loss, core_set, true_loss; options: entropy,aggregation=mean
--budget      so many images, or a share of the pool: 500, 2%
--labelled    files of images that are labelled already: records of this command, or text with a
              key a line; they are never picked, and Core-Set keeps away from them
--out         the record: a line of JSON for each pick, with its key, score and rank

The same pool, surrogate and policy give the same picks. Interrupted, it goes on where it was.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from salx.infra.errors import InputError, RunError, verdict
from salx.selection import run


def local(text: str) -> Path:
    """A file or folder of this machine."""
    if "://" in text:
        raise argparse.ArgumentTypeError(f"{text}: must be of this machine")
    return Path(text)


def main(arguments: Sequence[str]) -> int:
    """Runs the command; exit codes as of salx.commands."""
    parser = argparse.ArgumentParser(
        prog="python -m salx select",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--surrogate", action="append", default=[], metavar="PLACE")
    add("--pool", required=True, metavar="PLACE")
    add("--policy", default="entropy", metavar="NAME[,OPTION=VALUE]")
    add("--budget", required=True, metavar="N|N%")
    add("--out", required=True, type=local, metavar="FILE.jsonl")
    add("--labelled", action="append", default=[], type=local, metavar="FILE")
    add("--seed", type=int, default=0, help="of policy random")
    add("--size", metavar="H,W", help="what a file of weights sees of an image")
    add("--batch", type=int, default=64)
    add("--threads", type=int, default=2, help="that read images")
    add("--on_error", choices=["raise", "skip"], default="raise", help="unreadable images")
    add("--csv", type=local, metavar="FILE", help="the picks as a table")
    add("--label_studio", type=local, metavar="FILE", help="tasks to import there")
    add("--url", default="/data/local-files/?d=", help="what stands before a key in these tasks")
    add("--fiftyone", type=local, metavar="FOLDER", help="labels.json and data.json for FiftyOne")
    add("--sheet", type=local, metavar="FILE.html|.png", help="the first picks as pictures")
    add("--copy", type=local, metavar="FOLDER", help="the picked images themselves")
    try:
        run.run(parser.parse_args(arguments))
    except (InputError, RunError, KeyboardInterrupt) as error:
        code, line = verdict(error)
        print(line, file=sys.stderr)
        return code
    except OSError as error:
        print(f"salx: {error.filename}: cannot be written: {error.strerror}", file=sys.stderr)
        return 2
    return 0
