"""Pools that are lists, CSV or JSON lines, and folders of classes and masks for a study."""

from collections.abc import Callable

from tests.fuzz import odd
from tests.fuzz.case import ANY, FAILED, GOOD, REFUSED, Case, Ground, select

JSON_VALUES = (
    *("null", "3", "true", "[]", "{}", "NaN", "1e999", '""', '"a\\u0000b"', '"\\ud800"', "-0"),
    *('"../x.png"', '"/etc/hostname"', '"gone.png"', '"."', '""', '"a/b/../0.png"', "9" * 5000),
)
BROKEN_LINES = (
    *('{"image": "0.png"', "{", "[", "null", "3", '"0.png"', "[]", "{}", '{"image"}', "\0", "}{"),
    *("[" * 100_000, '{"image": "0.png"} {"image": "1.png"}', "NaN", '{"a":' * 5000, "\ufeff"),
    *('{"image": ' + value + "}" for value in JSON_VALUES),
    *('{"image": "0.png", "label": ' + value + "}" for value in ("[]", "{}", "NaN", "true")),
    *('{"image": "0.png", "split": ' + value + "}" for value in ("3", '"test"', "[]", '"Train"')),
)
TABLES = {
    "no header": "0.png\n1.png\n",
    "another header": "file,label\n0.png,a\n1.png,b\n",
    "no rows": "image,label\n",
    "a header twice": "image,image\n0.png,gone.png\n",
    "an empty cell": "image,label\n,a\n1.png,b\n",
    "some labels": "image,label\n0.png,a\n1.png,\n",
    "a file that is not there": "image\ngone.png\n",
    "a file above": "image\n../../home/mine.txt\n",
    "a file elsewhere": "image\n/etc/hostname\n",
    "a file twice": "image\n0.png\n0.png\n",
    "a file twice, by two names": "image\n0.png\n./0.png\n",
    "a split of another name": "image,split\n0.png,training\n1.png,val\n",
    "a NUL": "image\n0.png\0\n",
    "an open quote": 'image\n"0.png\n1.png\n',
    "a field without end": 'image\n"' + "a" * 200_000 + '"\n',
    "a name that is too long": "image\n" + "a" * 300 + ".png\n",
    "a path that is too long": "image\n" + "a/" * 3000 + "b.png\n",
    "only blanks": "image\n   \n \n",
    "a folder": "image\n.\n",
    "half a pair": "image\n\ud800.png\n",
    "a line break in a name": 'image\n"0\n.png"\n',
    "old line ends": "image\r0.png\r1.png\r",
    "a separator of lines": "image\n0.png\u2028\n",
    "empty": "",
}
FINE = {
    "a table": ("list.csv", "image,label\n0.png,a\n1.png,b\n2.png,a\n"),
    "a table without labels": ("list.csv", "image\n0.png\n1.png\n2.png\n"),
    "lines": ("list.jsonl", '{"image": "0.png"}\n{"image": "1.png"}\n\n{"image": "2.png"}\n'),
    "a table behind a BOM": ("list.csv", "\ufeffimage\n0.png\n1.png\n2.png\n"),
    "lines behind a BOM": ("list.jsonl", '\ufeff{"image": "0.png"}\n{"image": "1.png"}\n'),
    "a table with semicolons": ("list.csv", "image;label\n0.png;a\n1.png;b\n"),
    "a table with blanks": ("list.csv", "image, label\n0.png, a\n1.png, b\n"),
    "a table in capitals": ("LIST.CSV", "image\n0.png\n1.png\n2.png\n"),
    "a table of the web": ("list.csv", "image,label\r\n0.png,a\r\n1.png,b\r\n"),
    "lines with odd letters": (
        "list.jsonl",
        '{"image": "0.png", "note": "a\u2028b"}\n{"image": "1.png"}\n',
    ),
}
STUDY = """\
from salx.study.config import base


def get_config():
    config = base()
    config.models.a = {{"name": "cifar_resnet8", "width": 4}}
    config.surrogates = config.deployments = ("a",)
    config.cycles = 2
    config.seeds = 1
    config.budget = 0.9
    config.train.batch = 2
    config.train.steps = 4
    config.dataset = {dataset}
    config.transform.train = "pad_crop"
    config.transform.size = (8, 8)
    config.transform.evaluate = "fit"
    config.transform.evaluate_size = (8, 8)
    return config
"""
PLAN = ("study", "--config=c.py", "--workdir=w", "--plan")
TRAINING = ("train", "Train", "training")
MEASURING = ("val", "valid", "validation", "Val", "test", "testing", "dev", "eval")
NO_SPLITS = ("images", "masks", "labels")


def make(ground: Ground) -> Case:
    """A selection from a list, or a study of a folder."""
    kinds: tuple[Callable[[Ground], Case], ...] = (_table, _table, _lines, _lines, _damaged)
    return ground.rng.choice((*kinds, _no_list, _fine, _classes, _classes, _masks))(ground)


def _of(name: str, about: str, codes: frozenset[int] = ANY, alone: bool = False) -> Case:
    return Case(select(f"--pool=pool/{name}", budget="1"), about, codes, alone)


def _fine(ground: Ground) -> Case:
    ground.pool()
    kind = ground.rng.choice([*FINE])
    name, content = FINE[kind]
    ground.write(f"pool/{name}", content)
    return _of(name, f"a list: {kind}", GOOD)


