"""Choose from your own images with a model that you already have.

    python -m salx select --surrogate=RUN_OR_WEIGHTS --pool=IMAGES --policy=entropy \\
        --budget=2% --out=picks.jsonl

--surrogate   a finished run's folder (W/deployments/...), weights of a known network
              (.safetensors, .npz, .pth, .ckpt), A+B for an ensemble of such, or module:Name of
              your own; again for a comparison of several
--size        H,W, what a file of weights sees of an image; else 32x32 of the CIFAR networks, and
              of others 224x224, cut from a shorter side of 256
--classes     names of a file's classes: a text file with a name a line, or imagenet
--origin      whose definition a MobileNetV3's file is for, where its names leave that open:
              torchvision, timm, or tf (timm's tf_mobilenetv3)
--weights     ema or plain, where a file has both: the average of the weights, or the weights
--pool        a folder of images (with those in the folders below it), a list of them (.csv or
              .jsonl with a column "image"), or a data set of SALX: NAME,option=value,...
--policy      a policy's name, or module:Class of your own; options: entropy,aggregation=mean
--budget      so many images, or a share of the pool: 500, 2%
--labelled    files of images that are labelled already: records of this command, or text with a
              key a line; they are never picked, and Core-Set keeps away from them
--out         the record: a line of JSON for each pick, with its key, score and rank

The same pool, surrogate and policy give the same picks. Interrupted, it goes on where it was.
"""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from salx import policies
from salx.infra import sealed, storage
from salx.infra.errors import ArgumentError, InputError, RunError, renamed, verdict
from salx.infra.progress import Terminal
from salx.selection import compare, labelled, labelling, pool, sheet
from salx.selection import select as selecting
from salx.selection.exports import LOCAL_FILES
from salx.selection.result import Selection
from salx.selection.select import Plan, Settings
from salx.surrogates import kinds
from salx.surrogates.surrogate import Surrogate

FILES = ("csv", "label_studio", "fiftyone", "sheet", "copy")  # outputs beside the record
FOLDERS = ("fiftyone", "copy")
OPTIONS = ("size", "classes", "origin", "weights")  # of a file of weights
FLAGS = {
    name: f"--{name}"
    for name in ("surrogate", "pool", "policy", "budget", "labelled", "size", "batch", "threads")
} | {name: f"--{name}" for name in ("fiftyone", *OPTIONS)}


def local(text: str) -> Path:
    """Return a file or folder of this machine."""
    if "://" in text:
        raise argparse.ArgumentTypeError(f"{text}: must be of this machine")
    return Path(text)


