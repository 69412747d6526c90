"""Parameters and multiply-accumulates, against the counts made with PyTorch's modules."""

import math

import flax.linen as nn
import jax
import pytest

from salx.models import zoo
from tests.models import nets

# classes -> parameters
PARAMETERS = {
    "cifar_resnet20": {10: 269_722},
    "cifar_resnet32": {10: 464_154},
    "cifar_resnet44": {10: 658_586},
    "cifar_resnet56": {10: 853_018},
    "resnet18": {1000: 11_689_512, None: 11_176_512},
    "resnet34": {1000: 21_797_672, None: 21_284_672},
    "resnet50": {1000: 25_557_032, None: 23_508_032},
    "resnet20": {1000: 338_744, None: 273_744},
    "mobilenet_v3_small": {1000: 2_542_856, None: 927_008},
    "mobilenet_v3_large": {1000: 5_483_032},
    "xception65": {1000: 39_916_312, None: 37_867_312},
    "deeplab_resnet18": {19: 15_466_947, 150: 15_500_614},
    "deeplab_resnet34": {19: 25_575_107, 150: 25_608_774},
    "deeplab_resnet50": {19: 39_210_947, 150: 39_244_614},
    "deeplab_resnet20": {19: 1_235_923, 150: 1_269_590},
    "deeplab_mobilenet_v3_small": {19: 5_690_275, 150: 5_723_942},
    "deeplab_xception65": {19: 53_570_227, 150: 53_603_894},
}
AT_224 = {
    "resnet18": 1_814_073_344,
    "resnet34": 3_663_761_408,
    "resnet50": 4_089_184_256,
    "mobilenet_v3_small": 56_510_400,
}
TABLE_2 = {  # G at 1024x2048, to four figures
    "deeplab_mobilenet_v3_small": "61.06",
    "deeplab_resnet50": "404.05",
    "deeplab_xception65": "512.83",
    "deeplab_resnet18": "180.58",
    "deeplab_resnet20": "33.03",
}


def operations(module: nn.Module, height: int, width: int) -> int:
    """Multiply-accumulates of the convolutions and linear layers that a forward pass calls."""
    total = 0

    def count(call, args, kwargs, context):
        nonlocal total
        y = call(*args, **kwargs)
        if context.method_name == "__call__" and context.module.has_variable("params", "kernel"):
            kernel = context.module.get_variable("params", "kernel")
            total += y.size * math.prod(kernel.shape[:-1])
        return y

    with nn.intercept_methods(count):
        nets.shapes(module, height, width)
    return total


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters(name):
    for classes, expected in PARAMETERS[name].items():
        shapes = nets.shapes(zoo.get(name)(classes=classes))
        assert sum(leaf.size for leaf in jax.tree.leaves(shapes["params"])) == expected


def test_origins_and_strides_leave_parameters_alone():
    counts = set()
    for options in ({}, {"origin": "timm"}, {"origin": "tf"}, {"output_stride": 8}):
        shapes = nets.shapes(zoo.get("mobilenet_v3_small")(classes=1000, **options))
        counts.add(sum(leaf.size for leaf in jax.tree.leaves(shapes["params"])))
    assert counts == {2_542_856}


@pytest.mark.parametrize("name", AT_224)
def test_operations_of_classifiers(name):
    assert operations(zoo.get(name)(classes=1000), 224, 224) == AT_224[name]


@pytest.mark.parametrize("name", TABLE_2)
def test_operations_of_table_2(name):
    total = operations(zoo.get(name)(classes=19), 1024, 2048)
    assert f"{total / 1e9:.2f}" == TABLE_2[name]
