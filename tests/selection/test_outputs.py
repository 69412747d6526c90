"""What the command writes, what it refuses to write, and what it says of both."""

import json
import shutil

import pytest

import salx
from salx import records
from salx.selection import exports
from salx.selection.exports import Pick
from tests.data.files import picture, write
from tests.limits import full_disk


@pytest.fixture
def tree(tmp_path):
    """A pool with two images of one name, a linked folder and a linked image; lists and links."""
    for number, name in enumerate(["a/1.png", "b/1.png", "c.png", "d.png"]):
        write(tmp_path / "pool" / name, picture(number))
    write(tmp_path / "elsewhere/e.png", picture(7))
    write(tmp_path / "alone/f.png", picture(8))
    (tmp_path / "pool/more").symlink_to("../elsewhere")
    (tmp_path / "pool/g.png").symlink_to("../alone/f.png")
    (tmp_path / "linked").symlink_to("pool")
    (tmp_path / "have.txt").write_text("a/1.png\n")
    (tmp_path / "pool/list.csv").write_text("image\nc.png\nd.png\n")
    (tmp_path / "mine.csv").write_text("mine")
    (tmp_path / "link.csv").symlink_to("mine.csv")
    return tmp_path


@pytest.fixture
def random(choose, tree):
    """Chooses two at random, and returns the exit code, stdout and stderr; `{}` is the tree."""

    def run(*flags, pool="pool"):
        base = [f"--pool={tree}/{pool}", "--policy=random", "--budget=2", f"--out={tree}/p.jsonl"]
        return choose(*base, *(str(flag).replace("{}", str(tree)) for flag in flags))

    return run


def content(root):
    """Every file below a folder: its bytes, or where a link leads."""
    return {
        path: path.readlink() if path.is_symlink() else path.read_bytes()
        for path in root.rglob("*")
        if path.is_symlink() or path.is_file()
    }


REFUSED = {
    "--sheet={}/pool/a0.png": "lies in --pool, where nothing is written",
    "--csv={}/pool/list.csv": "lies in --pool",
    "--csv={}/elsewhere/new.csv": "lies in --pool",
    "--csv={}/linked/../pool/x.csv": "lies in --pool",
    "--out={}/linked/x.jsonl": "lies in --pool",
    "--copy={}/pool": "is --pool already",
    "--copy={}/linked": "is a link, and nothing is written through a link",
    "--fiftyone={}/pool/new": "lies in --pool",
    "--csv={}/have.txt": "is --labelled already",
    "--csv={}/linked/../have.txt": "is --labelled already",
    "--csv={}/link.csv": "is a link",
    "--csv={}/mine.csv": "mine.csv: is there already; --overwrite replaces it",
    "--csv={}/tests/../p.jsonl": "is --out already",
    "--csv={}/x\0y.csv": "holds a NUL byte",
    "--csv={}/x\udcff.csv": "is not UTF-8",
    "--url=\udcff": "is not UTF-8",
    "--csv={}/" + "x" * 256: "is too long",
    "--out={}/" + "x" * 246 + ".jsonl": "is too long",
    "--csv=": "--csv=: is empty",
    "--csv=gs://bucket/x": "must be of this machine",
    "--csv=~nobody-here/x": "has the home folder of nobody here",
    "--nonsense": "unrecognized arguments: --nonsense",
}


@pytest.mark.parametrize("flag", REFUSED, ids=lambda flag: repr(flag)[:40])
def test_refused_outputs_are_one_line_and_nothing_changes(random, tree, flag):
    before = content(tree)
    code, out, err = random("--labelled={}/have.txt", flag)
    assert (code, err.count("\n")) == (2, 1), err
    assert out in ("", "labelled: 1\n")
    assert REFUSED[flag] in err
    assert content(tree) == before


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--csv={}/alone/f.png"], "f.png: is a file of --pool"),
        (["--csv={}/have.txt"], "have.txt: is --labelled already"),
        (["--csv={}/link.csv"], "link.csv: is a link"),
        (["--csv={}/pool/c.png"], "lies in --pool"),
    ],
)
def test_some_are_refused_even_to_overwrite(random, tree, flags, message):
    before = content(tree)
    code, _, err = random("--labelled={}/have.txt", "--overwrite", *flags)
    assert code == 2
    assert message in err
    assert content(tree) == before


