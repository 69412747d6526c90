"""`python -m salx select` on finished runs, files of weights, folders and lists."""

import csv
import html
import json
import re
import shutil

import cv2
import numpy as np
import pytest
from scipy import stats

from salx import records
from salx.data import decoding
from salx.infra import sealed
from salx.models import model as networks
from salx.surrogates import kinds
from tests.oracles import entropy, log_softmax, nearest_squared
from tests.selection.pictures import ODD, SIDE


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def outputs(network, keys, root):
    """(logits, outputs) of a network for files of SIDE x SIDE."""
    past = kinds.load(str(network), size=(SIDE, SIDE))
    shown = np.stack([decoding.read_image(root / key) for key in keys])
    return networks.forward(past.model, past.variables, shown)[0]


def all_keys(root):
    return sorted(str(path.relative_to(root)) for path in root.rglob("*.png"))


def test_a_finished_run_picks_what_its_cycle_picked(finished, process, tmp_path):
    workdir, _ = finished
    chain = [workdir / f"selections/b.entropy.s1/cycle_{cycle:02d}.jsonl" for cycle in range(3)]
    flags = [
        f"--surrogate={workdir}/deployments/b.on.b.entropy.s1.c01", "--pool=digits",
        f"--labelled={chain[0]}", f"--labelled={chain[1]}", "--batch=256",
        f"--budget={len(records.read(chain[2]).ids)}",
    ]  # fmt: skip
    done = process(*flags, f"--out={tmp_path}/a.jsonl")
    assert done.returncode == 0, done.stderr
    again = process(*flags, f"--out={tmp_path}/b.jsonl")
    assert again.returncode == 0, again.stderr
    assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()
    ours, theirs = lines(tmp_path / "a.jsonl"), lines(chain[2])
    assert ours[0]["checkpoint"] == theirs[0]["checkpoint"]
    assert ours[0]["data"] == theirs[0]["data"]
    assert ours[0]["labelled"] == theirs[0]["labelled"]
    assert [pick["key"] for pick in ours[1:]] == [pick["key"] for pick in theirs[1:]]
    scores = ([pick["score"] for pick in record[1:]] for record in (ours, theirs))
    np.testing.assert_allclose(*scores, rtol=1e-5)


def all_outputs(small, folder):
    """The flags that choose half of the pictures and write everything that can be written."""
    names = {
        "out": "p.jsonl", "csv": "p.csv", "label_studio": "ls.json", "fiftyone": "fo",
        "sheet": "p.html", "copy": "copy",
    }  # fmt: skip
    return [*small, "--budget=50%", *(f"--{k}={folder / v}" for k, v in names.items())]


@pytest.fixture(scope="module")
def written(process, small, tmp_path_factory):
    """The folder of everything that the command wrote as a process of its own."""
    folder = tmp_path_factory.mktemp("written")
    done = process(*all_outputs(small, folder))
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def logits(networks, pictures):
    """Of the first network for all pictures, in the order of their keys."""
    return outputs(networks[0], all_keys(pictures), pictures)[0]


@pytest.fixture(scope="module")
def order(logits):
    """The ids of the 13 pictures of the highest entropy."""
    return np.lexsort((np.arange(len(logits)), -entropy(logits)))[:13]


@pytest.fixture(scope="module")
def chosen(written):
    """The picks of the record."""
    return lines(written / "p.jsonl")[1:]


@pytest.fixture(scope="module")
def table(written):
    """The rows of the CSV."""
    return list(csv.DictReader((written / "p.csv").open(encoding="utf-8", newline="")))


def test_the_command_writes_the_same_bytes_in_any_process(written, choose, small, tmp_path):
    assert choose(*all_outputs(small, tmp_path))[0] == 0
    names = [p.relative_to(written) for p in written.rglob("*") if p.is_file()]
    for name in names:
        assert (written / name).read_bytes() == (tmp_path / name).read_bytes()


