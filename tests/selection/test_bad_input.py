"""What cannot be used is one line that names it, and leaves nothing."""

import numpy as np
import pytest

from salx.infra.errors import InputError
from salx.models import weight_files
from salx.selection import fit
from tests.data.files import picture, write
from tests.selection.pictures import SIDE

BAD = [
    (["--policy=entrpy"], 2, "did you mean 'entropy'"),
    (["--policy=entropy,agregation=sum"], 2, "did you mean 'aggregation'"),
    (["--policy=entropy,sum"], 2, "'sum' is not option=value"),
    (["--policy=learning_loss"], 2, "trained with its module"),
    (["--policy=true_loss"], 2, "needs labels, and the pool has none"),
    (["--policy=core_set,feature=stage9"], 2, "unknown feature of policy core_set 'stage9'"),
    (["--budget=0"], 2, "--budget=0: 0 of the 26 images"),
    (["--budget=27"], 2, "--budget=27: 27 of the 26 images"),
    (["--budget=x%"], 2, "--budget=x%: neither a number nor a share"),
    (["--budget=inf%"], 2, "neither a number"),
    (["--budget=2.5"], 2, "neither a number"),
    (["--size=0,9"], 2, "--size=0,9"),
    (["--size=9,1000000000"], 2, "--size=9,1000000000: must be H,W in pixels"),
    (["--budget=1e99999999%"], 2, "--budget=1e99999999%: neither a number nor a share"),
    ([f"--seed={10**30}"], 2, "--seed=1000000000000000000000000000000 must be a whole number"),
    (["--batch=1000000000"], 2, "--batch=1000000000 must be a whole number from 1 to"),
    (["--threads=100000"], 2, "--threads=100000 must be a whole number from 0 to"),
    (["--size=9"], 2, "--size=9: must be H,W"),
    (["--batch=0"], 2, "--batch=0 must be a whole number from 1 to"),
    (["--threads=-1"], 2, "--threads=-1 must be a whole number from 0 to"),
    (["--out={0}/p.json"], 2, "must be named .jsonl"),
    (["--out={0}/file/deep/p.jsonl"], 2, "file is not a folder"),
    (["--csv={0}/file/p.csv"], 2, "file is not a folder"),
    (["--csv={0}"], 2, "is a folder"),
    (["--copy={0}/file"], 2, "is no folder"),
    (["--csv={0}/x", "--label_studio={0}/x"], 2, "x: is --csv already"),
    (["--labelled={0}/p.jsonl"], 2, "is --labelled already"),
    (["--sheet={0}/p.pdf"], 2, "must be named .html or .png"),
    (["--labelled={0}/gone.txt"], 2, "gone.txt: cannot be read"),
    (["--labelled={0}/broken.jsonl"], 2, "broken.jsonl: cannot be read: line 2 is no JSON"),
    (["--labelled={0}/other.jsonl"], 2, "other.jsonl: holds no names of images"),
    (["--pool={0}/empty"], 2, "the pool is empty"),
    (["--pool={0}/nowhere"], 2, "no such folder, list or data set"),
    (["--pool={0}/file"], 2, "is a file, but no list: these are named .csv"),
    (["--pool="], 2, "--pool=: is empty"),
    (["--labelled="], 2, "--labelled=: is empty"),
    (["--labelled={0}/other.txt"], 2, "other.txt: none of the names in it is in the pool"),
    (["--labelled={0}/empty"], 2, "empty: holds no images"),
    (["--pool=digits,nope=3"], 2, "'nope'"),
    (["--pool=digits"], 2, "sees 3 channels, the images of --pool have 1"),
    (["--pool={0}/two/list.csv"], 2, "--surrogate knows 10 classes, --pool has 2"),
    (["--pool={0}/two/half.csv"], 2, "half.csv:3: has no 'label'"),
    (["--pool=digits", "--fiftyone={0}/fo"], 2, "--fiftyone needs files of images"),
    (["--pool={0}/broken"], 1, "example '1.png' cannot be read"),
    (["--surrogate={0}/gone.npz", "--size="], 2, "gone.npz: there is no such file"),
    (["--surrogate={0}/two"], 2, "config.json: cannot be read"),
    (["--surrogate={0}/file"], 2, "weights are files named"),
]
TAKEN = "cifar_resnet8, 10 classes by number; sees 32x32, as given\n"  # said before any scoring


