"""A small ViT from outside the package: by a name, an entry point and module:Class."""

import sys

import jax
import numpy as np
import pytest

from salx import commands
from salx.data import datasets
from salx.infra.errors import InputError
from salx.models import model as networks
from salx.models import recognition, weight_files, weights, zoo

VIT = '''
import flax.linen as nn
import jax.numpy as jnp

from salx.models.rules import Rule, dense


class TinyViT(nn.Module):
    """Patches, a class token, positions, and one attention whose q, k and v a file holds fused."""

    classes: int
    width: int = 8
    heads: int = 2
    dropout: float = 0.0

    last_layer = "head"

    @nn.compact
    def __call__(self, x, *, batch_stats, dropout):
        zeros, heads = nn.initializers.zeros, (self.heads, self.width // self.heads)
        x = nn.Conv(self.width, (4, 4), 4, name="patches")(x).reshape(x.shape[0], -1, self.width)
        token = self.param("token", zeros, (self.width,))
        x = jnp.concatenate([jnp.broadcast_to(token, (len(x), 1, self.width)), x], 1)
        x = x + self.param("positions", zeros, (1, x.shape[1], self.width))
        q, k, v = (nn.DenseGeneral(heads, name=name)(x) for name in "qkv")
        x = x + nn.dot_product_attention(q, k, v).reshape(x.shape)
        x = nn.Dropout(self.dropout, deterministic=not dropout)(x)
        out = {"tokens": x, "features": x[:, 0]}
        return nn.Dense(self.classes, name="head")(out["features"]), out

    def weight_rules(self):
        wide, heads = self.width, (self.heads, self.width // self.heads)
        yield Rule("params/token", "cls_token", shapes=((1, 1, wide), (wide,)))
        yield Rule("params/positions", "pos_embed")
        yield Rule("params/patches/kernel", "patch_embed.proj.weight", (2, 3, 1, 0))
        yield Rule("params/patches/bias", "patch_embed.proj.bias")
        for index, name in enumerate("qkv"):
            split = index, 3, 0
            yield Rule(
                f"params/{name}/kernel", "attn.qkv.weight", (1, 0), split,
                ((wide, wide), (wide, *heads)),
            )
            yield Rule(f"params/{name}/bias", "attn.qkv.bias", None, split, ((wide,), heads))
        yield from dense("head", "head")


def tiny_vit(classes, *, depth=(1,), **options):
    assert depth == (1,), depth
    return TinyViT(classes, **options)
'''


@pytest.fixture
def outside(tmp_path, monkeypatch):
    """An installed package of another author, and its module."""
    (tmp_path / "foreign_nets.py").write_text(VIT)
    info = tmp_path / "foreign_nets-0.3.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: foreign-nets\nVersion: 0.3\n")
    points = "tiny_vit = foreign_nets:TinyViT\nbroken = foreign_nets:Missing\n"
    (info / "entry_points.txt").write_text(f"[salx.models]\n{points}")
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    sys.modules.pop("foreign_nets", None)


@pytest.fixture(scope="module")
def digits():
    return datasets.load({"name": "digits"})


def file_of(classes: int = 10) -> weight_files.Arrays:
    """A file of the ViT's for images 8x8 of one channel."""
    random = np.random.default_rng(0)
    shapes = {
        "cls_token": (1, 1, 8),
        "pos_embed": (1, 5, 8),
        "patch_embed.proj.weight": (8, 1, 4, 4),
        "patch_embed.proj.bias": (8,),
        "attn.qkv.weight": (24, 8),
        "attn.qkv.bias": (24,),
        "head.weight": (classes, 8),
        "head.bias": (classes,),
    }
    return {name: random.normal(size=s).astype(np.float32) for name, s in shapes.items()}


def test_fused_tensors_go_there_and_back_byte_for_byte(outside):
    module, theirs = zoo.get("tiny_vit")(classes=10), file_of()
    ours = {name: each.array for name, each in weights.as_ours(module, theirs).items()}
    assert ours["params/k/kernel"].shape == (8, 2, 4)
    assert ours["params/token"].shape == (8,)
    wanted = theirs["attn.qkv.weight"][8:16].T.reshape(8, 2, 4)
    np.testing.assert_array_equal(ours["params/k/kernel"], wanted)
    back = weights.as_torch(module, ours)
    assert list(back) == list(theirs)
    assert all(back[name].tobytes() == array.tobytes() for name, array in theirs.items())
    del ours["params/k/bias"]
    with pytest.raises(InputError, match=r"attn\.qkv\.bias: only 2 of its 3 pieces"):
        weights.as_torch(module, ours)


