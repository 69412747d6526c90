import hashlib
import json
import re
from dataclasses import replace

import jax
import numpy as np
import pytest

from salx.commands.config_file import JOINED, ConfigFile
from salx.data import datasets
from salx.infra.errors import InputError
from salx.models import model as networks
from salx.study import config as configs
from salx.study import recipes
from salx.training.evaluation import Evaluator
from salx.training.step import Trained
from tests import builders
from tests.builders import ROOT, config_of, module_of

FILES = sorted((ROOT / "configs").glob("*.py"))
SHARED = ROOT.parent / "shared" / "data"
# Each config with its words, and a digest of what it resolves to. A change that is meant, such as
# a new field, changes them: `digest` gives the new ones.
DIGESTS = dict(
    line.split() for line in (ROOT / "tests/study/config_digests.txt").read_text().splitlines()
)


def digest(name: str) -> str:
    """The beginning of the SHA-256 of what a config resolves to."""
    written = json.dumps(config_of(name).to_dict(), sort_keys=True)
    return hashlib.sha256(written.encode()).hexdigest()[:16]


def test_every_config_resolves_to_what_it_was():
    assert {name: digest(name) for name in DIGESTS} == DIGESTS
    assert {name.partition(":")[0] for name in DIGESTS} == {path.name for path in FILES}


@pytest.mark.parametrize("name", [name for name in DIGESTS if not name.endswith("small")])
def test_every_config_stands_and_its_header_is_a_manual(name):
    file, _, label = name.partition(":")
    path = ROOT / "configs" / file
    module = module_of(path)
    assert config_of(name).name == "_".join(filter(None, (path.stem, label)))
    assert f"--config=configs/{path.name}" in module.__doc__
    assert "small" in module.__doc__
    assert not label or re.search(rf"^Words: .*\b{label}\s\(", module.__doc__, re.M | re.S)
    for said in ("Data:", "Time:" if path.stem == "quickstart" else "Cost:"):
        assert re.search(rf"^{said}", module.__doc__, re.M)
    words = ",".join(filter(None, (label, "small")))
    small = config_of(f"{file}:{words}")
    assert small.cycles <= 3
    assert (small.seeds, small.train.steps) == (1, 8)
    assert not any("pretrained" in options for options in small.models.values())
    with pytest.raises(
        InputError, match=r"unknown word 'smal'; did you mean 'small'\? known: .*small"
    ):
        module.get_config("smal")


CITYSCAPES = "res20, mnv3, res18, res50, xc65, as ':res20' or ':res20,small'"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "cityscapes.py:res81",
            "unknown word 'res81'; did you mean 'res18'? "
            "known: mnv3, res18, res20, res50, small, xc65",
        ),
        ("cityscapes.py:res18,smal", "unknown word 'smal'; did you mean 'small'? known: "),
        ("cityscapes.py:res18, small", "unknown word ' small'; did you mean 'small'? known: "),
        ("cityscapes.py", f"needs one of the words {CITYSCAPES}\n"),
        ("cityscapes.py:", f"needs one of the words {CITYSCAPES}\n"),
        ("cityscapes.py:small", f"needs one of the words {CITYSCAPES}, not 'small'\n"),
        ("cityscapes.py:res18,res50", f"needs one of the words {CITYSCAPES}, not 'res18,res50'\n"),
        ("scenes.py:res20,small,small", "needs one of the words res20, mnv3, as "),
        ("table3_cityscapes.py:res18", "unknown word 'res18'; known: small\n"),
        ("cityscapes_res81.py", "no such file\n"),
        (
            "cityscapes_res18.py:small",
            f"no such file; since version 0.2 it is {ROOT}/configs/cityscapes.py:res18,small\n",
        ),
    ],
)
def test_words_that_a_config_does_not_take_are_refused_in_a_line(salx, tmp_path, name, message):
    path = ROOT / "configs" / name
    process = salx(tmp_path / "w", config=path)
    file = str(path).partition(":")[0]
    assert process.returncode == 2
    assert process.stderr.startswith(f"salx: --config={file}: {message}")
    assert process.stderr.count("\n") == 1
    assert not (tmp_path / "w").exists()