def _table(ground: Ground) -> Case:
    ground.pool()
    kind = ground.rng.choice([*TABLES])
    ground.write("pool/list.csv", TABLES[kind])
    # The first of two quoted lines is a name with a line break: whether it is there, files say.
    sure = kind not in ("old line ends", "a separator of lines", "a file twice, by two names")
    return _of("list.csv", f"a table: {kind}", REFUSED if sure else ANY)


def _lines(ground: Ground) -> Case:
    ground.pool()
    line = ground.rng.choice(BROKEN_LINES)
    before = '{"image": "2.png"}\n' * ground.rng.randrange(2)
    ground.write("pool/list.jsonl", f"{before}{line}\n")
    return _of("list.jsonl", f"a line: {line[:40]}", ANY)


def _damaged(ground: Ground) -> Case:
    ground.pool()
    name, content = ground.rng.choice([*FINE.values()])
    kind, spoiled = odd.spoiled(ground.rng, content.encode())
    ground.write(f"pool/{name}", spoiled)
    return _of(name, f"a list: {kind}")


def _no_list(ground: Ground) -> Case:
    ground.pool()
    kind, may_block = odd.put(ground, "pool/list.csv")
    return _of("list.csv", f"a list: {kind}", FAILED if kind != "a folder" else ANY, may_block)


def _classes(ground: Ground) -> Case:
    """A study of class folders, with its splits under odd names or oddly filled."""
    rng, pictures = ground.rng, ground.materials.pictures
    kind = "good" if ground.is_good else rng.choice(("spoiled", "names", "names"))
    names = ("train", "val")
    if kind == "names":
        names = tuple(rng.sample((*TRAINING, *MEASURING, *NO_SPLITS), 2))
    for split in names:
        for number in range(4):
            ground.write(f"set/{split}/{'ab'[number % 2]}/{number}.png", pictures[number])
    ground.write("c.py", STUDY.format(dataset='{"name": "folder", "dir": "set"}'))
    if kind == "good":
        return Case(PLAN, "class folders: good", GOOD)
    if kind == "spoiled":
        what, alone = _spoil(ground)
        return Case(PLAN, f"class folders: {what}", ANY, alone)
    # A training split and one to measure on, whatever they are called, may be understood.
    pair = len({name in TRAINING for name in names}) == 2 and not {*names} & {*NO_SPLITS}
    return Case(PLAN, f"class folders in {', '.join(names)}", ANY if pair else REFUSED)


def _spoil(ground: Ground) -> tuple[str, bool]:
    """Damage a set of class folders."""
    rng = ground.rng
    name = f"set/{rng.choice(('train', 'val'))}/a"
    kind = rng.choice(("a stray image", "no images", "damage", "no file", "a class too many"))
    if kind == "a stray image":
        ground.write("set/train/0.png", ground.materials.pictures[0])
    elif kind == "no images":
        odd.put(ground, name, ("a folder",))
    elif kind == "damage":
        for path in (ground.cwd / name).iterdir():
            path.write_bytes(odd.spoiled(rng, path.read_bytes())[1])
    elif kind == "no file":
        return odd.put(ground, f"{name}/{'0' if name[4] == 't' else '2'}.png")
    else:
        ground.write("set/val/c/0.png", ground.materials.pictures[0])
    return f"{kind} in {name}", False


def _masks(ground: Ground) -> Case:
    """A study of images and masks in a folder or a list."""
    good, listed = ground.is_good, ground.rng.random() < 0.5
    rows = ["image,mask,split"]
    for split in ("train", "val"):
        for number in range(4):
            image, mask = (f"{split}/{kind}/{number}.png" for kind in ("images", "masks"))
            ground.write(f"set/{image}", ground.materials.pictures[number])
            ground.write(f"set/{mask}", ground.materials.mask)
            rows.append(f"{image},{mask},{split}")
    ground.write("set/list.csv", "\n".join(rows) + "\n")
    options = {"name": "folder", "dir": "set", "task": "segmentation", "classes": ["x", "y", "z"]}
    if listed:
        options["labels"] = "list.csv"
    what, alone = "good", False
    if not good:
        what, alone = _spoil_masks(ground, options)
    text = STUDY.format(dataset=repr(options)).replace("cifar_resnet8", "deeplab_resnet20")
    ground.write("c.py", text.replace(', "width": 4', ""))
    return Case(PLAN, f"masks: {what}", GOOD if good else ANY, alone)


def _spoil_masks(ground: Ground, options: dict) -> tuple[str, bool]:
    """Damage a set of images and masks, or its options."""
    rng = ground.rng
    mask = f"set/{rng.choice(('train', 'val'))}/masks/{rng.randrange(4)}.png"
    kind = rng.choice(("damage", "no file", "classes", "void", "task", "a picture"))
    if kind == "damage":
        ground.write(mask, odd.spoiled(rng, ground.materials.mask)[1])
    elif kind == "no file":
        return odd.put(ground, mask)
    elif kind == "classes":
        options["classes"] = rng.choice(([], ["x"], ["x", "x"], 3, None, [3, 4, 5], [""], "xyz"))
        return f"classes {options['classes']}", False
    elif kind == "task":
        options["task"] = rng.choice(("classification", "", "nope", 3, None, "nowhere:x"))
        return f"task {options['task']}", False
    else:
        for path in (ground.cwd / mask).parent.iterdir():
            path.write_bytes(_void() if kind == "void" else ground.materials.pictures[0])
    return f"{kind} in {mask}", False


def _void() -> bytes:
    import numpy as np

    from tests.data.files import encoded

    return encoded(np.full((8, 8), 255, np.uint8))
