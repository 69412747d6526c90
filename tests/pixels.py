"""A tiny segmentation task: squares of three brightnesses, and a network for it."""

import flax.linen as nn
import numpy as np

from salx.data.datasets import Dataset
from salx.models.model import Model
from salx.tasks.segmentation import Segmentation


class Squares:
    """Grey images [8, 12, 1] of squares; a pixel's class is its brightness, 255 at the rim."""

    def __init__(self, count: int, seed: int):
        rng = np.random.default_rng(seed)
        self.labels = rng.integers(0, 3, (count, 4, 6)).repeat(2, 1).repeat(2, 2).astype(np.uint8)
        noise = rng.integers(-20, 20, self.labels.shape)
        self.images = (60 + 60 * self.labels.astype(int) + noise).astype(np.uint8)[..., None]
        self.labels[:, 0] = 255
        self.sizes = np.stack([rng.integers(4, 9, count), rng.integers(6, 13, count)], -1)
        self.keys = [f"square_{seed}_{index}" for index in range(count)]

    def __len__(self):
        return len(self.keys)

    def __getitem__(self, index):
        fields = {"image": self.images, "label": self.labels, "size": self.sizes}
        return {name: values[index] for name, values in fields.items()}

    take = __getitem__


class Net(nn.Module):
    """One convolution for features, one for logits; the intermediates of a DeepLabv3+."""

    classes: int = 3

    @nn.compact
    def __call__(self, x, *, batch_stats=False, dropout=False):
        low = nn.relu(nn.BatchNorm(not batch_stats)(nn.Conv(8, (3, 3))(x)))
        high = nn.relu(nn.Conv(8, (3, 3), strides=2)(low))
        out = {"low_level": low, "high_level": high, "aspp": high, "before_last": low}
        return nn.Conv(self.classes, (1, 1))(low), out


def dataset(count: int = 40) -> Dataset:
    return Dataset(
        name="squares",
        task=Segmentation(),
        about="synthetic squares",
        classes=("dark", "grey", "bright"),
        pool=Squares(count, 0),
        val=Squares(17, 1),
        image_shape=(8, 12, 1),
        mean=(0.5,),
        std=(0.25,),
        fingerprint="squares",
    )


def model(label: str = "pixels") -> Model:
    return Model(label, Net(), (8, 12, 1), (0.5,), (0.25,))