def main(arguments: Sequence[str]) -> int:
    """Run the command; exit codes as of salx.commands."""
    try:
        with renamed(FLAGS):
            run(_parser().parse_args(arguments))
    except (InputError, RunError, KeyboardInterrupt) as error:
        code, line = verdict(error)
        print(line, file=sys.stderr)
        return code
    except OSError as error:
        print(f"salx: {error.filename}: cannot be written: {error.strerror}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m salx select",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--surrogate", action="append", default=[], metavar="PLACE")
    add("--pool", required=True, metavar="PLACE")
    add("--policy", default="entropy", metavar="NAME[,OPTION=VALUE]")
    add("--budget", required=True, metavar="N|N%%")
    add("--out", required=True, type=local, metavar="FILE.jsonl")
    add("--labelled", action="append", default=[], type=local, metavar="FILE")
    add("--seed", type=int, default=0, help="of policies that draw")
    add("--size", metavar="H,W")
    add("--classes", metavar="FILE|imagenet")
    add("--origin", metavar="NAME")
    add("--weights", metavar="ema|plain")
    add("--batch", type=int, default=64)
    add("--threads", type=int, default=2, help="that read images")
    add("--on_error", choices=["raise", "skip"], default="raise", help="unreadable images")
    add("--csv", type=local, metavar="FILE", help="the picks as a table")
    add("--label_studio", type=local, metavar="FILE", help="tasks, and FILE.labels.xml for them")
    add("--url", default=LOCAL_FILES, help="what stands before a key in these tasks")
    add("--fiftyone", type=local, metavar="FOLDER", help="labels.json and data.json for FiftyOne")
    add("--sheet", type=local, metavar="FILE.html|.png", help="the first picks as pictures")
    add("--copy", type=local, metavar="FOLDER", help="the picked images themselves")
    return parser


def run(flags: argparse.Namespace) -> None:
    """Do all that the flags ask for, and print what was done.

    Raises InputError before any scoring for what cannot be used.
    """
    settings = Settings(flags.seed, flags.batch, flags.threads, observer=Terminal())
    check_outputs(flags)
    plans = prepare(flags)
    outs = [flags.out]
    if len(plans) > 1:
        outs = [numbered(flags.out, number + 1) for number in range(len(plans))]
    made = [answer(flags, *pair, settings) for pair in zip(plans, outs, strict=True)]
    if len(made) > 1:
        facts = compare.compare([compare.opinion(each) for each in made])
        path = flags.out.with_suffix(".compare.json")
        sealed.write_json(path, facts)
        print(compare.in_words(facts))
        print(f"comparison: {path}")


def numbered(path: Path, number: int) -> Path:
    """Return `picks.2.jsonl` of `picks.jsonl`."""
    return path.with_name(f"{path.stem}.{number}{path.suffix}")


def prepare(flags: argparse.Namespace) -> list[Plan]:
    """Check the selection by each surrogate."""
    wanted = policies.build(*pool.named(flags.policy, "policy"))
    options = options_of(flags)
    sources: list[Any] = flags.surrogate or [None]
    if not wanted.asks:
        sources = [None]
    elif not flags.surrogate:
        raise ArgumentError("surrogate", f"{{name}} is required by policy {wanted.name!r}")
    surrogates = [None if source is None else kinds.load(source, **options) for source in sources]
    check_used(options, [each for each in surrogates if each])
    made = [selecting.policy_of(flags.policy, surrogate) for surrogate in surrogates]
    images = pool.images(flags.pool, flags.on_error)
    ids, foreign = labelled.ids_of(flags.labelled, images.dataset)
    if flags.fiftyone and not images.root:
        why = f"{{name}} needs files of images, which --pool={flags.pool} has not"
        raise ArgumentError("fiftyone", why)
    plans = [
        selecting.plan(images, surrogate, policy, flags.budget, ids)
        for surrogate, policy in zip(surrogates, made, strict=True)
    ]
    for surrogate in surrogates:
        for line in surrogate.about() if surrogate else []:
            print(line)
    if flags.labelled:
        print(f"labelled: {len(ids)}" + (f", {foreign} not in the pool" if foreign else ""))
    return plans


def options_of(flags: argparse.Namespace) -> dict[str, Any]:
    """Return what the flags say of files of weights."""
    options = {name: getattr(flags, name) for name in OPTIONS}
    options["size"] = pair(flags.size) if flags.size else None
    return {name: value for name, value in options.items() if value is not None}


def check_used(options: Mapping[str, Any], surrogates: Sequence[Surrogate]) -> None:
    """Raise ArgumentError for options of files of weights where every surrogate is a run."""
    origins = [each.origin for each in surrogates]
    members = [member for origin in origins for member in origin.get("members", [origin])]
    if options and members and all("run" in member for member in members):
        why = "is for a file of weights, and {.surrogate} is none: a run knows what it sees"
        raise ArgumentError(next(iter(options)), f"{{name}} {why}")


def pair(text: str) -> tuple[int, int]:
    """Read (h, w) of "h,w"."""
    try:
        height, width = (int(side) for side in text.split(","))
    except ValueError as error:
        raise ArgumentError("size", f"{{name}}={text}: must be H,W in pixels") from error
    if min(height, width) < 1:
        raise ArgumentError("size", f"{{name}}={text}: must be at least 1,1")
    return height, width


def check_outputs(flags: argparse.Namespace) -> None:
    """Refuse an output that cannot be written, or would replace another file."""
    if flags.out.suffix != ".jsonl":
        raise InputError(f"--out={flags.out}: must be named .jsonl")
    if flags.sheet and flags.sheet.suffix not in sheet.KINDS:
        raise InputError(f"--sheet={flags.sheet}: must be named {' or '.join(sheet.KINDS)}")
    taken = {file.absolute(): "labelled" for file in flags.labelled}
    for flag in ("out", *FILES):
        path = getattr(flags, flag)
        if not path:
            continue
        if flag != "out" and len(flags.surrogate) > 1:
            raise InputError(f"--{flag} needs a single --surrogate")
        above = next(folder for folder in path.absolute().parents if folder.exists())
        if not above.is_dir() or not os.access(above, os.W_OK):
            raise InputError(f"--{flag}={path}: {above} is not a folder that can be written")
        if path.exists() and path.is_dir() != (flag in FOLDERS):
            raise InputError(f"--{flag}={path}: is {'a' if path.is_dir() else 'no'} folder")
        if path.absolute() in taken:
            raise InputError(f"--{flag}={path}: is --{taken[path.absolute()]} already")
        taken[path.absolute()] = flag
        if flag == "label_studio":
            check_labelling(labelling.path_of(path), taken)


def check_labelling(path: Path, taken: Mapping[Path, str]) -> None:
    """Refuse Label Studio's configuration where its file is a folder, or another file's."""
    if path.is_dir():
        raise InputError(f"--label_studio: {path} is a folder")
    if path.absolute() in taken:
        raise InputError(f"--label_studio: {path} is --{taken[path.absolute()]} already")


def answer(flags: argparse.Namespace, plan: Plan, out: Path, settings: Settings) -> Selection:
    """Let one surrogate choose; write the record and what else is asked for."""
    passed = out.with_name(f".{out.name}.pass")
    with settings.observer:
        selection = selecting.make(plan, replace(settings, resume=passed))
    export(flags, selection)
    selection.save(out)
    storage.remove(passed)
    by = plan.policy.name
    if plan.surrogate:
        by += f" of {plan.surrogate.label}"
    print(
        f"{out}: {len(selection)} of {selection.candidates} images by {by}; "
        f"{selection.seconds:.1f} s"
    )
    if selection.reason:
        print(f"{out}: fewer than asked for: {selection.reason}")
    return selection


def export(flags: argparse.Namespace, selection: Selection) -> None:
    """Write everything that was asked for beside the record."""
    if flags.csv:
        selection.to_csv(flags.csv)
    if flags.label_studio:
        selection.to_label_studio(flags.label_studio, flags.url)
    if flags.fiftyone:
        selection.to_fiftyone(flags.fiftyone)
    if flags.copy:
        selection.copy(flags.copy)
    if flags.sheet:
        selection.sheet(flags.sheet)
