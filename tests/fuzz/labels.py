"""What is labelled already: every form that people have it in, and what is none of them."""

import json
from collections.abc import Callable, Sequence

from tests.fuzz import odd
from tests.fuzz.case import ANY, GOOD, REFUSED, Case, Ground, select

Form = tuple[str, str]  # the name of a file, and its content


def _coco(keys: Sequence[str]) -> dict:
    images = [{"id": number, "file_name": key} for number, key in enumerate(keys)]
    marks = [
        {"id": n, "image_id": n, "category_id": 1, "bbox": [0, 0, 1, 1]} for n in range(len(keys))
    ]
    return {"images": images, "annotations": marks, "categories": [{"id": 1, "name": "cat"}]}


def _studio(keys: Sequence[str]) -> list:
    result = {
        "from_name": "label",
        "to_name": "image",
        "type": "choices",
        "value": {"choices": ["a"]},
    }
    return [
        {
            "id": number,
            "data": {"image": f"/data/local-files/?d=pool/{key}", "key": key},
            "annotations": [{"result": [result]}],
        }
        for number, key in enumerate(keys)
    ]


# Keys that are in the pool, as files that people have.
FORMS: dict[str, Callable[[Sequence[str], str], Form]] = {
    "text": lambda keys, _: ("l.txt", "\n".join(keys) + "\n"),
    "text behind a BOM": lambda keys, _: ("l.txt", "\ufeff" + "\n".join(keys)),
    "text of Windows": lambda keys, _: ("l.txt", "\r\n".join(keys) + "\r\n"),
    "text with dots": lambda keys, _: ("l.txt", "".join(f"./{key}\n" for key in keys)),
    "absolute paths": lambda keys, pool: ("l.txt", "".join(f"{pool}/{key}\n" for key in keys)),
    "a table": lambda keys, _: ("l.csv", "image,label\n" + "".join(f"{key},a\n" for key in keys)),
    "a table of keys": lambda keys, _: ("l.csv", "key\n" + "".join(f"{key}\n" for key in keys)),
    "our table": lambda keys, _: (
        "l.csv",
        "rank,id,key,score,predicted,confidence\n"
        + "".join(f"{number},{number},{key},0.5,,\n" for number, key in enumerate(keys)),
    ),
    "lines with keys": lambda keys, _: (
        "l.jsonl",
        "".join(json.dumps({"key": key}) + "\n" for key in keys),
    ),
    "lines with images": lambda keys, _: (
        "l.jsonl",
        "".join(json.dumps({"image": key, "label": "a"}) + "\n" for key in keys),
    ),
    "COCO": lambda keys, _: ("l.json", json.dumps(_coco(keys))),
    "Label Studio": lambda keys, _: ("l.json", json.dumps(_studio(keys))),
}
# Nothing of these is a key of the pool.
STRANGE = (
    *(
        '{"key": 3}',
        '{"key": null}',
        '{"key": []}',
        '{"key": {"a": 1}}',
        '{"key": NaN}',
        "3",
        "null",
    ),
    *('{"key": "a\\u0000"}', '{"key": "\\ud800"}', "[" * 100_000, '{"key": "x"', '{"format": "x"}'),
    *('{"images": 3}', '{"images": [3]}', '{"images": [{}]}', '{"images": [{"file_name": 3}]}'),
    *(
        '{"images": [], "annotations": 3}',
        '[{"data": 3}]',
        '[{"data": {}}]',
        '[{"data": {"image": 3}}]',
    ),
    *(
        '[{"data": {"image": null}, "annotations": 3}]',
        "[]",
        "{}",
        "[[]]",
        "[3]",
        '"0.png"',
        "9" * 5000,
    ),
    *("gone.png", "/etc/hostname", "../x", "a" * 100_000, "key\n", "image,label\n", "\ud800", "\0"),
    *(
        'a,b\n"open',
        "=cmd|' /C calc'!A0",
        "0.png.bak\n1.jpg\n",
        " ",
        "\n\n",
        "\ufeff",
        "💥",
        "\u2028",
    ),
)


def make(ground: Ground) -> Case:
    """A selection beside what is labelled."""
    keys = ground.pool(6)
    kinds = (_fine, _damaged, _damaged, _strange, _strange, _few, _no_file, _folder)
    return ground.rng.choice(kinds)(ground, keys)


def _form(ground: Ground, keys: Sequence[str]) -> tuple[str, str, str]:
    kind = ground.rng.choice([*FORMS])
    return (kind, *FORMS[kind](keys, str(ground.cwd / "pool")))


def _fine(ground: Ground, keys: list[str]) -> Case:
    kind, name, content = _form(ground, keys[:5])
    ground.write(name, content)
    if ground.rng.random() < 0.5:
        return Case(select(f"--labelled={name}", budget="1"), f"labelled: {kind}", GOOD)
    # One is left: two cannot be picked, whatever the five are written as.
    return Case(select(f"--labelled={name}"), f"labelled, none left: {kind}", REFUSED)


def _damaged(ground: Ground, keys: list[str]) -> Case:
    form, name, content = _form(ground, keys[:3])
    kind, spoiled = odd.spoiled(ground.rng, content.encode())
    ground.write(name, spoiled)
    return Case(select(f"--labelled={name}", budget="1"), f"labelled: {form} {kind}", ANY)


def _strange(ground: Ground, keys: list[str]) -> Case:
    content = ground.rng.choice(STRANGE)
    name = ground.rng.choice(("l.txt", "l.csv", "l.json", "l.jsonl", "l", "L.JSONL"))
    ground.write(name, content)
    # What names nothing may pass with a word about it; a name of no image of the pool may not.
    sure = content in ("gone.png", "/etc/hostname", "../x", "0.png.bak\n1.jpg\n", "\0")
    codes = REFUSED if sure and not name.lower().endswith("csv") else ANY
    return Case(select(f"--labelled={name}"), f"labelled: {content[:40]!a} as {name}", codes)


def _few(ground: Ground, keys: list[str]) -> Case:
    """Less than half of the keys are in the pool."""
    form, name, content = _form(ground, [keys[0], "x.png", "y.png", "z/w.png"])
    ground.write(name, content)
    return Case(select(f"--labelled={name}"), f"labelled, one of four: {form}", REFUSED)


def _no_file(ground: Ground, keys: list[str]) -> Case:
    name = ground.rng.choice(("l.txt", "l.csv", "l.json", "l.jsonl"))
    kind, may_block = odd.put(ground, name)
    return Case(select(f"--labelled={name}"), f"labelled: {kind}", REFUSED, alone=may_block)


def _folder(ground: Ground, keys: list[str]) -> Case:
    """A folder of labelled images, one by its name in the pool, or of anything else."""
    names = ground.rng.choice((keys[:2], ["x.png", "y.png"], ["notes.txt"], []))
    (ground.cwd / "done").mkdir()
    for name in names:
        ground.write(f"done/{name}", ground.materials.pictures[0])
    codes = GOOD if names == keys[:2] else REFUSED
    return Case(select("--labelled=done"), f"labelled: a folder of {names}", codes)