def test_weights_choose_the_highest_entropies_of_a_folder(
    written, chosen, networks, pictures, logits, order
):
    header, keys = lines(written / "p.jsonl")[0], all_keys(pictures)
    assert [pick["id"] for pick in chosen] == order.tolist()
    assert [pick["key"] for pick in chosen] == [keys[index] for index in order]
    assert [pick["rank"] for pick in chosen] == list(range(13))
    expected = entropy(logits)[order]
    np.testing.assert_allclose([p["score"] for p in chosen], expected, rtol=1e-4, atol=1e-6)
    assert header["surrogate"] == "net0"
    assert header["checkpoint"]["digest"] == sealed.digest(networks[0].read_bytes())


def test_a_csv_has_the_predictions(chosen, table, logits, order):
    p = np.exp(log_softmax(logits))[order]
    assert [row["key"] for row in table] == [pick["key"] for pick in chosen]
    assert [row["predicted"] for row in table] == [str(row.argmax()) for row in p]
    np.testing.assert_allclose([float(r["confidence"]) for r in table], p.max(-1), atol=1e-4)


def test_label_studio_is_told(written, chosen, table):
    tasks = json.loads((written / "ls.json").read_text())
    assert [task["data"]["key"] for task in tasks] == [pick["key"] for pick in chosen]
    assert all(re.fullmatch(r"/data/local-files/\?d=[\w./%~-]+", t["data"]["image"]) for t in tasks)
    guess = tasks[0]["predictions"][0]
    assert guess["result"][0]["value"]["choices"] == [table[0]["predicted"]]


def test_fiftyone_is_told(written, chosen, table, pictures):
    labels = json.loads((written / "fo/labels.json").read_text())["labels"]
    files = json.loads((written / "fo/data.json").read_text())
    assert list(labels) == list(files)
    assert files["000000"] == str(pictures / chosen[0]["key"])
    assert labels["000000"]["label"] == table[0]["predicted"]
    assert labels["000000"]["attributes"]["key"] == chosen[0]["key"]


def test_copies_are_the_files_by_their_keys(written, chosen, pictures):
    copies = [path for path in (written / "copy").rglob("*") if path.is_file()]
    keys = {pick["key"] for pick in chosen}
    assert {str(path.relative_to(written / "copy")) for path in copies} == keys
    for key in keys:
        assert (written / "copy" / key).read_bytes() == (pictures / key).read_bytes()


def test_a_sheet_needs_no_other_file(written, chosen):
    page = (written / "p.html").read_text()
    assert page.count("<img") == 13
    for pick in chosen:
        assert html.escape(pick["key"]) in page
    assert not re.search(r"(src|href)=\"(?!data:)", page)


def test_names_are_escaped_and_drawn_as_they_are(choose, small, tmp_path):
    flags = [*small, "--budget=100%", f"--out={tmp_path}/p.jsonl"]
    assert choose(*flags, f"--sheet={tmp_path}/p.html")[0] == 0
    page = (tmp_path / "p.html").read_text()
    assert page.count("&lt;b&gt;&amp;.png") == 2  # the caption and what stands for the picture
    assert "<b>&" not in page
    assert choose(*flags, f"--sheet={tmp_path}/p.png", f"--copy={tmp_path}/copy")[0] == 0
    assert cv2.imread(str(tmp_path / "p.png")) is not None
    copies = (path for path in (tmp_path / "copy").rglob("*") if path.is_file())
    assert {str(path.relative_to(tmp_path / "copy")) for path in copies} >= set(ODD)


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_a_list_without_labels_is_a_pool(choose, small, networks, pictures, tmp_path, ending):
    root = tmp_path / "set"
    shutil.copytree(pictures, root)
    keys = ["05.png", ODD[0], "01.png", ODD[1]]
    rows = [{"image": key, "label": ""} if ending == "csv" else {"image": key} for key in keys]
    text = "image,label\n" + "".join(f'"{key}",\n' for key in keys)
    if ending == "jsonl":
        text = "\n".join(map(json.dumps, rows))
    (root / f"list.{ending}").write_text(text)
    code, _, err = choose(
        *small[:2], f"--pool={root}/list.{ending}", "--budget=4", f"--out={tmp_path}/p.jsonl"
    )
    assert code == 0, err
    header, *picks = lines(tmp_path / "p.jsonl")
    expected = entropy(outputs(networks[0], keys, root)[0])
    assert [pick["id"] for pick in picks] == np.argsort(-expected, kind="stable").tolist()
    assert [keys[pick["id"]] for pick in picks] == [pick["key"] for pick in picks]
    assert header["data"]["size"] == 4