@pytest.mark.parametrize(
    ("name", "message"), [("c.png", "is a file of --pool"), ("list.csv", "is --pool already")]
)
def test_a_lists_images_are_spared_and_what_is_new_is_not_in_it(random, tree, name, message):
    before = content(tree)
    code, _, err = random(f"--csv={{}}/pool/{name}", "--overwrite", pool="pool/list.csv")
    assert code == 2
    assert message in err
    assert content(tree) == before
    assert random("--csv={}/pool/new.csv", pool="pool/list.csv")[0] == 0


def test_what_may_be_replaced_is_replaced(random, tree):
    code, _, err = random("--csv={}/mine.csv", "--overwrite")
    assert code == 0, err
    assert (tree / "mine.csv").read_text().startswith("rank,id,key")


def test_the_same_question_again_leaves_all_as_it_is(random, tree):
    flags = ["--csv={}/p.csv", "--copy={}/copy", "--fiftyone={}/fo", "--sheet={}/p.html"]
    assert random()[0] == 0
    before = content(tree)
    assert random() == (0, f"{tree}/p.jsonl: this is answered already; nothing to do\n", "")
    assert random("--overwrite")[0] == 0
    assert content(tree) == before
    assert random(*flags)[0] == 0  # beside the record, which stays
    more = content(tree)
    assert more | before == more
    assert random(*flags)[0] == 0
    assert content(tree) == more


@pytest.mark.parametrize(
    ("flag", "field"),
    [
        ("--seed=1", "seed"),
        ("--budget=3", "question.count"),
        ("--labelled={}/have.txt", "question.labelled"),
        ("--pool={}/alone", "data.fingerprint, data.size"),
    ],
)
def test_another_question_does_not_replace_the_first(random, tree, flag, field):
    assert random("--csv={}/p.csv")[0] == 0
    before = content(tree)
    more = ["--budget=1"] if "pool" in flag else []
    code, _, err = random(flag, *more)
    assert (code, err.count("\n")) == (2, 1)
    assert f"p.jsonl: answers another question (other: {field}" in err
    assert "--overwrite replaces it" in err
    assert content(tree) == before
    assert random(flag, *more, "--overwrite")[0] == 0
    assert content(tree) != before


def test_an_interrupted_command_goes_on_beside_what_it_wrote(random, tree, monkeypatch):
    flags = ["--csv={}/p.csv", "--copy={}/copy"]
    assert random(*flags)[0] == 0
    csv = (tree / "p.csv").read_bytes()
    for name in ("p.csv", "p.jsonl"):
        (tree / name).unlink()
    with monkeypatch.context() as patched:
        patched.setattr("salx.infra.outputs.Guard.write", interrupted)
        assert random(*flags)[0] == 130
    assert not (tree / "p.jsonl").exists()
    (tree / "p.csv").write_bytes(csv)
    before = content(tree)
    code, _, err = random(*flags, "--seed=1")
    assert code == 2
    assert "p.csv: is there already" in err
    assert content(tree) == before
    assert random(*flags)[0] == 0
    assert not (tree / ".p.jsonl.pass").exists()
    after = content(tree)
    assert after[tree / "p.csv"] == before[tree / "p.csv"]


def interrupted(*_, **__):
    raise KeyboardInterrupt


def test_what_lies_in_the_folder_of_a_pass_stays(random, tree):
    mine = tree / ".p.jsonl.pass/mine"
    write(mine, b"mine")
    assert random("--csv={}/p.csv")[0] == 0
    assert [path.name for path in mine.parent.iterdir()] == ["mine"]


def test_copies_have_the_folders_of_their_keys(random, tree):
    code, _, err = random("--copy={}/copy", "--budget=6")
    assert code == 0, err
    copies = {
        path.relative_to(tree / "copy"): data for path, data in content(tree / "copy").items()
    }
    assert sorted(map(str, copies)) == [
        "a/1.png", "b/1.png", "c.png", "d.png", "g.png", "more/e.png",
    ]  # fmt: skip
    for name, data in copies.items():
        assert (tree / "pool" / name).read_bytes() == data


