"""Operations are counted from the models; the paper's Table 2 is what they are compared with."""

import csv
import io
import json

import flax.linen as nn
import jax
import jax.numpy as jnp
import pytest

from salx import commands
from salx.models import latency, layers, zoo

# Milliseconds on TX2, Xavier and Orin: A. Frickenstein et al., IntelliSys 2024, Table 2.
TABLE = {
    "deeplab_resnet20": (46.4, 2.9, 1.2),
    "deeplab_mobilenet_v3_small": (47.0, 2.9, 1.2),
    "deeplab_resnet18": (139.8, 8.7, 3.6),
    "deeplab_resnet50": (310.8, 19.2, 8.1),
    "deeplab_xception65": (394.5, 24.4, 10.3),
}


@pytest.fixture(scope="module")
def found():
    rows = [latency.row(name, latency.SIZE, latency.CLASSES) for name in latency.PAPER]
    return {record["model"]: record for record in latency.records(rows, latency.TOPS)}


@pytest.fixture
def run(capsys):
    """Calls the command; returns exit code, output and errors."""

    def call(*arguments):
        return commands.main(["latency", *arguments]), *capsys.readouterr()

    return call


def test_operations_of_table_2_to_four_figures(found):
    assert {name: f"{record['GOPs']:.5g}" for name, record in found.items()} == {
        "deeplab_resnet20": "33.032",
        "deeplab_mobilenet_v3_small": "61.062",
        "deeplab_resnet18": "180.58",
        "deeplab_resnet50": "404.05",
        "deeplab_xception65": "512.83",
    }


def test_latencies_are_the_papers_where_its_operations_are(found):
    for name, paper in TABLE.items():
        devices = [f"{device} ms" for device in latency.TOPS]
        assert tuple(round(found[name][f"{d} (paper)"], 1) for d in devices) == paper
        same = tuple(round(found[name][device], 1) for device in devices) == paper
        assert same == (name not in latency.NOTES) == (not found[name]["note"])


@pytest.mark.parametrize(
    ("name", "macs"),
    [
        ("resnet18", 1_814_073_344),
        ("resnet34", 3_663_761_408),
        ("resnet50", 4_089_184_256),
        ("mobilenet_v3_small", 56_510_400),
    ],
)
def test_classifiers_at_224(name, macs):
    assert latency.macs(zoo.get(name)(classes=1000), (224, 224)) == macs


SMALL = ("--model=resnet18", "--model=cifar_resnet20", "--size=64x32", "--classes=10")


def test_formats_say_the_same(run):
    arguments = (*SMALL, "--tops=Chip=0.5", "--tops=Board 2=1e3")
    code, text, _ = run(*arguments, "--format=json")
    records = json.loads(text)
    assert code == 0
    assert [record["model"] for record in records] == ["resnet18", "cifar_resnet20"]
    for record in records:
        assert record["GOPs"] == record["MACs"] / 1e9
        assert record["Chip ms"] == pytest.approx(record["GOPs"] / 0.5)
        assert record["Board 2 ms"] == pytest.approx(record["GOPs"] / 1e3)
        assert record["GOPs (paper)"] is None
    rows = list(csv.DictReader(io.StringIO(run(*arguments, "--format=csv")[1])))
    assert [int(row["MACs"]) for row in rows] == [record["MACs"] for record in records]
    assert [float(row["Chip ms"]) for row in rows] == [record["Chip ms"] for record in records]
    shown = [["model", "GOPs", "Chip ms", "Board 2 ms"]]
    for record in records:
        shown.append(
            [record["model"], *(latency.shown(name, record[name]) for name in shown[0][1:])]
        )
    lines = run(*arguments, "--format=md")[1].splitlines()
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert [lines[0], *lines[2:]] == shown
    text = run(*arguments)[1]
    assert all(cell in text for line in shown for cell in line)


def test_the_text_says_what_is_not_reproduced(run):
    code, text, _ = run()
    assert code == 0
    assert "180.58" in text
    assert "181.8" in text
    assert text.count("not reproduced") == 2


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--model=resnet19", "did you mean 'resnet"),
        ("--size=1024", "HEIGHTxWIDTH"),
        ("--size=0x5", "HEIGHTxWIDTH"),
        ("--classes=0", "positive integer"),
        ("--tops=Orin", "NAME=VALUE"),
        ("--tops=Orin=-1", "positive number"),
        ("--tops=Orin=nan", "positive number"),
        ("--format=xml", "invalid choice"),
        ("--speed=1", "unrecognized"),
    ],
)
def test_bad_input_is_one_line(run, argument, message):
    code, text, errors = run(argument)
    assert (code, text) == (2, "")
    assert message in errors
    assert errors.count("\n") == 1


def convolutions(jaxpr) -> int:
    """MACs of a jaxpr's convolutions, those of inner jaxprs included."""
    total = 0
    for equation in jaxpr.eqns:
        if equation.primitive.name == "conv_general_dilated":
            out, kernel = equation.outvars[0].aval, equation.invars[1].aval
            total += out.size // out.shape[-1] * kernel.size
        for value in equation.params.values():
            inner = getattr(value, "jaxpr", value)
            total += convolutions(inner) if hasattr(inner, "eqns") else 0
    return total


@pytest.mark.parametrize("name", latency.PAPER)
def test_the_count_is_that_of_the_traced_arithmetic(monkeypatch, name):
    """The same, from the jaxpr of the network with lax's convolutions alone."""
    monkeypatch.setattr(layers, "Conv", nn.Conv)
    module = zoo.get(name)(classes=19)
    image = jax.ShapeDtypeStruct((1, 257, 513, 3), jnp.float32)
    shapes = jax.eval_shape(lambda x: module.init(jax.random.key(0), x), image)
    traced = jax.make_jaxpr(lambda v, x: module.apply(v, x)[0])(shapes, image)
    assert convolutions(traced.jaxpr) == latency.macs(module, (257, 513))