def test_what_is_labelled_is_never_picked(choose, small, pictures, tmp_path):
    first, second, text = (tmp_path / name for name in ("1.jsonl", "2.jsonl", "more.txt"))
    assert choose(*small, "--budget=5", f"--out={first}")[0] == 0
    text.write_text(f"{ODD[0]}\n\n  {ODD[1]}\r\nnot-here.png\n", encoding="utf-8")
    more = [f"--labelled={first}", f"--labelled={text}", f"--out={second}"]
    code, out, _ = choose(*small, "--budget=100%", *more)
    assert code == 2  # five or more of them are labelled
    known = {pick["key"] for pick in lines(first)[1:]} | {ODD[0], ODD[1]}
    code, out, err = choose(*small, f"--budget={26 - len(known)}", *more)
    assert code == 0, err
    assert f"labelled: {len(known)}, 1 not in the pool" in out
    picked = [pick["key"] for pick in lines(second)[1:]]
    assert sorted([*picked, *known]) == all_keys(pictures)
    assert lines(second)[0]["labelled"] == len(known)


@pytest.mark.parametrize("labelled", [0, 6])
def test_core_set_is_greedy_k_center_over_the_networks_features(
    choose, small, networks, pictures, tmp_path, labelled
):
    keys = all_keys(pictures)
    (tmp_path / "have.txt").write_text("\n".join(keys[:labelled]), encoding="utf-8")
    code, _, err = choose(
        *small, "--policy=core_set", "--budget=8", f"--out={tmp_path}/p.jsonl",
        f"--labelled={tmp_path}/have.txt", f"--csv={tmp_path}/p.csv",
        f"--label_studio={tmp_path}/ls.json", f"--sheet={tmp_path}/p.html",
    )  # fmt: skip
    assert code == 0, err
    rows = np.asarray(outputs(networks[0], keys, pictures)[1]["features"], np.float64)
    distance = nearest_squared(rows, rows[:labelled])
    for pick in lines(tmp_path / "p.jsonl")[1:]:
        far = np.sqrt(distance.max())
        assert np.sqrt(distance[pick["id"]]) == pytest.approx(far, rel=1e-4)
        assert pick["score"] == (pytest.approx(far, rel=1e-4) if np.isfinite(far) else None)
        distance = np.minimum(distance, nearest_squared(rows, rows[[pick["id"]]]))


def test_surrogates_are_compared(choose, small, networks, pictures, tmp_path):
    places = [networks[0], networks[1], networks[0]]
    flags = [*small[1:], "--budget=40%", f"--out={tmp_path}/p.jsonl"]
    code, out, err = choose(*flags, *(f"--surrogate={place}" for place in places))
    assert code == 0, err
    told = sealed.read_json(tmp_path / "p.compare.json")
    keys, picked = all_keys(pictures), []
    logits = [np.asarray(outputs(place, keys, pictures)[0]) for place in networks]
    scores = [entropy(each) for each in logits]
    for number in range(3):
        picked.append({pick["key"] for pick in lines(tmp_path / f"p.{number + 1}.jsonl")[1:]})
        each, own = told["surrogates"][number], scores[number % 2]
        assert each["name"] == places[number].name
        low, median, high = np.quantile(own, (0, 0.5, 1))
        expected = {"mean": own.mean(), "std": own.std(), "min": low, "median": median, "max": high}
        for name, value in expected.items():
            assert each["scores"][name] == pytest.approx(value, rel=1e-3, abs=1e-6)
        shares = np.bincount(logits[number % 2].argmax(-1), minlength=10) / 26
        np.testing.assert_allclose(list(each["predictions"].values()), shares, atol=1e-9)
    pairs = {(0, 1): 0, (0, 2): 1, (1, 2): 2}
    for (a, b), place in pairs.items():
        both = told["pairs"][place]
        assert both["jaccard"] == len(picked[a] & picked[b]) / len(picked[a] | picked[b])
        spearman = stats.spearmanr(scores[a % 2], scores[b % 2]).statistic
        kendall = stats.kendalltau(scores[a % 2], scores[b % 2]).statistic
        assert both["spearman"] == pytest.approx(spearman, abs=1e-6)
        assert both["kendall"] == pytest.approx(kendall, abs=1e-6)
    assert told["pairs"][1]["jaccard"] == 1
    assert "overlap (Jaccard) 1.000, Spearman 1.000, Kendall 1.000" in out
    flags += ["--policy=core_set", "--overwrite"]
    assert choose(*flags, *(f"--surrogate={p}" for p in places))[0] == 0
    told = sealed.read_json(tmp_path / "p.compare.json")
    assert told["surrogates"][0]["scores"] is None
    assert told["pairs"][0]["spearman"] is None


