"""Weights and images from a seed, the same with and without PyTorch, and the golden cases.

What a name's values are depends on the name and shape in PyTorch alone. Only numpy is needed.
"""

import hashlib
import math

import numpy as np

from salx.infra import seeds

# case -> (name of a network, its options, images' height and width)
ODD, TEN = (65, 97), {"classes": 10}
TIMM, TF = {"origin": "timm"}, {"origin": "tf"}
CASES = {
    "cifar_resnet20": ("cifar_resnet20", TEN, (33, 32)),
    "resnet18": ("resnet18", TEN, ODD),
    "resnet34": ("resnet34", TEN, ODD),
    "resnet50": ("resnet50", TEN, ODD),
    "resnet20": ("resnet20", TEN, ODD),
    "mobilenet_v3_small": ("mobilenet_v3_small", {**TEN, "dropout": 0.0}, ODD),
    "mobilenet_v3_small_timm": ("mobilenet_v3_small", {**TEN, **TIMM, "dropout": 0.0}, ODD),
    "mobilenet_v3_small_tf": ("mobilenet_v3_small", {**TEN, **TF, "dropout": 0.0}, ODD),
    "mobilenet_v3_large": ("mobilenet_v3_large", {**TEN, "dropout": 0.0}, ODD),
    "mobilenet_v3_large_timm": ("mobilenet_v3_large", {**TEN, **TIMM, "dropout": 0.0}, ODD),
    "xception65": ("xception65", TEN, ODD),
}
DILATED = {
    f"{name}_os{stride}": (name, {"classes": None, "output_stride": stride, **origin}, ODD)
    for name, origin, strides in (
        ("resnet18", {}, (16,)),
        ("resnet34", {}, (16,)),
        ("resnet50", {}, (8, 16)),
        ("resnet20", {}, (8, 16)),
        ("mobilenet_v3_small", TIMM, (8, 16)),
        ("mobilenet_v3_large", TIMM, (16,)),
        ("xception65", {}, (8, 16)),
    )
    for stride in strides
}
HEAD = {"classes": 19, "dropout": 0.0}
DEEPLABS = {
    "deeplab_resnet18": ("deeplab_resnet18", HEAD, ODD),
    "deeplab_mobilenet_v3_small": ("deeplab_mobilenet_v3_small", {**HEAD, **TIMM}, (129, 97)),
    "deeplab_xception65": ("deeplab_xception65", HEAD, (129, 161)),
}
CASES |= DILATED | DEEPLABS

BATCH = 3


def images(case: str) -> np.ndarray:
    """float32[B, H, W, 3], about normalised: a colour for each image, patches of 8x8, noise.

    Images that differ in their means keep batch statistics over few values well conditioned.
    """
    height, width = CASES[case][2]
    parts = []
    for name, grain in (("colour", 256), ("patches", 8), ("noise", 1)):
        shape = (BATCH, -(-height // grain), -(-width // grain), 3)
        draws = seeds.uniform(math.prod(shape), seeds.derive(0, "images", case, name))
        part = (2 * draws - 1).reshape(shape).repeat(grain, 1).repeat(grain, 2)
        parts.append(part[:, :height, :width])
    return sum(parts).astype(np.float32)


def weight(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Values for a name of PyTorch: weights that keep the scale, statistics near the usual.

    Depthwise filters blur; ones of mean 0 would let rounding grow from layer to layer.
    """
    draws = seeds.uniform(math.prod(shape), seeds.derive(0, name)).reshape(shape)
    centred = 2 * draws - 1
    if shape[1:2] == (1,):
        values = (1 + centred) / math.prod(shape[1:])
    elif len(shape) > 1:
        values = centred * math.sqrt(4 / math.prod(shape[1:]))
    elif name.endswith(("weight", "running_var")):
        values = 1 + 0.4 * centred
    else:
        values = 0.2 * centred
    return values.astype(np.float32)


def thinned(x: np.ndarray) -> np.ndarray:
    """About eight steps along height, width and channels of [B, H, W, C], so that files stay small.

    Classes and statistics are kept whole.
    """
    if x.ndim < 4:
        return x
    return x[(slice(None), *(slice(None, None, max(1, n // 8)) for n in x.shape[1:]))]


def statistics(arrays: dict[str, np.ndarray]) -> np.ndarray:
    """The first four running means and variances of each layer, in the order of names."""
    return np.concatenate([arrays[name][:4] for name in sorted(arrays) if "running_" in name])


def inventory(shapes: dict[str, tuple[int, ...]]) -> str:
    """A digest of names and shapes."""
    lines = [f"{name} {tuple(shapes[name])}" for name in sorted(shapes)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