@pytest.mark.parametrize("words", ["", ":small"])
@pytest.mark.parametrize("old", [f"{name}_{w}" for name in JOINED for w in JOINED[name]])
def test_a_replaced_config_names_its_successor_which_is_the_same_study(old, words):
    with pytest.raises(InputError, match=r"no such file; since version 0\.2 it is ") as refused:
        ConfigFile().parse(f"{ROOT}/configs/{old}.py{words}")
    config = ConfigFile().parse(str(refused.value).rpartition(" it is ")[2])
    assert config.name == old
    assert config.seeds == (1 if words else 3)


def test_the_papers_recipes():
    cityscapes = configs.resolve(recipes.cityscapes("", "res18"))
    assert cityscapes.train.batch == 4
    both = configs.resolve(recipes.cityscapes("", "xc65", "mnv3"))
    assert [both.recipe(label).batch for label in ("xc65", "mnv3")] == [6, 4]
    assert cityscapes.train.epochs == 220
    assert cityscapes.train.weight_decay == 4e-4
    ade20k = configs.resolve(recipes.ade20k("", "res50"))
    assert (ade20k.train.batch, ade20k.train.epochs) == (16, 64)
    imagenet = configs.resolve(recipes.imagenet("", "res34"))
    assert (imagenet.train.batch, imagenet.train.epochs) == (256, 90)
    assert (imagenet.train.learning_rate, imagenet.train.weight_decay) == (0.1, 1e-4)
    assert imagenet.transform.evaluate_resize == 256
    for study in (cityscapes, ade20k, imagenet):
        assert (study.cycles, study.budget, study.seeds) == (10, 0.2, 3)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("config", "tree", "options"),
    [
        ("imagenet_res18.py:small", "imagenet_layout", ()),
        ("cityscapes.py:mnv3,small", "cityscapes_layout", ("--config.cycles=2",)),
        (
            "ade20k.py:res18,small",
            "ade20k_layout/ADEChallengeData2016",
            ("--config.cycles=2",),
        ),
    ],
)
def test_a_small_study_on_the_official_layouts(salx, tmp_path, config, tree, options):
    if not SHARED.is_dir():
        pytest.skip("needs the data of ../shared")
    place = f"--config.dataset.dir={SHARED / tree}"
    argument = ROOT / "configs" / config
    process = salx(tmp_path, place, *options, config=argument, timeout=1200)
    assert process.returncode == 0, process.stderr
    assert "report:" in process.stdout


@pytest.mark.slow
def test_a_deeplab_learns_real_street_scenes(tmp_path):
    """500 steps at 96x128 on two cores, from scratch. Calling every pixel by the most frequent
    class of the training masks gives a mean IoU of about 0.027; the margin is 0.1 more."""
    if not (SHARED / "camvid").is_dir():
        pytest.skip("needs CamVid in ../shared")
    config = configs.resolve(recipes.camvid("small", "mnv3"))
    where = {**config.dataset.to_dict(), "dir": str(SHARED / "camvid")}
    camvid = datasets.load(where, {**config.transform.to_dict(), "scale": (0.75, 1.5)})
    model = networks.build("mnv3", config.models["mnv3"], camvid)
    more = {"steps": 500, "batch": 8, "learning_rate": 0.05, "warmup": 0.05, "log_every": 50}
    what = Trained(model, replace(config.train, **more), camvid.task)
    state = builders.fit(what, camvid, tmp_path)
    counts = sum(counted(camvid.pool[index]["label"]) for index in range(0, len(camvid.pool), 8))
    most = np.argmax(counts)
    val = sum(counted(camvid.val[index]["label"]) for index in range(len(camvid.val)))
    majority = val[most] / val.sum() / len(camvid.classes)
    result = Evaluator().evaluate(model, jax.device_get(state.variables), camvid, 8)
    assert result["value"] > majority + 0.1


def counted(labels: np.ndarray) -> np.ndarray:
    """Pixels of each of CamVid's classes."""
    return np.bincount(labels[labels != 255], minlength=11)[:11]
