"""Real handwritten digits: the 1,797 8x8 images that scikit-learn carries.

Source: E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine
Learning Repository, 1998 (its test part). Every fifth image, 360 of them, is validation; the
other 1,437 are the pool.
"""

import numpy as np
from jaxtyping import Int32, Int64, UInt8

from salx.data.datasets import Dataset, fingerprint, register
from salx.tasks.classification import Classification


class Digits:
    """Give some of the digits, in scikit-learn's order, a `Source` in memory."""

    def __init__(
        self,
        images: UInt8[np.ndarray, "n 8 8 1"],
        labels: Int32[np.ndarray, " n"],
        original: Int64[np.ndarray, " n"],
    ):
        self.images, self.labels = images, labels
        self.keys = [f"digit_{index:04d}" for index in original]

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int):
        return {"image": self.images[index], "label": self.labels[index]}

    take = __getitem__  # numpy's indexing takes an array of them as well


@register("digits")
def load() -> Dataset:
    """Load the digits, as grey levels 0, 15, ... 240 (the set has 17 levels).

    Returns:
      A classification of 10 classes, its images 8x8x1.
    """
    from sklearn import datasets  # takes a second, for nobody else

    bunch = datasets.load_digits()
    images = (bunch.images * 15).astype(np.uint8)[..., None]
    labels = bunch.target.astype(np.int32)
    index = np.arange(len(labels))
    val = index % 5 == 0
    pool, held_out = (Digits(images[half], labels[half], index[half]) for half in (~val, val))
    return Dataset(
        name="digits",
        task=Classification(),
        about="8x8 handwritten digits of the UCI repository, as scikit-learn carries them",
        classes=tuple(str(digit) for digit in range(10)),
        pool=pool,
        val=held_out,
        image_shape=images.shape[1:],
        mean=(0.287,),
        std=(0.354,),
        fingerprint=fingerprint(pool.keys, images.tobytes(), labels.tobytes()),
    )
