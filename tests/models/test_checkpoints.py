"""Checkpoints as people have them: wrapped, averaged, whole, cut, foreign, and lying."""

import io
import tracemalloc
import zipfile
from collections import OrderedDict
from pathlib import Path
from types import SimpleNamespace

import ml_dtypes
import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st

from salx import commands
from salx.infra.errors import InputError
from salx.models import checkpoints, recognition, weight_files, weights, zoo
from tests.models import torch_made
from tests.models.nets import in_torch, shapes
from tests.models.torch_made import Module, Parameter, Quantised, View, save

ROOT = Path(__file__).resolve().parents[2]
REAL = ROOT.parent / "shared" / "weights"
RNG = np.random.default_rng(0)
ARRAYS = {
    "conv1.weight": RNG.normal(size=(4, 3, 2, 2)).astype(np.float32),
    "bn1.bias": RNG.normal(size=4).astype(np.float32),
    "bn1.num_batches_tracked": np.array(7),
    "fc.weight": RNG.normal(size=(5, 4)).astype(np.float32),
}
OTHER = {name: array + 1 for name, array in ARRAYS.items()}


def same(a, b):
    """Names and their order, and values."""
    return list(a) == list(b) and all(np.array_equal(a[name], b[name]) for name in b)


def below(prefix, arrays):
    return {f"{prefix}.{name}": array for name, array in arrays.items()}


WORDS = st.sampled_from([*checkpoints.PLAIN, *checkpoints.EMA])
BESIDE = {
    "epoch": 3,
    "optimizer": {"state": {0: {"exp_avg": np.zeros((4, 3, 2, 2))}}, "param_groups": [{}]},
    "best_acc1": np.array(76.1),
    "hyper_parameters": {"lr": 0.1},
    "callbacks": {"ModelCheckpoint": {"best_model_score": np.array(0.7)}},
}


@given(st.lists(WORDS, max_size=4), st.lists(WORDS, max_size=4), st.booleans(), st.booleans())
def test_any_nesting_of_keys_and_prefixes_gives_the_same_arrays(prefixes, keys, beside, states):
    tree = dict(ARRAYS)
    for word in prefixes:
        tree = below(word, tree)
    if states:  # of a Lightning module's loss and metrics, and a count of averages
        tree |= {"criterion.weight": np.ones(5), "train_acc.tp": np.zeros(5)}
        tree |= {"n_averaged": np.array(9)}
    for word in keys:
        tree = {**(BESIDE if beside else {}), word: tree}
    found = checkpoints.unwrapped(tree, "f")
    assert same(found.arrays, ARRAYS)
    assert found.taken == ""


@pytest.mark.parametrize("word", checkpoints.EMA)
@pytest.mark.parametrize("form", ["keys", "prefixes", "bare"])
def test_the_average_is_taken_unless_the_other_is_wanted(word, form):
    tree = {
        "keys": {"state_dict": below("module", ARRAYS), word: below("module", OTHER), "epoch": 1},
        "prefixes": {"state_dict": {**below("model", ARRAYS), **below(f"{word}.module", OTHER)}},
        "bare": {**ARRAYS, word: {"module": OTHER}},
    }[form]
    for wanted in (None, "ema"):
        found = checkpoints.unwrapped(tree, "f", wanted)
        assert same(found.arrays, OTHER)
        assert found.taken == word
    found = checkpoints.unwrapped(tree, "f", "plain")
    assert same(found.arrays, ARRAYS)
    assert found.taken == {"keys": "state_dict", "prefixes": "model", "bare": "plain"}[form]


@pytest.mark.parametrize(
    ("tree", "wanted", "message"),
    [
        ({"state_dict": ARRAYS}, "ema", "weights=ema: F holds no average of weights"),
        ({"state_dict_ema": ARRAYS}, "plain", r"weights=plain: F holds an average \(EMA\) alone"),
        (ARRAYS, "both", "unknown choice of weights 'both'; known: ema, plain"),
        ({"epoch": 3, "lr": 0.1}, None, "F: holds no arrays of a network; its entries are epoch"),
        ({}, None, "F: holds no arrays"),
        ([ARRAYS], None, "F: holds no arrays"),
        ({"optimizer": {"state": {0: np.ones(3)}}}, None, "its entries are optimizer"),
    ],
)
def test_what_holds_no_network_or_not_the_wanted_one_is_a_line(tree, wanted, message):
    with pytest.raises(InputError, match=message):
        checkpoints.unwrapped(tree, "F", wanted)