@pytest.mark.parametrize("inside", ["a", "a/1.png", "c.png"])
def test_no_copy_follows_a_link_or_replaces_a_file(random, tree, inside):
    link = tree / "copy" / inside
    link.parent.mkdir(parents=True)
    link.symlink_to(tree / ("alone" if inside == "a" else "mine.csv"))
    before = content(tree)
    code, _, err = random("--copy={}/copy", "--budget=6", "--overwrite")
    assert (code, err.count("\n")) == (2, 1)
    assert f"--copy={link}: is a link" in err
    assert {path: data for path, data in content(tree).items() if path in before} == before
    link.unlink()
    if inside != "a":
        link.write_text("mine")
        code, _, err = random("--copy={}/copy", "--budget=6")
        assert code == 2
        assert f"--copy={link}: is there already; --overwrite replaces it" in err
        assert link.read_text() == "mine"


def test_no_key_leaves_the_folder_of_copies():
    def names(*keys):
        picks = [Pick(0, key, 1.0, rank, None, None, None) for rank, key in enumerate(keys)]
        return exports.copy_names(picks)

    assert names("../../x", "/etc/x", "a//b", "a/./b", "x\0y", ".") == [
        "_/_/x.png", "_/etc/x.png", "a/_/b.png", "a/_/000003_b.png", "x_y.png", "_.png",
    ]  # fmt: skip
    (long,) = names("ä" * 300)
    assert len(long.encode()) <= 255


def test_several_surrogates_have_files_of_their_own(choose, small, networks, tmp_path):
    flags = [*small[1:], *(f"--surrogate={file}" for file in networks), "--budget=3"]
    names = {
        "out": "p.jsonl", "csv": "t.csv", "label_studio": "ls.json", "fiftyone": "fo",
        "sheet": "s.html", "copy": "v1.2",
    }  # fmt: skip
    flags += [f"--{flag}={tmp_path / name}" for flag, name in names.items()]
    mine = tmp_path / "p.compare.json"
    mine.write_text("{}")
    code, _, err = choose(*flags)
    assert (code, err.count("\n")) == (2, 1)
    assert "p.compare.json: is there already; --overwrite replaces it" in err
    mine.unlink()
    assert choose(*flags)[0] == 0
    before = content(tmp_path)
    tops = {path.relative_to(tmp_path).parts[0] for path in before}
    numbered = {"p.{}.jsonl", "t.{}.csv", "ls.{}.json", "fo.{}", "s.{}.html", "v1.2.{}"}
    numbered.add("ls.{}.labels.xml")
    assert tops == {name.format(n) for name in numbered for n in (1, 2)} | {"p.compare.json"}
    for number in (1, 2):
        picked = [json.loads(line) for line in (tmp_path / f"p.{number}.jsonl").open()][1:]
        table = (tmp_path / f"t.{number}.csv").read_text().splitlines()[1:]
        assert [row.split(",")[1] for row in table] == [str(pick["id"]) for pick in picked]
    assert choose(*flags)[0] == 0  # the same again
    assert content(tmp_path) == before
    (tmp_path / "p.1.jsonl").write_text("mine")
    code, _, err = choose(*flags)
    assert code == 2
    assert "is there already" in err
    assert (tmp_path / "p.1.jsonl").read_text() == "mine"


def test_ranks_are_the_same_everywhere(random, tree):
    flags = ["--csv={}/t.csv", "--sheet={}/s.html", "--label_studio={}/l.json", "--fiftyone={}/fo"]
    assert random(*flags)[0] == 0
    keys = [json.loads(line)["key"] for line in (tree / "p.jsonl").open() if '"key"' in line]
    page = (tree / "s.html").read_text()
    rows = (tree / "t.csv").read_text().splitlines()[1:]
    tasks = json.loads((tree / "l.json").read_text())
    labels = json.loads((tree / "fo/labels.json").read_text())["labels"]
    for rank, key in enumerate(keys):
        caption = page.split("<figcaption>")[1 + rank].split("</figcaption>")[0]
        assert f"rank {rank}<" in caption
        assert key in caption
        assert rows[rank].startswith(f"{rank},")
        assert tasks[rank]["data"]["rank"] == labels[f"{rank:06d}"]["attributes"]["rank"] == rank
    assert Pick(0, "k", 0.5, 3, None, "cat", 0.9).caption() == "rank 3: 0.5 cat"
    assert Pick(0, "k", None, 0, None, None, None).caption() == "rank 0"


