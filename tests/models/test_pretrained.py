"""Weights in and out: real ones, seeded ones, wrong ones, and the command."""

import functools
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest
import safetensors.numpy

from salx import commands
from salx.data import datasets
from salx.infra.errors import InputError
from salx.models import model as networks
from salx.models import weight_files, weights, zoo
from tests.models import nets
from tests.models.nets import ones, shapes

ROOT = Path(__file__).resolve().parents[2]
REAL = ROOT.parent / "shared" / "weights"
CIFAR = ROOT.parent / "shared" / "data" / "cifar10" / "val"


def in_torch(module) -> weight_files.Arrays:
    """A file of PyTorch's with seeded weights and counters of batches."""
    arrays = nets.in_torch(module)
    counted = [name for name in arrays if name.endswith("running_mean")]
    names = [name.replace("running_mean", "num_batches_tracked") for name in counted]
    return arrays | {name: np.array(7 + i) for i, name in enumerate(names)}


def same(a, b) -> bool:
    """Names and their order, dtypes, shapes and bytes."""
    described = ([(n, x.dtype, x.shape, x.tobytes()) for n, x in f.items()] for f in (a, b))
    return list(next(described)) == list(next(described))


@pytest.fixture(scope="module")
def rgb():
    """The digits as colour images, ten classes."""
    digits = datasets.load({"name": "digits"})
    return digits._replace(image_shape=(32, 32, 3), mean=(0.5,) * 3, std=(0.25,) * 3)


def build(rgb, **config):
    return networks.build("m", config, rgb)


VARIANTS = [
    *((name, {}) for name in zoo.names() if not name.startswith("deeplab_resnet")),
    *(
        (f"mobilenet_v3_{size}", {"origin": o})
        for size in ("small", "large")
        for o in ("timm", "tf")
    ),
    ("deeplab_resnet50", {}),
]


@pytest.mark.parametrize(("name", "options"), VARIANTS)
def test_there_and_back_gives_the_same_bytes(name, options):
    module = zoo.get(name)(classes=3, **options)
    theirs = in_torch(module)
    ours = {name: each.array for name, each in weights.as_ours(module, theirs).items()}
    counters = {name for name in ours if name.startswith(weights.COUNTER)}
    assert ours.keys() - counters == weights.flatten(shapes(module)).keys()
    assert same(weights.as_torch(module, ours), theirs)


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v3_small"])
def test_the_command_goes_there_and_back(name, suffix, tmp_path, capsys):
    a, b, c = (tmp_path / f"{stem}{suffix}" for stem in "abc")
    theirs = in_torch(zoo.get(name)(classes=3))
    weight_files.write(a, theirs)
    assert commands.main(["convert", str(a), str(b)]) == 0
    assert weights.is_ours(weight_files.read(b))
    assert commands.main(["convert", str(b), str(c)]) == 0
    assert c.read_bytes() == a.read_bytes()
    assert same(dict(sorted(weight_files.read(c).items())), dict(sorted(theirs.items())))
    assert "PyTorch's names" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["mobilenet_v3_small", "deeplab_mobilenet_v3_small"])
def test_the_command_knows_timms_names(name, tmp_path):
    a, b, c = (tmp_path / f"{stem}.npz" for stem in "abc")
    weight_files.write(a, in_torch(zoo.get(name)(classes=3, origin="timm")))
    for command in ([a, b], [b, c, "--origin=timm"]):
        assert commands.main(["convert", *map(str, command)]) == 0
    assert c.read_bytes() == a.read_bytes()


