import re
from dataclasses import replace

import jax
import numpy as np
import pytest

from salx.data import datasets
from salx.models import model as networks
from salx.study import config as configs
from salx.study import recipes
from salx.training.evaluation import Evaluator
from salx.training.step import Trained
from tests import builders
from tests.builders import ROOT, module_of

FILES = sorted((ROOT / "configs").glob("*.py"))
SHARED = ROOT.parent / "shared" / "data"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_config_stands_and_its_header_is_a_manual(path):
    module = module_of(path)
    config = configs.resolve(module.get_config())
    assert config.name == path.stem
    assert f"--config=configs/{path.name}" in module.__doc__
    for said in ("Data:", "Time:" if path.stem == "quickstart" else "Cost:"):
        assert re.search(rf"^{said}", module.__doc__, re.M)
    if path.stem != "quickstart":
        small = configs.resolve(module.get_config("small"))
        assert small.cycles <= 3
        assert not any("pretrained" in options for options in small.models.values())
        with pytest.raises(ValueError, match="':small' or nothing"):
            module.get_config("smal")


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
        ("imagenet_res18", "imagenet_layout", ()),
        ("cityscapes_mnv3", "cityscapes_layout", ("--config.cycles=2",)),
        ("ade20k_res18", "ade20k_layout/ADEChallengeData2016", ("--config.cycles=2",)),
    ],
)
def test_a_small_study_on_the_official_layouts(salx, tmp_path, config, tree, options):
    if not SHARED.is_dir():
        pytest.skip("needs the data of ../shared")
    place = f"--config.dataset.dir={SHARED / tree}"
    argument = ROOT / "configs" / f"{config}.py:small"
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
