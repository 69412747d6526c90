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
--pool        a folder of images (with those in the folders below it, but for masks and copies of
              earlier picks), a list of them (.csv or .jsonl with a column "image"), or a data set
              of SALX: NAME,option=value,... (folder,dir=FOLDER,labels=all takes every image)
--policy      a policy's name, or module:Class of your own; options: entropy,aggregation=mean
--budget      so many images, or a share of the pool: 500, 2%
--labelled    images that are labelled already: records and CSV files of this command, lists of
              names or paths (text, CSV, JSON lines), exports of Label Studio or COCO, folders of
              labelled images; they are never picked, and Core-Set keeps away from them. Where
              less than half of what a file names is in the pool, nothing is picked, unless
              --labelled_missing=ok
--out         the record: a line of JSON for each pick, with its key, score and rank, from 0

Of several surrogates each has files of its own, numbered in the order of the flags: picks.1.jsonl,
picks.2.jsonl, and so --csv, --label_studio, --fiftyone, --sheet and --copy (table.1.csv, ...);
picks.compare.json compares them.

Nothing is written over what is read, into the pool, through a link, or, without --overwrite, over
a file that is there. The same pool, surrogate and policy give the same picks: the same command
again leaves the files as they are. Interrupted, it goes on where it was.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from salx import policies
from salx.commands.parser import Parser, integer
from salx.data.options import LARGEST
from salx.infra import paths, sealed
from salx.infra.errors import ArgumentError, InputError, cut, renamed
from salx.infra.numbers import SHOWN, whole_of
from salx.infra.outputs import Guard, Input
from salx.infra.progress import Terminal
from salx.selection import compare, exports, fit, labelled, labelling, pool, sheet, targets
from salx.selection import select as selecting
from salx.selection.result import Selection
from salx.selection.select import Plan, Settings
from salx.selection.targets import Targets
from salx.surrogates import kinds
from salx.surrogates.surrogate import Surrogate

OUTPUTS = ("out", "csv", "label_studio", "fiftyone", "sheet", "copy")  # the record is first
OPTIONS = ("size", "classes", "origin", "weights")  # of a file of weights
NAMED = ("surrogate", "pool", "policy", "budget", "labelled", "batch", "threads", "seed", *OPTIONS)
FLAGS = {name: f"--{name}" for name in (*NAMED, *OUTPUTS, "overwrite", "labelled_missing")}


def main(arguments: Sequence[str]) -> None:
    """Run the command.

    Args:
      arguments: the words after its name.

    Raises:
      InputError: before any scoring, for what cannot be used.
      RunError: where it must stop, as for an image that cannot be read.
    """
    with renamed(FLAGS):
        _run(_parser().parse(arguments))


def _parser() -> Parser:
    parser = Parser("select", __doc__)
    add = parser.add_argument
    add("--surrogate", action="append", default=[], metavar="PLACE")
    add("--pool", required=True, metavar="PLACE")
    add("--policy", default="entropy", metavar="NAME[,OPTION=VALUE]")
    add("--budget", required=True, metavar="N|N%")
    add("--out", required=True, metavar="FILE.jsonl")
    add("--labelled", action="append", default=[], metavar="FILE|FOLDER")
    add("--labelled_missing", choices=labelled.MISSING, default=labelled.STOP, metavar="ok")
    add("--seed", type=integer, default=0, help="of policies that draw")
    add("--size", metavar="H,W")
    add("--classes", metavar="FILE|imagenet")
    add("--origin", metavar="NAME")
    add("--weights", metavar="ema|plain")
    add("--batch", type=integer, default=64)
    add("--threads", type=integer, default=2, help="that read images")
    add("--on_error", choices=["raise", "skip"], default="raise", help="unreadable images")
    add("--csv", metavar="FILE", help="the picks as a table")
    add("--label_studio", metavar="FILE", help="tasks, and FILE.labels.xml for them")
    add("--url", default=exports.LOCAL_FILES, help="what stands before a key in these tasks")
    add("--fiftyone", metavar="FOLDER", help="labels.json and data.json for FiftyOne")
    add("--sheet", metavar="FILE.html|.png", help="the first picks as pictures")
    add("--copy", metavar="FOLDER", help="the picked images themselves, by their keys")
    add("--overwrite", action="store_true", help="replace what is there of these files")
    return parser