def test_dicts_without_end_end():
    loop = {}
    loop["model"] = loop["state_dict"] = loop
    with pytest.raises(InputError, match="holds no arrays"):
        checkpoints.unwrapped(loop, "F")
    laughs = {"a": 1}
    for _ in range(60):
        laughs = {"model": laughs, "net": laughs}
    with pytest.raises(InputError, match="holds no arrays"):
        checkpoints.unwrapped(laughs, "F")


def test_names_of_a_network_from_outside_may_begin_with_a_prefix():
    assert checkpoints.bare(["net.a.weight", "net.b.weight"]) == {
        "net.a.weight": "a.weight",
        "net.b.weight": "b.weight",
    }
    assert checkpoints.bare(["net.a.weight", "scale"])["net.a.weight"] == "net.a.weight"
    found = checkpoints.unwrapped({"net.a.weight": np.ones((2, 2)), "scale": np.ones(2)}, "f")
    assert list(found.arrays) == ["net.a.weight", "scale"]


STREAM = pytest.mark.parametrize("stream", [False, True], ids=["zip", "stream"])


@STREAM
def test_a_checkpoint_is_read_without_torch(stream, tmp_path):
    by_columns = np.asfortranarray(ARRAYS["conv1.weight"].transpose(0, 2, 3, 1))
    tree = {
        "epoch": 3,
        "state_dict": OrderedDict(
            below(
                "module",
                {
                    **ARRAYS,
                    "parameter": Parameter(ARRAYS["fc.weight"]),
                    "half": ARRAYS["fc.weight"].astype(np.float16),
                    "brain": ARRAYS["fc.weight"].astype(ml_dtypes.bfloat16),
                    "strided": by_columns,
                    "view": View(np.arange(9, dtype=np.float32), (2, 3), (1, 2), 2),
                    "none": np.zeros((0, 3), np.float32),
                },
            )
        ),
    }
    found = weight_files.read(save(tmp_path / "a.pth", tree, stream))
    assert same({name: found[name] for name in ARRAYS}, ARRAYS)
    assert all(found[name].dtype == array.dtype for name, array in ARRAYS.items())
    assert np.array_equal(found["parameter"], ARRAYS["fc.weight"])
    assert found["half"].dtype == np.float16
    np.testing.assert_allclose(found["brain"].astype(np.float32), ARRAYS["fc.weight"], rtol=1e-2)
    assert np.array_equal(found["strided"], by_columns)
    assert found["view"].tolist() == [[2, 4, 6], [3, 5, 7]]
    assert found["none"].shape == (0, 3)


class Settings(SimpleNamespace):
    """An object of a class that SALX does not know, as hyper-parameters are."""