@pytest.mark.parametrize("name", ["tiny_vit", "foreign_nets:TinyViT", "foreign_nets:tiny_vit"])
def test_a_model_is_built_filled_and_described(outside, digits, tmp_path, name):
    path = tmp_path / "vit.safetensors"
    weight_files.write(path, file_of(classes=7))
    config = {"name": name, "heads": 4, "pretrained": str(path)}
    config |= {"depth": [1]} if name.endswith("tiny_vit") and ":" in name else {}
    model = networks.build("m", config, digits)
    assert {model: 1}[networks.build("other", config, digits)] == 1
    variables = jax.jit(lambda: networks.init(model, jax.random.key(0)))()
    assert variables["batch_stats"] == {}
    filled = networks.with_pretrained(model, variables)
    np.testing.assert_array_equal(filled["params"]["positions"], file_of()["pos_embed"])
    np.testing.assert_array_equal(  # a head of other classes is left out
        filled["params"]["head"]["kernel"], variables["params"]["head"]["kernel"]
    )
    images = digits.pool.images[:2]
    (logits, out), moved = networks.forward(model, filled, images, batch_stats=True)
    assert not jax.tree.leaves(moved)
    w, b = networks.classifier_of(model, filled)
    np.testing.assert_allclose(out["features"] @ w + b, logits, rtol=1e-5, atol=1e-6)
    code = {"module": "foreign_nets", "package": "foreign-nets", "version": "0.3"}
    code = code if ":" not in name else networks.identity(model)["code"]
    assert networks.identity(model)["code"] == code
    recorded = {"label": "m", **config, **networks.identity(model)}
    assert networks.described(recorded, 10) == model.module


def test_what_does_not_fit_is_named_as_in_the_file(outside, digits, tmp_path):
    wrong = file_of()
    wrong["attn.qkv.weight"] = np.zeros((16, 8), np.float32)
    wrong["extra"] = wrong.pop("attn.qkv.bias")
    path = tmp_path / "wrong.npz"
    weight_files.write(path, wrong)
    with pytest.raises(InputError) as error:
        networks.build("m", {"name": "tiny_vit", "pretrained": str(path)}, digits)
    for text in (
        "1 missing: attn.qkv.bias",
        "1 extra: extra",
        "1 of another shape: attn.qkv.weight (16, 8), not (24, 8)",
    ):
        assert text in str(error.value)


def test_options_come_from_the_signature(outside, digits):
    with pytest.raises(InputError, match=r"option config\.models\.m 'widht'; did you mean 'width'"):
        networks.build("m", {"name": "tiny_vit", "widht": 4}, digits)
    with pytest.raises(InputError, match=r"config\.models\.m: .* cannot be built: \(2,\)"):
        networks.build("m", {"name": "foreign_nets:tiny_vit", "depth": [2]}, digits)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("broken", r"model config\.models\.m\.name 'broken' cannot be loaded: AttributeError"),
        ("no_such_module:Net", "cannot be loaded: ModuleNotFoundError: No module named"),
        ("tiny_vitt", "did you mean 'tiny_vit'"),
        ("json:dumps", "cannot be built"),
    ],
)
def test_what_is_no_model_is_one_line(outside, digits, name, message):
    with pytest.raises(InputError, match=message) as error:
        networks.build("m", {"name": name}, digits)
    assert "\n" not in str(error.value)


def test_files_are_recognised_among_networks_from_outside(outside, tmp_path, capsys):
    """The ViT by its own names; others as ever, though an entry point is broken."""
    found = recognition.recognise(file_of(), "vit")
    assert type(found).__name__ == "TinyViT"
    resnet = zoo.get("cifar_resnet8")(classes=1)
    rules = {rule.theirs: np.zeros(1) for rule in weights.rules_of(resnet)}
    assert recognition.recognise(rules, "resnet") == resnet
    a, b, c = (tmp_path / f"{stem}.safetensors" for stem in "abc")
    weight_files.write(a, file_of())
    assert commands.main(["convert", str(a), str(b)]) == 0
    assert commands.main(["convert", str(b), str(c)]) == 0
    assert a.read_bytes() == c.read_bytes()
    assert "PyTorch's names" in capsys.readouterr().out


def test_a_network_without_rules_does_not_hinder_recognition():
    """A plain class that was registered says nothing of weights."""
    zoo.NETWORKS.add("mute", object)
    try:
        resnet = zoo.get("cifar_resnet8")(classes=1)
        rules = {rule.theirs: np.zeros(1) for rule in weights.rules_of(resnet)}
        assert recognition.recognise(rules, "resnet") == resnet
        with pytest.raises(InputError, match="no known network, of layers odd; known are"):
            recognition.recognise({"odd.weight": np.zeros(1)}, "odd")
    finally:
        del zoo.NETWORKS._values["mute"]
