"""Outputs that would replace, or be written through or into, what is the user's."""

import os
from collections.abc import Callable

from tests.fuzz import odd
from tests.fuzz.case import ANY, FAILED, GOOD, REFUSED, Case, Ground, select
from tests.fuzz.materials import BRIGHT

ENDINGS = {"out": ".jsonl", "csv": ".csv", "label_studio": ".json", "sheet": ".html"}
FOLDERS = ("copy", "fiftyone")
CWD = "work/run"
# What a command that was killed leaves, or somebody who guesses names puts there.
GUESSED = (".{0}.tmp", ".{0}.pass", "{0}.tmp", ".{0}.lock", ".lock", "{0}.part", ".tmp")


def make(ground: Ground) -> Case:
    """A selection, a conversion or a study with an output in a wrong place, or a right one."""
    rng = ground.rng
    ground.pool()
    ground.write("mine.txt", "mine\n")
    ground.write("pool/list.csv", "image\n0.png\n1.png\n2.png\n")
    ground.write("labelled.txt", "0.png\n")
    kinds: tuple[Callable[[Ground], Case], ...] = (_existing, _existing, _in_the_pool, _linked)
    return rng.choice((*kinds, _guessed, _twice, _full, _full, _no_place, _fine, _others))(ground)


def _words(ground: Ground, *more: str) -> tuple[str, ...]:
    """A selection by nobody, or by a surrogate."""
    by = [f"--surrogate={BRIGHT}", "--policy=entropy"] if ground.rng.random() < 0.3 else []
    return select(*by, *more)


def _flag(ground: Ground) -> tuple[str, str]:
    flag = ground.rng.choice([*ENDINGS])
    ending = ".png" if flag == "sheet" and ground.rng.random() < 0.3 else ENDINGS[flag]
    return flag, ending


def _fine(ground: Ground) -> Case:
    words = [f"--{flag}=deep/er/x{ending}" for flag, ending in ENDINGS.items()]
    words = [*ground.rng.sample(words, ground.rng.randrange(5)), "--copy=c", "--fiftyone=f"]
    home = ground.rng.choice(("--csv=~/picks.csv", "--labelled=labelled.txt", "--seed=1"))
    return Case(_words(ground, *words, home), "outputs: good", GOOD)


def _existing(ground: Ground) -> Case:
    """A file of the user's own, by one of the names that it has."""
    flag, ending = _flag(ground)
    ground.write(f"mine{ending}", "mine\n")
    ground.write("deep/other.txt", "")
    (ground.cwd / "linked").symlink_to(".")
    ways = ("mine{0}", "./mine{0}", "deep/../mine{0}", "linked/mine{0}", "../run/mine{0}")
    name = ground.rng.choice((*ways, str(ground.cwd / "mine{0}"))).format(ending)
    words = [f"--{flag}={name}"]
    if ground.rng.random() < 0.15:
        case = Case(_words(ground, *words, "--overwrite"), f"--{flag}, to be overwritten")
        return Case(case.words, case.about, ANY, changes=(f"{CWD}/mine{ending}",))
    return Case(_words(ground, *words), f"--{flag} is a file of the user's", REFUSED)


def _in_the_pool(ground: Ground) -> Case:
    """What is an input, or would lie among the images."""
    rng = ground.rng
    flag, ending = _flag(ground)
    (ground.cwd / "linked").symlink_to("pool")
    ground.write(f"labelled{ending}", "0.png\n")
    folder = rng.choice(("pool", "linked", "pool/../pool", "./pool", str(ground.cwd / "pool")))
    kind = rng.choice(("new", "image", "list", "labelled", "folder", "below"))
    if kind == "new":
        words = [f"--{flag}={folder}/new{ending}"]
    elif kind == "image":
        words = [rng.choice((f"--csv={folder}/0.png", f"--sheet={folder}/0.png"))]
    elif kind == "list":
        words = [f"--pool={folder}/list.csv", f"--csv={folder}/list.csv"]
    elif kind == "labelled":
        words = [f"--labelled=labelled{ending}", f"--{flag}=labelled{ending}"]
    elif kind == "below":
        words = [f"--{flag}={folder}/deep/er/new{ending}"]
    else:
        words = [f"--{rng.choice(FOLDERS)}={folder}"]
    return Case(_words(ground, *words), f"{kind}: an output in the pool", REFUSED)


def _linked(ground: Ground) -> Case:
    """An output that is a link, to a file, to nothing, or to a device of its own."""
    rng = ground.rng
    flag, ending = _flag(ground)
    name = f"x{ending}"
    kind = rng.choice(
        ("a file", "nothing", "a hard link", "a place of no user", "a folder", "itself")
    )
    path = ground.cwd / name
    if kind == "a hard link":
        os.link(ground.cwd / "mine.txt", path)
    elif kind == "a folder":
        path.symlink_to("pool")
    elif kind == "itself":
        path.symlink_to(name)
    else:
        targets = {"a file": "mine.txt", "nothing": "gone", "a place of no user": "/proc/nowhere"}
        path.symlink_to(targets[kind])
    return Case(_words(ground, f"--{flag}={name}"), f"--{flag} is a link: {kind}", REFUSED)