def test_random_needs_nobody(choose, pictures, tmp_path):
    flags = [f"--pool={pictures}", "--policy=random", "--budget=2%", f"--csv={tmp_path}/p.csv"]
    flags += ["--overwrite"]
    more = [f"--label_studio={tmp_path}/ls.json", f"--fiftyone={tmp_path}/fo"]
    keys = []
    for seed in range(4):
        assert choose(*flags, *more, f"--seed={seed}", f"--out={tmp_path}/p.jsonl")[0] == 0
        keys.append(lines(tmp_path / "p.jsonl")[1]["key"])
        assert len(lines(tmp_path / "p.jsonl")) == 2
    assert len(set(keys)) > 1
    assert json.loads((tmp_path / "ls.json").read_text())[0]["predictions"] == []
    assert (tmp_path / "p.csv").read_text().splitlines()[1].endswith(",,")


def test_unreadable_images_are_left_out_and_listed(process, small, pictures, tmp_path):
    root = tmp_path / "set"
    shutil.copytree(pictures, root)
    (root / "03.png").write_bytes((root / "03.png").read_bytes()[:60])
    flags = [*small[:2], f"--pool={root}", "--budget=100%", f"--out={tmp_path}/p.jsonl"]
    done = process(*flags, "--on_error=skip")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("03.png' cannot be read") == 1
    assert len(lines(tmp_path / "p.jsonl")) == 1 + 25
    (tmp_path / "p.jsonl").unlink()
    done = process(*flags)
    assert done.returncode == 1
    assert re.fullmatch(r"salx: example '03.png' cannot be read: .*\n", done.stderr)
    assert not (tmp_path / "p.jsonl").exists()


def test_images_of_any_size_are_brought_to_the_networks(choose, networks, tmp_path):
    rng = np.random.default_rng(0)
    for number, size in enumerate([(20, 50), (64, 40), (33, 33)]):
        path = tmp_path / "set" / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        cv2.imwrite(str(path), rng.integers(0, 256, (*size, 3), np.uint8))
    flags = [f"--surrogate={networks[0]}", f"--pool={tmp_path}/set", "--budget=3"]
    code, _, err = choose(*flags, "--size=16,48", f"--out={tmp_path}/p.jsonl")
    assert code == 0, err
    assert len(lines(tmp_path / "p.jsonl")) == 4


def test_a_surrogate_and_a_policy_from_outside(choose, pictures, tmp_path):
    """Neither is a file of the package; the record tells whose code chose, and why so few."""
    flags = [
        "--surrogate=tests.outside.surrogates:Bright", "--policy=tests.outside.policies:Few",
        f"--pool={pictures}", "--budget=5", f"--out={tmp_path}/p.jsonl",
    ]  # fmt: skip
    code, _, err = choose(*flags)
    assert code == 2
    assert "sees 1 channels, the images of --pool have 3" in err
    assert not (tmp_path / "p.jsonl").exists()
    flags[0] = "--surrogate=tests.outside.surrogates:colourful"
    code, out, err = choose(*flags)
    assert code == 0, err
    assert "three are enough" in out
    header, *picks = lines(tmp_path / "p.jsonl")
    assert header["policy_origin"]["module"] == "tests.outside.policies"
    keys = all_keys(pictures)
    means = [decoding.read_image(pictures / key).mean() for key in keys]
    doubts = -np.abs(120 - np.array(means)) / 20
    best = np.lexsort((np.arange(len(keys)), -doubts))
    assert header["reason"] == "three are enough"
    assert [pick["key"] for pick in picks] == [keys[i] for i in best[:3]]