def test_what_was_skipped_is_in_the_record(random, tree):
    shutil.rmtree(tree / "pool")
    for number in range(130):
        write(tree / "pool" / f"{number:03d}.png", b"broken" if number else picture())
    write(tree / "pool" / "x.png", picture(1))
    assert random("--on_error=skip")[0] == 0
    skipped = records.read(tree / "p.jsonl").header["skipped"]
    assert skipped == {"count": 129, "keys": [f"{number:03d}.png" for number in range(1, 101)]}


def test_a_home_folder_is_expanded_in_every_flag(choose, networks, pictures, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "net.safetensors").symlink_to(networks[0])
    (tmp_path / "pool").symlink_to(pictures)
    (tmp_path / "have.txt").write_text("00.png\n")
    names = {
        "surrogate": "net.safetensors", "pool": "pool", "labelled": "have.txt",
        "out": "o/p.jsonl", "csv": "o/t.csv", "label_studio": "o/ls.json", "fiftyone": "o/fo",
        "sheet": "o/s.html", "copy": "o/copy",
    }  # fmt: skip
    flags = [f"--{flag}=~/{name}" for flag, name in names.items()]
    code, _, err = choose(*flags, "--size=32,32", "--budget=2")
    assert code == 0, err
    assert all((tmp_path / name).exists() for name in names.values())


@pytest.mark.parametrize(
    ("size", "flag", "name"),
    [
        (60, "", "p.jsonl"),
        (60, "--csv={}/t.csv", ".p.jsonl.pass/question.json"),
        (3000, "--copy={}/copy", "copy/1.png"),
        (3000, "--sheet={}/s.html", "s.html"),
        (3000, "--sheet={}/s.png", "s.png"),
    ],
)
def test_a_full_disk_names_the_file_that_cannot_be_written(random, tree, size, flag, name):
    write(tree / "big/1.png", picture(0, (64, 64)))
    flags, before = [flag, "--budget=1"] if flag else ["--budget=1"], content(tree)
    with full_disk(size):
        code, out, err = random(*flags, pool="big")
    assert (code, out) == (1, "")
    assert err == f"salx: {tree}/{name}: cannot be written: File too large\n"
    assert {path: data for path, data in content(tree).items() if path in before} == before
    assert random(*flags, pool="big")[0] == 0
    assert not list(tree.rglob(".*"))


def test_the_library_replaces_nothing_unless_it_is_told(pictures, tmp_path):
    first, other = (salx.select(pictures, None, "random", budget=3, seed=seed) for seed in (0, 1))
    path = first.save(tmp_path / "p.jsonl")
    assert first.save(path).read_bytes() == first.record()
    with pytest.raises(salx.InputError, match=r"^path=.*p\.jsonl: is there already; overwrite"):
        other.save(path)
    assert path.read_bytes() == first.record()
    assert other.save(path, overwrite=True).read_bytes() == other.record()
    with pytest.raises(salx.InputError, match=r"^path=.*lies in pool, where nothing is written"):
        first.to_csv(pictures / "t.csv", overwrite=True)
    (tmp_path / "link.csv").symlink_to("mine")
    for write_it in (first.to_csv, first.save, first.to_label_studio):
        with pytest.raises(salx.InputError, match="is a link"):
            write_it(tmp_path / "link.csv", overwrite=True)
    with pytest.raises(salx.InputError, match=r"must be named \.html or \.png"):
        first.sheet(tmp_path / "s.pdf")
    for name in ("x\0", "\udcff", "x" * 256):
        with pytest.raises(salx.InputError, match=r"^path=|^folder="):
            first.copy(tmp_path / name)


def test_the_library_spares_what_it_reads(networks, pictures, tmp_path):
    shutil.copy(networks[0], tmp_path / "net.safetensors")
    (tmp_path / "have.txt").write_text("00.png\n")
    files = {name: tmp_path / name for name in ("net.safetensors", "have.txt")}
    net, have = files.values()
    selection = salx.select(pictures, net, "random", budget=2, labelled=[have])
    for path, argument in ((net, "surrogate"), (have, "labelled")):
        with pytest.raises(salx.InputError, match=f"is {argument} already"):
            selection.to_csv(path, overwrite=True)