def _guessed(ground: Ground) -> Case:
    """Links to the user's file under names that a command may use while it writes."""
    rng = ground.rng
    flag, ending = _flag(ground)
    name = f"x{ending}" if flag != "out" else "p.jsonl"
    for guess in rng.sample(GUESSED, 3):
        (ground.cwd / guess.format(name)).symlink_to("mine.txt")
    words = [f"--{flag}={name}"]
    if rng.random() < 0.4:
        (ground.cwd / "c").mkdir()
        for number in range(4):
            (ground.cwd / f"c/000000_{number}.png").symlink_to("../mine.txt")
            (ground.cwd / f"c/00000{number}_{number}.png").unlink(missing_ok=True)
            (ground.cwd / f"c/00000{number}_{number}.png").symlink_to("../mine.txt")
        words.append("--copy=c")
    return Case(_words(ground, *words), "links under names that are guessed", ANY, leaves=True)


def _twice(ground: Ground) -> Case:
    """Two outputs in one place, or one within another."""
    rng = ground.rng
    words = rng.choice(
        (
            ["--csv=x", "--label_studio=x"],
            ["--csv=x", "--label_studio=./x"],
            ["--csv=x", "--label_studio=deep/../x"],
            ["--out=p.jsonl", "--csv=p.jsonl"],
            ["--copy=x", "--fiftyone=x"],
            ["--copy=x", "--csv=x"],
            ["--csv=x", "--label_studio=x/y.json"],
            ["--fiftyone=x", "--csv=x/labels.json"],
            ["--csv=.p.jsonl.tmp", "--out=p.jsonl"],
        )
    )
    ground.write("deep/mine.txt", "mine\n")
    sure = len({word.split("=")[1] for word in words}) == 1
    return Case(_words(ground, *words), f"two outputs: {words}", REFUSED if sure else ANY)


def _full(ground: Ground) -> Case:
    """A disk that is full after some bytes."""
    rng = ground.rng
    limit = rng.choice((400, 600))  # what is said has to fit
    more = rng.choice(([], ["--csv=x.csv"], ["--copy=c"], ["--sheet=s.html"], ["--fiftyone=f"]))
    words = select("--budget=4", *more)
    return Case(words, "a full disk", ANY, alone=True, leaves=True, file_limit=limit)


def _no_place(ground: Ground) -> Case:
    """Places where nothing can be written."""
    rng = ground.rng
    flag, ending = _flag(ground)
    kind, may_block = odd.put(
        ground, f"x{ending}", ("a folder", "a socket", "a pipe", "two links in a loop")
    )
    names = {
        f"x{ending}": kind,
        f"mine.txt/x{ending}": "below a file",
        f"/proc/nowhere/x{ending}": "below /proc",
        f"/sys/x{ending}": "below /sys",
        "a" * 250 + ending: "a name that is too long with what is put before it",
        "a" * 300 + ending: "a name that is too long",
        "a/" * 2100 + f"x{ending}": "a path that is too long",
        f"a\0b{ending}": "a name with a NUL",
        f"~nobody-at-all/x{ending}": "the home of nobody",
        f"\udcff{ending}": "a name that is not UTF-8",
        f"s3://b/x{ending}": "in a bucket",
    }
    name = rng.choice([*names])
    codes = ANY if name.startswith("a" * 250) and len(name) < 260 else FAILED
    alone = may_block and name == f"x{ending}"
    about = f"--{flag}: {names[name]}"
    return Case(_words(ground, f"--{flag}={name}"), about, codes, alone, leaves=True)


def _others(ground: Ground) -> Case:
    """The outputs of other commands."""
    rng = ground.rng
    ground.write("net.safetensors", ground.materials.network.read_bytes())
    ground.write("mine.npz", "mine\n")
    (ground.cwd / "linked.npz").symlink_to("mine.npz")
    targets = ("mine.npz", "linked.npz", "./net.safetensors", "pool/../mine.npz", "net.safetensors")
    if rng.random() < 0.7:
        words: tuple[str, ...] = ("convert", "net.safetensors", rng.choice(targets))
        return Case(words, f"convert replaces {words[2]}", REFUSED)
    two = (f"--surrogate={BRIGHT}", f"--surrogate={BRIGHT}", "--policy=entropy")
    name = rng.choice(("p.1.jsonl", "p.2.jsonl", "p.compare.json", "x.1.csv", "x.2.csv"))
    ground.write(name, "mine\n")
    more = ["--csv=x.csv"] if name.startswith("x") else []
    return Case(select(*two, *more), f"a numbered output replaces {name}", REFUSED)