class _Job(NamedTuple):
    """A selection that was checked, the files that it leaves, and its question's identity."""

    plan: Plan
    files: Targets
    identity: dict[str, Any]


def _run(flags: argparse.Namespace) -> None:
    """Do all that the flags say, and print what was done.

    Raises InputError before any scoring for what cannot be used.
    """
    settings = Settings(flags.seed, flags.batch, flags.threads, observer=Terminal())
    guard = Guard(_inputs(flags), flags.overwrite)
    every = _check_outputs(flags, guard)
    plans = [replace(plan, guard=plan.guard.joined(guard)) for plan in _prepare(flags)]
    jobs = [
        _Job(plan, files, selecting.identity(plan, flags.seed))
        for plan, files in zip(plans, every, strict=True)
    ]
    targets.check(every, jobs[0].plan.guard)  # also for folders that links in the pool lead to
    answered = [targets.check_free(job.files, guard, job.identity) for job in jobs]
    if len(jobs) > 1:
        _compared(flags, jobs, settings)
    elif answered[0] and len(every[0].paths) == 1:
        print(f"{flags.out}: this is answered already; nothing to do")
    else:
        _answer(flags, jobs[0], settings)


def _compared(flags: argparse.Namespace, jobs: Sequence[_Job], settings: Settings) -> None:
    """Let several surrogates choose, and compare them."""
    path, guard = targets.comparison(flags.out), jobs[0].plan.guard
    mark = sealed.digest(sealed.canonical([job.identity for job in jobs]))
    if targets.mark(path) != mark:  # an equal one is of this command, and stays
        guard.free("out", path)
    made = [_answer(flags, job, settings) for job in jobs]
    facts = compare.compare([compare.opinion(each) for each in made])
    guard.write("out", path, sealed.encode_json({**facts, "question": mark}))
    print(compare.in_words(facts))
    print(f"comparison: {path}")


def _sources(flags: argparse.Namespace) -> list[Any]:
    """The surrogates that are asked; None alone where the policy asks nobody."""
    wanted = policies.build(*pool.named(flags.policy, "policy"))
    if not wanted.asks:
        return [None]
    if not flags.surrogate:
        raise ArgumentError("surrogate", f"{{name}} is required by policy {wanted.name!r}")
    return flags.surrogate


def _inputs(flags: argparse.Namespace) -> tuple[Input, ...]:
    """All files and folders that the flags name to be read."""
    named = [("pool", path) for path in pool.sources_of(flags.pool)]
    named += [("surrogate", path) for each in flags.surrogate for path in kinds.files(each)]
    named += [("labelled", paths.local(each, "labelled")) for each in flags.labelled]
    if flags.classes and (file := paths.local(flags.classes, "classes")).is_file():
        named.append(("classes", file))
    for flag, texts in (("policy", [flags.policy]), ("surrogate", flags.surrogate)):
        modules = [text.partition(":")[0].replace(".", "/") for text in texts if ":" in text]
        named += [(flag, Path(f"{module}.py")) for module in modules if not paths.fault(module)]
    return tuple(Input(path, flag) for flag, path in named)


def _prepare(flags: argparse.Namespace) -> list[Plan]:
    """The selection by each surrogate, which is checked."""
    options = _options_of(flags)
    surrogates = [each if each is None else kinds.load(each, **options) for each in _sources(flags)]
    _check_used(options, [each for each in surrogates if each])
    made = [fit.policy_of(flags.policy, surrogate) for surrogate in surrogates]
    images = pool.images(flags.pool, flags.on_error)
    done = labelled.find(flags.labelled, images, flags.labelled_missing)
    if flags.fiftyone and not images.root:
        why = f"{{name}} needs files of images, which --pool={flags.pool} has not"
        raise ArgumentError("fiftyone", why)
    plans = [
        selecting.plan(images, surrogate, policy, flags.budget, done.ids)
        for surrogate, policy in zip(surrogates, made, strict=True)
    ]
    for surrogate in surrogates:
        for line in surrogate.about() if surrogate else []:
            print(line)
    if flags.labelled:
        print(done.in_words())
    return plans


