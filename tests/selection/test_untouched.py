"""Whatever a command line says, every file that was there is as it was, unless --overwrite names
it; and what is read is never written at all."""

import os
import random
import shutil

import pytest

from salx import commands
from tests.builders import without_warnings
from tests.data.files import picture, write

POOLS = ["pool", "pool/", "linked", "list/l.csv", "./pool/../list/l.csv"]
SOURCES = ["have.txt", "earlier.jsonl", "linked/../have.txt"]
NAMES = {
    "out": ["p.jsonl", "earlier.jsonl", "o/p.jsonl", "linked/../p.jsonl", "link.jsonl"],
    "csv": ["t.csv", "list/l.csv", "have.txt", "pool/t.csv", "link.csv", "hard.csv", "net.npz"],
    "label_studio": ["ls.json", "mine.json", "linked/ls.json", "pipe", "copy/a/1.png"],
    "fiftyone": ["fo", "pool", "elsewhere", "linkedfo", "earlier.jsonl", "."],
    "sheet": ["s.html", "pool/a0.png", "pool/a/1.png", "elsewhere/e.png", "alone/f.png", "s.png"],
    "copy": ["copy", "pool", "linked", "copies", ".", "list", "fo"],
}
ODD = ["", "x" * 300, "a\0b", "\udcff.csv", "..", "/dev/null/x", "~nobody/x", "gs://b/x", "."]


def planted(root):
    """Make a pool, lists, earlier outputs, and files and links that lie in the way."""
    for number, name in enumerate(("pool/a/1.png", "pool/b/1.png", "pool/c.png", "list/x.png")):
        write(root / name, picture(number))
    write(root / "elsewhere/e.png", picture(5))
    write(root / "alone/f.png", picture(6))
    for name, text in {
        "list/l.csv": "image\nx.png\n", "have.txt": "c.png\n", "net.npz": "net", "mine.json": "{}",
        "precious": "mine", ".p.jsonl.pass/mine": "mine", "copies/c.png": "mine",
        "fo/labels.json": "mine", "o/.p.jsonl.tmp": "mine", ".t.csv.tmp": "mine",
    }.items():  # fmt: skip
        write(root / name, text.encode())
    for link, target in {
        "linked": "pool", "pool/more": "../elsewhere", "pool/f.png": "../alone/f.png",
        "link.jsonl": "precious", "link.csv": "precious", "linkedfo": "fo", ".p.jsonl.tmp":
        "precious", ".s.html.tmp": "precious", "nowhere": "gone", "copy/a": "../elsewhere",
    }.items():  # fmt: skip
        (root / link).parent.mkdir(exist_ok=True)
        (root / link).symlink_to(target)
    os.link(root / "have.txt", root / "hard.csv")
    os.mkfifo(root / "pipe")
    flags = [f"--pool={root}/pool", "--policy=random", "--budget=1"]
    assert commands.main(["select", *flags, f"--out={root}/earlier.jsonl"]) == 0


def state(root):
    """What every path below a folder is."""
    kinds = {}
    for folder, folders, files in os.walk(root):
        for name in (*folders, *files):
            path = os.path.join(folder, name)
            if os.path.islink(path):
                kinds[path] = os.readlink(path)
            elif os.path.isfile(path):
                with open(path, "rb") as file:
                    kinds[path] = file.read()
            else:
                kinds[path] = "folder" if os.path.isdir(path) else "pipe"
    return kinds


def command_line(root, draw):
    """Draw flags; most name what is in the way, few what can never be."""
    flags = [f"--pool={root}/{draw.choice(POOLS)}", f"--seed={draw.randrange(3)}"]
    flags += [f"--policy={draw.choice(['random'] * 9 + ['entropy'])}"]
    flags += [f"--budget={draw.choice(['1', '100%', '50%'])}", f"--surrogate={root}/net.npz"]
    flags += [f"--labelled={root}/{draw.choice(SOURCES)}"] * (draw.random() < 0.3)
    for flag, names in NAMES.items():
        if flag == "out" or draw.random() < 0.3:
            odd = draw.random() < 0.05
            name = draw.choice(ODD) if odd else f"{root}/{draw.choice(names)}"
            flags.append(f"--{flag}={name}")
    return flags + ["--overwrite"] * (draw.random() < 0.4)


def replaceable(root, flags):
    """The paths that --overwrite names: the outputs, and what lies in the folders among them."""
    if "--overwrite" not in flags:
        return lambda path: False
    outputs = [flag.partition("=")[2] for flag in flags if flag[2:].partition("=")[0] in NAMES]
    real = [os.path.realpath(name) for name in outputs if "\0" not in name]
    listed = flags[0].endswith(".csv")
    read = ("list/l.csv", "list/x.png") if listed else ("pool", "elsewhere", "alone")
    spared = [os.path.join(root, name) for name in (*read, "net.npz")]
    read = [flag.partition("=")[2] for flag in flags if flag.startswith("--labelled")]
    spared += [os.path.realpath(name) for name in read]

    def below(path, folders):
        return any(path == each or path.startswith(f"{each}/") for each in folders)

    return lambda path: below(path, real) and not below(path, spared) and not os.path.islink(path)


@pytest.mark.parametrize(
    "seed", [0, 1, *(pytest.param(n, marks=pytest.mark.slow) for n in range(2, 30))]
)
def test_what_was_there_is_as_it_was(tmp_path, capsys, monkeypatch, seed):
    draw, codes = random.Random(seed), []
    monkeypatch.chdir(tmp_path)
    for number in range(25):
        root = tmp_path / "tree"
        if number % 8 == 0:
            shutil.rmtree(root, ignore_errors=True)
            root.mkdir()
            planted(root)
            capsys.readouterr()
        before, flags = state(root), command_line(root, draw)
        codes.append(commands.main(["select", *flags]))
        err = without_warnings(capsys.readouterr().err)
        assert codes[-1] in (0, 2), (flags, err)
        assert err.count("\n") == (codes[-1] == 2), (flags, err)
        may_change, after = replaceable(root, flags), state(root)
        for path, content in before.items():
            assert after.get(path) == content or may_change(path), (flags, path)
        if codes[-1]:
            assert after.keys() == before.keys(), flags
    assert {0, 2} <= set(codes)
