"""What a file of weights is taken as: its size, its origin, its classes; and how that is said."""

import json
from xml.etree import ElementTree

import numpy as np
import pytest

import salx
from salx.data.sets.classes import IMAGENET_NAMES
from salx.models import weight_files, zoo
from salx.selection import labelling
from salx.surrogates import class_names
from tests.models import nets
from tests.models.torch_made import save
from tests.selection.pictures import SIDE

NAMES = [f"class {number}" for number in range(10)]


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def bare(small, tmp_path):
    """The flags for the first network without what it sees, and its record."""
    return [small[0], small[2], "--budget=5", f"--out={tmp_path}/p.jsonl"]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Files of networks of three classes, by name."""
    folder = tmp_path_factory.mktemp("files")

    def file(name, stem, **options):
        path = folder / f"{stem}.npz"
        weight_files.write(path, nets.in_torch(zoo.get(name)(classes=3, **options)))
        return path

    return {
        "resnet18": file("resnet18", "resnet18"),
        "torchvision": file("mobilenet_v3_small", "torchvision"),
        "timm": file("mobilenet_v3_small", "timm", origin="timm"),
    }


def test_a_cifar_network_sees_32_by_32_and_says_so(choose, bare, small, tmp_path):
    code, out, err = choose(*bare)
    assert code == 0, err
    assert out.splitlines()[0] == (
        "net0.safetensors: cifar_resnet8, 10 classes by number; sees 32x32, its own size"
    )
    header, *picks = lines(tmp_path / "p.jsonl")
    assert {"file", "digest"} <= header["checkpoint"].keys()
    assert header["checkpoint"]["size"] == [32, 32]
    assert header["checkpoint"]["network"] == "cifar_resnet8"
    code, out, err = choose(*small, "--budget=5", f"--out={tmp_path}/q.jsonl")
    assert code == 0, err
    assert "sees 32x32, as given" in out
    assert lines(tmp_path / "q.jsonl")[1:] == picks


def test_any_other_sees_what_imagenets_recipes_show(files):
    surrogate = salx.load(files["resnet18"])
    assert surrogate.preprocessing.shape == (224, 224, 3)
    assert surrogate.preprocessing.transform["evaluate_resize"] == 256
    assert "sees 224x224, cut from a shorter side of 256" in surrogate.about()[0]
    assert surrogate.origin["size"] == [224, 224]
    surrogate = salx.load(files["resnet18"], size=(64, 96))
    assert surrogate.preprocessing.shape == (64, 96, 3)
    assert "sees 64x96, as given" in surrogate.about()[0]


def test_whose_mobilenet_it_is_is_asked_where_the_names_do_not_tell(choose, bare, files):
    flags = [f"--surrogate={files['timm']}", *bare[1:]]
    code, out, err = choose(*flags)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "--origin must say whose mobilenet_v3_small" in err
    assert "timm or tf" in err
    code, out, err = choose(*flags, "--origin=torchvision")
    assert (code, err.count("\n")) == (2, 1)
    assert "--origin=torchvision: " in err
    assert "has the names of timm or tf" in err
    code, out, err = choose(*flags, "--origin=tensorflow")
    assert (code, err.count("\n")) == (2, 1)
    assert "unknown choice of --origin 'tensorflow'" in err
    for origin in ("timm", "tf"):
        surrogate = salx.load(files["timm"], origin=origin)
        assert surrogate.model.module.origin == surrogate.origin["origin"] == origin
        assert f"mobilenet_v3_small of {origin}" in surrogate.about()[0]
    assert salx.load(files["torchvision"]).model.module.origin == "torchvision"
    with pytest.raises(salx.InputError, match=r"^origin must say whose"):
        salx.load(files["timm"])


@pytest.mark.parametrize("stream", [False, True])
def test_a_checkpoint_chooses_as_its_plain_file_does(choose, bare, networks, tmp_path, stream):
    arrays = weight_files.read(networks[0])
    other = weight_files.read(networks[1])
    tree = {
        "epoch": 3,
        "state_dict": {f"model._orig_mod.{name}": array for name, array in arrays.items()},
        "state_dict_ema": {f"module.{name}": array for name, array in other.items()},
        "hyper_parameters": {"lr": 0.1},
    }
    flags = [f"--surrogate={save(tmp_path / 'a.ckpt', tree, stream)}", *bare[1:]]
    assert choose(*bare)[0] == 0
    plain = lines(tmp_path / "p.jsonl")[1:]
    code, out, err = choose(*flags, "--weights=plain", f"--out={tmp_path}/q.jsonl")
    assert code == 0, err
    assert "of two sets of weights state_dict\n" in out
    assert lines(tmp_path / "q.jsonl")[1:] == plain
    code, out, err = choose(*flags, f"--out={tmp_path}/r.jsonl")
    assert code == 0, err
    assert "of two sets of weights state_dict_ema\n" in out
    header, *picks = lines(tmp_path / "r.jsonl")
    assert header["checkpoint"]["weights"] == "state_dict_ema"
    average = [f"--surrogate={networks[1]}", *bare[1:], f"--out={tmp_path}/s.jsonl"]
    assert choose(*average)[0] == 0
    assert lines(tmp_path / "s.jsonl")[1:] == picks


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("linear.bias", np.array(1.0), r"linear.bias is of shape \(\); a bias has one axis"),
        ("linear.bias", np.ones((10, 2)), r"linear.bias is of shape \(10, 2\)"),
        ("linear.bias", np.ones(1), "linear.bias is of 1 classes; a choice needs two"),
        ("linear.bias", np.ones(0), "linear.bias is of 0 classes"),
        ("linear.bias", np.ones(9), r"linear.weight \(10, 64\), not \(9, 64\)"),
        ("linear.weight", np.array(1.0), r"linear.weight \(\), not \(10, 64\)"),
        ("bn1.bias", np.ones(16, np.uint8), "bn1.bias is of uint8, as quantised weights are"),
        ("bn1.bias", np.full(16, 1e300), "bias is not finite"),
    ],
)
def test_an_array_of_an_odd_shape_or_kind_is_named(networks, tmp_path, name, array, message):
    path = tmp_path / "odd.npz"
    weight_files.write(path, {**weight_files.read(networks[0]), name: array})
    with pytest.raises(salx.InputError, match=message):
        salx.load(path)


def test_classes_have_names_everywhere(choose, bare, tmp_path):
    (tmp_path / "names.txt").write_bytes(
        "\ufeff".encode() + "\r\n".join(NAMES).encode() + b"\r\n\n"
    )
    tasks = tmp_path / "tasks.json"
    more = [f"--classes={tmp_path}/names.txt", f"--label_studio={tasks}"]
    code, out, err = choose(*bare, *more, f"--fiftyone={tmp_path}/fo", f"--csv={tmp_path}/p.csv")
    assert code == 0, err
    assert "10 classes (class 0, class 1...)" in out
    (guess,) = json.loads(tasks.read_text())[0]["predictions"]
    assert guess["result"][0]["value"]["choices"][0] in NAMES
    labels = json.loads((tmp_path / "fo/labels.json").read_text())["labels"]
    assert {each["label"] for each in labels.values()} <= set(NAMES)
    view = ElementTree.parse(tmp_path / "tasks.labels.xml").getroot()
    image, choices = view
    assert (view.tag, image.tag, choices.tag) == ("View", "Image", "Choices")
    assert image.attrib == {"name": guess["result"][0]["to_name"], "value": "$image"}
    assert choices.attrib["name"] == guess["result"][0]["from_name"]
    assert choices.attrib["toName"] == "image"
    assert [choice.attrib["value"] for choice in choices] == NAMES


def test_a_labelling_configuration_holds_any_name():
    names = ["a & b", '<"c">', "日本 語", "it's", "a\x01b"]
    view = ElementTree.fromstring(labelling.encode(names).decode())
    assert [each.attrib["value"] for each in view.iter("Choice")] == [*names[:4], r"a\x01b"]
    assert not labelling.encode(names).startswith(b"<?xml")


BAD = [
    (b"", "classes=names.txt: line 1 is empty"),
    (b"a\n\nb", "classes=names.txt: line 2 is empty"),
    (b"a\nb\na", "classes=names.txt: line 3: a is the name of class 0 already"),
    (b"a\nb", "classes=names.txt has 2 names, and net.npz has 3 classes"),
    (b"a\nb\xff\nc", "classes=names.txt: is no UTF-8 text"),
    (b"a\nb\0\nc", "classes=names.txt: line 2 holds what cannot be shown"),
]


@pytest.mark.parametrize(("content", "message"), BAD, ids=[m for _, m in BAD])
def test_names_that_cannot_be_are_a_line(tmp_path, monkeypatch, content, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "names.txt").write_bytes(content)
    with pytest.raises(salx.InputError) as error:
        class_names.of_network("names.txt", 3, "sha256:0", "net.npz")
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--classes="], "--classes=: is empty"),
        (["--classes=gone.txt"], "--classes=gone.txt: there is no such file"),
        (["--classes=/"], "--classes=/: there is no such file"),
        (["--classes=imagenet"], "--classes=imagenet has 1000 names, and "),
        (["--weights=best"], "unknown choice of --weights 'best'; known: ema, plain"),
        (["--weights=ema"], "--weights=ema: "),
        (
            ["--size=20000,1"],
            "--size=20000,1: must be H,W in pixels, at least 1,1 and at most",
        ),
        (["--label_studio={0}/t.json", "--csv={0}/t.labels.xml"], "labels.xml: is --csv already"),
    ],
)
def test_flags_of_a_file_that_cannot_be_are_a_line(choose, bare, tmp_path, flags, message):
    code, out, err = choose(*bare, *(flag.format(tmp_path) for flag in flags))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err
    assert not list(tmp_path.iterdir())


def test_flags_of_a_file_are_of_no_use_to_a_run(choose, finished, tmp_path):
    run = finished[0] / "deployments/a.on.random.s0.c00"
    flags = [f"--surrogate={run}", "--pool=digits", "--budget=2", f"--out={tmp_path}/p.jsonl"]
    code, out, err = choose(*flags, "--size=8,8")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "--size is for a file of weights, and --surrogate is none" in err


def test_imagenets_names_are_given_where_that_is_certain():
    assert len(set(IMAGENET_NAMES)) == 1000
    known = {0: "tench", 2: "great white shark", 134: "crane (bird)", 517: "crane (machine)"}
    known |= {207: "golden retriever", 281: "tabby", 999: "toilet tissue"}
    assert {number: IMAGENET_NAMES[number] for number in known} == known
    digest = "sha256:f37072fd" + 56 * "0"  # as torchvision's resnet18-f37072fd.pth has
    assert class_names.of_network(None, 1000, digest, "f") == IMAGENET_NAMES
    assert class_names.of_network(None, 10, digest, "f") == ()
    assert class_names.of_network(None, 1000, "sha256:" + 64 * "0", "f") == ()
    assert class_names.of_network("imagenet", 1000, "sha256:0", "f") == IMAGENET_NAMES


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"orgin": "tf"}, "unknown option of surrogate 'orgin'; did you mean 'origin'"),
        ({"size": 32}, r"^size=32 must be \(height, width\)"),
        ({"size": (32, 0)}, "^size=0 must be a whole number"),
        ({"classes": ["a", "a"]}, "^classes: name 2: a is the name of class 0"),
        ({"classes": 3}, "^classes=3 is no list"),
        ({"classes": ["a", "b"]}, "^classes has 2 names, and .* has 10 classes"),
    ],
)
def test_options_of_the_library_that_cannot_be_are_a_line(networks, options, message):
    with pytest.raises(salx.InputError, match=message):
        salx.load(networks[0], **options)


def test_names_may_be_given_as_they_are(networks, pictures):
    past = salx.load(networks[0], classes=NAMES)
    selection = salx.select(pictures, past, budget=3)
    assert {row["predicted"] for row in selection.rows()} <= set(NAMES)
    assert past.preprocessing.shape[:2] == (SIDE, SIDE)


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("--weights=ema", "tests.outside.surrogates:Bright fails: TypeError"),
        ("--origin=tf", "tests.outside.surrogates:Bright: its origin is 'tf', no dict"),
    ],
)
def test_what_a_function_of_ones_own_raises_is_a_line(choose, bare, flag, message):
    flags = ["--surrogate=tests.outside.surrogates:Bright", *bare[1:], flag]
    code, out, err = choose(*flags)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert f"--surrogate={message}" in err