def _options_of(flags: argparse.Namespace) -> dict[str, Any]:
    """What the flags say of files of weights."""
    options = {name: getattr(flags, name) for name in OPTIONS}
    options["size"] = _pair(flags.size) if flags.size else None
    return {name: value for name, value in options.items() if value is not None}


def _check_used(options: Mapping[str, Any], surrogates: Sequence[Surrogate]) -> None:
    """Raise ArgumentError for options of files of weights where every surrogate is a run."""
    origins = [each.origin for each in surrogates]
    members = [member for origin in origins for member in origin.get("members", [origin])]
    if options and members and all("run" in member for member in members):
        why = "is for a file of weights, and {.surrogate} is none: a run knows what it sees"
        raise ArgumentError(next(iter(options)), f"{{name}} {why}")


def _pair(text: str) -> tuple[int, int]:
    """The (height, width) that "H,W" says."""
    try:
        height, width = (whole_of("size", side, 1, LARGEST) for side in text.split(","))
    except (ValueError, ArgumentError) as error:
        rule = f"must be H,W in pixels, at least 1,1 and at most {LARGEST},{LARGEST}"
        raise ArgumentError("size", f"{{name}}={cut(text, SHOWN)}: {rule}") from error
    return height, width


def _check_outputs(flags: argparse.Namespace, guard: Guard) -> list[Targets]:
    """What each surrogate's selection will leave.

    Raises InputError for an output that cannot be written, is read, or is there and answers no
    question.
    """
    for flag in OUTPUTS:
        if (text := getattr(flags, flag)) is not None:
            setattr(flags, flag, paths.local(text, flag))
    for flag, kinds_of_file in (("out", (".jsonl",)), ("sheet", sheet.KINDS)):
        path = getattr(flags, flag)
        if path and path.suffix not in kinds_of_file:
            raise InputError(f"--{flag}={path}: must be named {' or '.join(kinds_of_file)}")
    named = {flag: path for flag in OUTPUTS if (path := getattr(flags, flag))}
    every = targets.numbered(named, len(_sources(flags)))
    targets.check(every, guard)
    for files in every:
        targets.check_free(files, guard, None)
    return every


def _answer(flags: argparse.Namespace, job: _Job, settings: Settings) -> Selection:
    """Let one surrogate choose; write the record and what else the flags name."""
    plan, out = job.plan, job.files.out
    with settings.observer:
        selection = selecting.make(plan, replace(settings, resume=job.files.resume))
    _export(flags, selection, job)
    job.files.end()
    by = plan.policy.name
    if plan.surrogate:
        by += f" of {plan.surrogate.label}"
    print(
        f"{out}: {len(selection)} of {selection.candidates} images by {by}; "
        f"{selection.seconds:.1f} s"
    )
    if selection.reason:
        print(f"{out}: fewer than asked for: {selection.reason}")
    if line := selection.duplicates.in_words():
        print(f"{out}: {line}")
    return selection


def _export(flags: argparse.Namespace, selection: Selection, job: _Job) -> None:
    """Write all that the flags name, the record last: with it the question is answered.

    Nothing is written where one of the files cannot be.
    """
    named, guard = job.files.paths, job.plan.guard
    contents = {
        "csv": selection.table,
        "label_studio": lambda: selection.tasks(flags.url),
        "sheet": lambda: selection.drawn(named["sheet"].suffix),
        "out": selection.record,
    }
    files = [(flag, named[flag], make()) for flag, make in contents.items() if flag in named]
    if "label_studio" in named and (configuration := selection.labelling()):
        files.insert(0, ("label_studio", labelling.path_of(named["label_studio"]), configuration))
    if folder := named.get("fiftyone"):
        made = exports.fiftyone(selection.picks()).items()
        files = [*(("fiftyone", folder / name, content) for name, content in made), *files]
    for each in files:
        guard.fits(*each)
    with renamed({**FLAGS, "folder": "--copy"}):
        if "copy" in named:
            selection.copies(named["copy"], flags.overwrite)
        if len(named) > 1:
            job.files.begin(job.identity)
        if "copy" in named:
            selection.copy(named["copy"], flags.overwrite)
    for each in files:
        guard.write(*each)