def test_the_command_says_what_is_wrong(tmp_path):
    strange = tmp_path / "strange.npz"
    np.savez(strange, **{"conv1.weight": np.zeros((1, 1, 1, 1)), "odd.weight": np.zeros(3)})
    command = [sys.executable, "-m", "salx", "convert", str(strange), "b.npz"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "no known network, of layers conv1, odd; known are" in done.stderr


def test_pretrained_weights_reach_the_model(rgb, tmp_path):
    path = tmp_path / "resnet20.safetensors"
    theirs = in_torch(zoo.get("resnet20")(classes=10))
    weight_files.write(path, theirs)
    model = build(rgb, name="resnet20", pretrained=str(path))
    filled = networks.with_pretrained(model, ones(model.module))
    assert same_leaves(model.module, filled, theirs)
    assert networks.identity(model)["pretrained"].startswith("sha256:")
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    with pytest.raises(InputError, match="has changed since"):
        networks.with_pretrained(model, filled)


def same_leaves(module, variables, theirs) -> bool:
    back = weights.as_torch(module, weights.flatten(jax.device_get(variables)))
    return all(np.array_equal(back[name], theirs[name]) for name in back)


def test_a_classifier_of_other_classes_is_left_out(rgb):
    module = zoo.get("resnet20")(classes=10)
    variables = ones(module)
    filled = weights.fill(module, variables, in_torch(zoo.get("resnet20")(classes=7)), "f")
    assert (filled["params"]["Dense_0"]["kernel"] == 1).all()
    assert not (filled["params"]["Conv_0"]["kernel"] == 1).all()


@pytest.mark.parametrize("name", ["resnet20", "mobilenet_v3_small"])
def test_a_classifiers_file_starts_a_deeplab(name):
    theirs = in_torch(zoo.get(name)(classes=1000))
    module = zoo.get(f"deeplab_{name}")(classes=4)
    variables = ones(module)
    filled = weights.fill(module, variables, theirs, "f")
    backbone = {collection: tree["backbone"] for collection, tree in filled.items()}
    assert same_leaves(module.backbone, backbone, theirs)
    assert (filled["params"]["classifier"]["kernel"] == 1).all()


def test_ours_are_read_too(rgb, tmp_path):
    module, path = zoo.get("resnet20")(classes=10), tmp_path / "ours.npz"
    theirs = in_torch(module)
    weight_files.write(path, {n: each.array for n, each in weights.as_ours(module, theirs).items()})
    model = build(rgb, name="resnet20", pretrained=str(path))
    assert same_leaves(module, networks.with_pretrained(model, ones(model.module)), theirs)


def test_wrong_files_say_which_keys(rgb, tmp_path):
    path = tmp_path / "wrong.npz"
    theirs = in_torch(zoo.get("resnet20")(classes=10))
    theirs["layer1.0.conv1.weight"] = np.zeros((16, 16, 5, 5), np.float32)
    theirs["layer9.weight"] = theirs.pop("bn1.bias")
    weight_files.write(path, theirs)
    with pytest.raises(InputError) as error:
        build(rgb, name="resnet20", pretrained=str(path))
    for part in (str(path), "1 missing: bn1.bias", "1 extra: layer9.weight", "1 of another shape"):
        assert part in str(error.value)
    assert "layer1.0.conv1.weight (16, 16, 5, 5), not (16, 16, 3, 3)" in str(error.value)


def test_timms_names_ask_for_timms_definition(rgb, tmp_path):
    path = tmp_path / "timm.npz"
    weight_files.write(path, in_torch(zoo.get("mobilenet_v3_small")(classes=10, origin="timm")))
    with pytest.raises(InputError, match="origin=timm or tf"):
        build(rgb, name="mobilenet_v3_small", pretrained=str(path))
    with pytest.raises(InputError, match="origin=timm or tf"):
        build(rgb, name="deeplab_mobilenet_v3_small", pretrained=str(path))
    with pytest.raises(InputError, match=r"does not fit the model.*origin=timm or tf"):
        build(rgb, name="mobilenet_v3_small", pretrained=str(path), origin="torchvision")
    for name in ("mobilenet_v3_small", "deeplab_mobilenet_v3_small"):
        assert build(rgb, name=name, pretrained=str(path), origin="tf").pretrained


def test_a_backbone_in_our_names_asks_whose_it_is(rgb, tmp_path):
    """Nothing in them tells: the three differ in epsilon and padding."""
    path, options = tmp_path / "ours.npz", {"name": "deeplab_mobilenet_v3_small"}
    weight_files.write(
        path, weights.flatten(jax.device_get(ones(zoo.get(options["name"])(classes=10))))
    )
    with pytest.raises(InputError, match=r"config\.models\.m\.origin must say whose network"):
        build(rgb, **options, pretrained=str(path))
    assert build(rgb, **options, pretrained=str(path), origin="torchvision").pretrained


def test_of_two_sets_of_weights_the_average_is_taken_and_recorded(rgb, tmp_path):
    module = zoo.get("cifar_resnet8")(classes=10)
    trained = in_torch(module)
    average = {name: array + array.dtype.type(1) for name, array in trained.items()}
    path = tmp_path / "both.npz"
    prefixed = {"state_dict": trained, "state_dict_ema": average}
    weight_files.write(
        path, {f"{p}.{n}": a for p, arrays in prefixed.items() for n, a in arrays.items()}
    )
    config = {"name": "cifar_resnet8", "pretrained": str(path)}
    for wanted, arrays, taken in (
        (None, average, "state_dict_ema"),
        ("ema", average, "state_dict_ema"),
        ("plain", trained, "state_dict"),
    ):
        options = config | ({"pretrained_weights": wanted} if wanted else {})
        model = build(rgb, **options)
        filled = networks.with_pretrained(model, ones(model.module))
        assert same_leaves(model.module, filled, arrays)
        assert networks.identity(model)["pretrained_weights"] == taken
        described = {"label": "m", **options, **networks.identity(model)}
        assert networks.described(described, 10) == model.module
    with pytest.raises(InputError, match=r"config\.models\.m\.pretrained_weights 'mean'; .*ema"):
        build(rgb, **config, pretrained_weights="mean")


@pytest.mark.parametrize(
    ("content", "suffix"),
    [(b"", ".npz"), (b"PK\x03\x04 cut", ".npz"), (b"\xff" * 40, ".safetensors"), (b"", ".txt")],
)
def test_unreadable_files_are_named(content, suffix, tmp_path):
    path = tmp_path / f"weights{suffix}"
    path.write_bytes(content)
    with pytest.raises(InputError, match=str(path)):
        weight_files.read(path)


def test_pickles_are_refused(tmp_path):
    path = tmp_path / "pickle.npz"
    np.savez(path, a=np.array([{}], object))
    with pytest.raises(InputError, match="cannot be read"):
        weight_files.read(path)


def test_a_hub_name_is_fetched_once_and_told_offline(tmp_path, monkeypatch):
    import huggingface_hub

    monkeypatch.setenv("SALX_WEIGHTS", str(tmp_path))
    place = tmp_path / "timm" / "resnet18.a1_in1k" / "model.safetensors"

    def offline(*_, **__):
        raise OSError("no network")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", offline)
    with pytest.raises(InputError, match="place its") as error:
        weight_files.locate("timm/resnet18.a1_in1k")
    assert str(place) in str(error.value)

    def online(repository, file, local_dir):
        assert (repository, file) == ("timm/resnet18.a1_in1k", "model.safetensors")
        local_dir.mkdir(parents=True)
        (local_dir / file).write_bytes(safetensors.numpy.save({"a": np.zeros(1)}))

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", online)
    assert weight_files.locate("timm/resnet18.a1_in1k") == place
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", offline)
    assert weight_files.locate("timm/resnet18.a1_in1k") == place
    with pytest.raises(InputError, match="neither a file"):
        weight_files.locate("resnet18")


@pytest.mark.skipif(not REAL.exists(), reason="the real CIFAR weights are not here")
@pytest.mark.parametrize("layers", [20, 56])
def test_real_weights_come_back_byte_for_byte(layers, tmp_path):
    a, b = tmp_path / "a.safetensors", tmp_path / "b.npz"
    real = REAL / f"cifar10_resnet{layers}.npz"
    for command in ([real, a], [a, b]):
        assert commands.main(["convert", *map(str, command)]) == 0
    before, after = weight_files.read(real), weight_files.read(b)
    assert same(dict(sorted(before.items())), dict(sorted(after.items())))


@functools.cache
def cifar_val():
    image = pytest.importorskip("PIL.Image")
    files = sorted(CIFAR.glob("*/*.jpg"))
    classes = sorted({file.parent.name for file in files})
    images = np.stack([np.asarray(image.open(file).convert("RGB")) for file in files])
    return images, np.array([classes.index(file.parent.name) for file in files])


@pytest.mark.skipif(
    not (REAL.exists() and CIFAR.exists()), reason="the real CIFAR weights and images are not here"
)
@pytest.mark.parametrize(
    ("layers", "right"),
    [(20, 1712), pytest.param(56, 1785, marks=pytest.mark.slow)],  # 85.60 %, 89.25 %
)
def test_real_weights_reach_their_accuracy(layers, right, rgb):
    images, labels = cifar_val()
    imagenet = rgb._replace(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
    real = str(REAL / f"cifar10_resnet{layers}.npz")
    model = build(imagenet, name=f"cifar_resnet{layers}", pretrained=real)
    variables = networks.with_pretrained(model, ones(model.module))
    predict = nets.quick(lambda v, x: networks.forward(model, v, x)[0][0].argmax(-1))
    guesses = np.concatenate([predict(variables, part) for part in np.split(images, 10)])
    assert len(labels) == 2000
    assert (guesses == labels).sum() == right