class Evil:
    """Writes a file where an unpickler calls what it names."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@STREAM
def test_what_lies_beside_the_weights_neither_hinders_nor_runs(stream, tmp_path):
    tree = {
        "epoch": 3,
        "pytorch-lightning_version": "2.5.1",
        "state_dict": below("model._orig_mod", ARRAYS) | {"criterion.weight": np.ones(5)},
        "hyper_parameters": Settings(lr=0.1, root=Path("/data"), loss=Evil(tmp_path / "run")),
        "callbacks": {Settings: {"best": np.array(1.0)}, "evil": Evil(tmp_path / "run")},
        "optimizer_states": [{"state": {0: {"exp_avg": np.zeros(3)}}}],
        "loops": {"kind": np.dtype("f4"), "set": {1, 2}, "wide": np.float64(3)},
    }
    assert same(weight_files.read(save(tmp_path / "a.ckpt", tree, stream)), ARRAYS)
    assert not (tmp_path / "run").exists()


@STREAM
def test_a_module_that_was_saved_whole_gives_its_state(stream, tmp_path):
    inner = Module({"weight": Parameter(ARRAYS["conv1.weight"]), "bias": None})
    norm = Module(
        {"bias": Parameter(ARRAYS["bn1.bias"])},
        {"num_batches_tracked": ARRAYS["bn1.num_batches_tracked"]},
    )
    last = Module({"weight": Parameter(ARRAYS["fc.weight"])})
    net = Module(module=Module(conv1=inner, bn1=norm, fc=last))
    for tree in (net, {"model": net, "ema": None, "updates": 3}):
        assert same(weight_files.read(save(tmp_path / "a.pt", tree, stream)), ARRAYS)
    inner._modules["again"] = net
    with pytest.raises(InputError, match="its modules have no end"):
        weight_files.read(save(tmp_path / "b.pt", net, stream))


FOREIGN = [
    (b"", "is empty"),
    (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"),
    (b"\n<!DOCTYPE html><html><body>404</body></html>", "a web page.*download the file itself"),
    (b"<html>\n", "a web page"),
    (b'{"error": "not found"}', "JSON"),
    (b"\x1f\x8b\x08\x00", "gzip"),
    (b"\x89HDF\r\n\x1a\n", "Keras"),
    (b"\x93NUMPY\x01\x00", r"\.npy"),
    (b"hello, world", "is damaged, or no file of weights"),
    (b"PK\x03\x04 cut", "is damaged"),
    (b"PK\x05\x06" + 18 * b"\0", "is a zip archive, but no checkpoint"),
    (b"\x80\x02}q\x00.", "is a pickle that PyTorch did not write"),
    (b"\x80\x02", "is damaged"),
    (b"\x00\x00\x00\x00\x00\x00\x00\x00{", "is damaged"),
]


@pytest.mark.parametrize("suffix", weight_files.SUFFIXES)
@pytest.mark.parametrize(("content", "message"), FOREIGN, ids=[m for _, m in FOREIGN])
def test_what_is_saved_as_weights_and_is_none_is_named(content, message, suffix, tmp_path):
    path = tmp_path / f"weights{suffix}"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as error:
        weight_files.read(path)
    assert str(error.value).startswith(str(path))
    assert "weights_only" not in str(error.value)
    assert "allow_pickle" not in str(error.value)


def test_a_torchscript_program_is_named(tmp_path):
    path = save(tmp_path / "a.pt", {"state_dict": ARRAYS})
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("archive/constants.pkl", b"")
    with pytest.raises(InputError, match="is a TorchScript program; save the state_dict"):
        weight_files.read(path)


def test_the_content_counts_not_the_files_ending(tmp_path):
    plain = tmp_path / "a.npz"
    weight_files.write(plain, ARRAYS)
    (tmp_path / "b.safetensors").write_bytes(plain.read_bytes())
    assert same(weight_files.read(tmp_path / "b.safetensors"), ARRAYS)
    save(tmp_path / "model_best.pth.tar", {"state_dict": ARRAYS})
    assert same(weight_files.read(tmp_path / "model_best.pth.tar"), ARRAYS)
    (tmp_path / "folder.pth").mkdir()
    with pytest.raises(InputError, match="is no file of weights"):
        weight_files.read(tmp_path / "folder.pth")


def npz_claiming(path, shape, dtype="<f4"):
    """A .npz whose only array has a few bytes, and a header that says more."""
    header = io.BytesIO()
    fields = {"descr": dtype, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(header, fields)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("conv1.weight.npy", header.getvalue() + bytes(64))
    return path


def safetensors_claiming(path, shape):
    header = f'{{"conv1.weight":{{"dtype":"F32","shape":{list(shape)},"data_offsets":[0,64]}}}}'
    path.write_bytes(len(header).to_bytes(8, "little") + header.encode() + bytes(64))
    return path


def torch_claiming(path, shape, strides=None, stream=False):
    view = View(np.zeros(16, np.float32), shape, strides or (0,) * len(shape))
    return save(path, {"state_dict": {"conv1.weight": view}}, stream)


HUGE = (10**5, 10**5, 10**5)


@pytest.mark.parametrize(
    "make",
    [
        lambda folder: npz_claiming(folder / "a.npz", HUGE),
        lambda folder: npz_claiming(folder / "a.npz", (10**15,), "<f8"),
        lambda folder: safetensors_claiming(folder / "a.safetensors", HUGE),
        lambda folder: torch_claiming(folder / "a.pth", HUGE),
        lambda folder: torch_claiming(folder / "a.pth", (1000, 1000)),
        lambda folder: torch_claiming(folder / "a.pth", HUGE, stream=True),
        lambda folder: torch_claiming(folder / "a.pth", (2, 4), (10**15, 1)),
        lambda folder: torch_claiming(folder / "a.pth", (-1, 4), (4, 1)),
    ],
)
def test_a_small_file_that_claims_much_is_refused_without_memory(make, tmp_path):
    path = make(tmp_path)
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match=f"{path}: "):
            weight_files.read(path)
        assert tracemalloc.get_traced_memory()[1] < 20e6
    finally:
        tracemalloc.stop()


def brain(array):
    return array.astype(ml_dtypes.bfloat16)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (
            ARRAYS["fc.weight"].astype(np.complex64),
            "fc.weight is of ComplexFloat, which cannot",
        ),
        (
            Quantised(np.zeros((5, 4), np.int8)),
            "fc.weight is of QInt8, which cannot",
        ),
    ],
)
@STREAM
def test_numbers_that_are_no_weights_are_named(array, message, stream, tmp_path):
    path = save(tmp_path / "a.pth", {**ARRAYS, "fc.weight": array}, stream)
    with pytest.raises(InputError, match=message):
        weight_files.read(path)


def test_complex_numbers_and_objects_in_other_files_are_named(tmp_path):
    np.savez(tmp_path / "a.npz", **{"fc.weight": np.zeros(3, np.complex128)})
    with pytest.raises(InputError, match=r"fc.weight is of complex128"):
        weight_files.read(tmp_path / "a.npz")
    np.savez(tmp_path / "b.npz", **{"fc.weight": np.array([{}], object)})
    with pytest.raises(InputError, match=r"fc.weight is of object"):
        weight_files.read(tmp_path / "b.npz")
    np.savez(tmp_path / "c.npz", **{"fc.weight": brain(np.zeros(3))})
    with pytest.raises(InputError, match=r"fc.weight is of \|V2"):
        weight_files.read(tmp_path / "c.npz")


def test_bfloat16_goes_through_every_format(tmp_path):
    theirs = in_torch(zoo.get("cifar_resnet8")(classes=10))
    short = {name: brain(array) for name, array in theirs.items()}
    a, b, c = tmp_path / "a.safetensors", tmp_path / "b.safetensors", tmp_path / "c.npz"
    a.write_bytes(safetensors.numpy.save(short))
    for command in ([a, b], [b, c]):
        assert commands.main(["convert", *map(str, command)]) == 0
    back = weight_files.read(c)
    assert {array.dtype for array in back.values()} == {np.dtype(np.float32)}
    assert all(np.array_equal(back[n], short[n].astype(np.float32)) for n in theirs)


def test_a_network_that_is_not_known_says_which_are():
    yolo = {f"{n}.conv.weight": np.zeros((1, 1, 1, 1)) for n in range(20)}
    with pytest.raises(InputError, match=r"no known network, of layers 0.conv") as error:
        recognition.recognise(yolo, "yolo.pt")
    line = str(error.value)
    assert "nearest" not in line
    for text in ("cifar_resnet56", "deeplab_xception65", "module:Name"):
        assert text in line
    theirs = in_torch(zoo.get("cifar_resnet20")(classes=10))
    theirs["attention.weight"] = np.zeros(1)
    with pytest.raises(InputError, match="nearest is cifar_resnet20, layers 1 extra: attention"):
        recognition.recognise(theirs, "f")


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("linear.bias", np.array(1.0), r"linear.bias \(\), not \(10,\)"),
        ("linear.bias", np.ones((10, 1)), r"linear.bias \(10, 1\), not \(10,\)"),
        ("linear.weight", np.ones((7, 64)), r"linear.weight \(7, 64\), not \(10, 64\)"),
        ("conv1.weight", np.ones((16, 3)), r"conv1.weight \(16, 3\), not"),
        ("bn1.weight", np.ones(16, np.int8), "bn1.weight is of int8, as quantised weights are"),
    ],
)
def test_arrays_that_do_not_fit_are_never_left_out_silently(name, array, message):
    module = zoo.get("cifar_resnet8")(classes=10)
    with pytest.raises(InputError, match=message):
        weights.fill(module, shapes(module), {**in_torch(module), name: array}, "f")


@given(st.data())
def test_a_damaged_checkpoint_is_a_line(tmp_path_factory, data):
    folder = tmp_path_factory.getbasetemp()
    path = folder / "damaged.pth"
    tree = {"state_dict": below("module", ARRAYS), "hyper_parameters": Settings(lr=0.1)}
    stream = data.draw(st.booleans())
    content = bytearray(save(path, tree, stream).read_bytes())
    for _ in range(data.draw(st.integers(0, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        weight_files.read(path)
    except InputError as error:
        assert str(error).startswith(str(path))  # noqa: PT017


@pytest.mark.skipif(not REAL.exists(), reason="the real CIFAR weights are not here")
@pytest.mark.parametrize("layers", [20, 56])
def test_real_checkpoints_hold_what_their_arrays_say(layers):
    (checkpoint,) = REAL.glob(f"cifar10_resnet{layers}-*.th")
    assert same(
        weight_files.read(checkpoint), weight_files.read(REAL / f"cifar10_resnet{layers}.npz")
    )


def test_what_the_helper_writes_is_what_torch_reads(tmp_path):
    """Where torch is installed."""
    torch = pytest.importorskip("torch")
    path = torch_made.save(tmp_path / "a.pth", {"state_dict": ARRAYS})
    found = torch.load(path, weights_only=True)["state_dict"]
    assert same({name: tensor.numpy() for name, tensor in found.items()}, ARRAYS)
    torch.save({"model": found, "epoch": 3}, tmp_path / "b.pth")
    assert same(weight_files.read(tmp_path / "b.pth"), ARRAYS)