@pytest.fixture(scope="module")
def place(tmp_path_factory, pictures):
    root = tmp_path_factory.mktemp("bad")
    (root / "file").touch()
    (root / "empty").mkdir()
    (root / "broken.jsonl").write_text('{"key": "a"}\n{"key": \n')
    (root / "other.jsonl").write_text('{"id": 1.5}\n')
    (root / "other.txt").write_text("elsewhere/1.png\n")
    for number in range(2):
        write(root / "two" / f"{number}.png", picture(number))
        write(root / "broken" / f"{number}.png", picture(number))
    (root / "broken/1.png").write_bytes(b"no picture")
    (root / "two/list.csv").write_text("image,label\n0.png,a\n1.png,b\n")
    (root / "two/half.csv").write_text("image,label\n0.png,a\n1.png,\n")
    return root


@pytest.mark.parametrize(("flags", "code", "message"), BAD, ids=[" ".join(b[0]) for b in BAD])
def test_bad_input_is_one_line_and_leaves_nothing(choose, small, place, flags, code, message):
    before = sorted(place.rglob("*"))
    flags = [flag.format(place) for flag in flags]
    surrogate = [] if flags[0].startswith("--surrogate") else small[:1]
    base = [*surrogate, *small[1:], "--budget=2", f"--out={place}/p.jsonl"]
    found = choose(*base, *flags)
    scored = code == 1 or "feature" in message  # what only scoring can find out
    said = f"net0.safetensors: {TAKEN}" if scored else ""
    assert (found[0], found[1], found[2].count("\n")) == (code, said, 1), found
    assert message in found[2]
    assert sorted(place.rglob("*")) == before


def test_a_surrogate_is_required_and_may_be_damaged(choose, small, pictures, tmp_path):
    code, _, err = choose(*small[1:], "--budget=2", f"--out={tmp_path}/p.jsonl")
    assert (code, err) == (2, "salx: --surrogate is required by policy 'entropy'\n")


SPOILED = [
    ("entropy", "bn1.bias", np.nan, 2, "its params/BatchNorm_0/bias is not finite"),
    ("entropy", "bn1.running_mean", np.inf, 2, "its batch_stats/BatchNorm_0/mean is not finite"),
    ("entropy", "linear.weight", 1e38, 1, "the score of example '00.png' is not finite"),
    ("core_set", "layer3.0.bn2.weight", 1e38, 1, "the score of example '00.png' is not finite"),
    ("core_set", "layer3.0.bn2.weight", 1e25, 1, "the features of example '00.png' are not"),
]


@pytest.mark.parametrize(("policy", "name", "value", "code", "message"), SPOILED)
def test_what_is_not_finite_is_named(
    choose, small, networks, tmp_path, policy, name, value, code, message
):
    arrays = weight_files.read(networks[0])
    (name,) = (known for known in arrays if known == name)
    arrays[name] = np.full_like(arrays[name], value)
    weight_files.write(tmp_path / "bad.safetensors", arrays)
    flags = [*small[1:], f"--surrogate={tmp_path}/bad.safetensors", f"--policy={policy}"]
    found = choose(*flags, "--budget=2", f"--out={tmp_path}/o/p.jsonl")
    said = f"bad.safetensors: {TAKEN}" if code == 1 else ""
    assert (found[0], found[1], found[2].count("\n")) == (code, said, 1), found
    assert message in found[2]
    assert not (tmp_path / "o").exists()


def test_a_study_without_the_module_or_of_another_task(choose, finished, pictures, tmp_path):
    run = finished[0] / "deployments/a.on.random.s0.c00"
    code, _, err = choose(
        f"--surrogate={run}", f"--pool={pictures}", "--budget=2", f"--out={tmp_path}/p.jsonl"
    )
    assert (code, err.count("\n")) == (2, 1)
    assert "sees 1 channels, the images of --pool have 3" in err


def test_a_pool_of_another_task_is_refused(small, networks):
    from salx import policies
    from salx.surrogates import kinds
    from tests import pixels

    past = kinds.load(str(networks[0]), size=(SIDE, SIDE))
    with pytest.raises(InputError, match="is for classification, pool is for segmentation"):
        fit.check(past, policies.build("entropy", {}), pixels.dataset())


def test_a_budget_is_exact():
    assert fit.budget_of("2%", 1437, 1437) == 29
    assert fit.budget_of("0.5%", 1000, 1000) == 5
    assert fit.budget_of("14.5%", 100, 100) == round(14.5)  # to even, as a study's budgets
