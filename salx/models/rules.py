"""Rules that map the arrays of a file of weights to a network's own, one rule a parameter.

A module offers `weight_rules()`, which yields them all. PyTorch's convolutions are OIHW and its
linear layers OI, ours HWIO and IO. Our names are `params/<layers>/kernel`,
`batch_stats/<layers>/mean` and, for PyTorch's counters of batches, which decide nothing and are
carried along, `num_batches_tracked/<layers>`.
"""

import dataclasses
from collections.abc import Iterator

import numpy as np
from jaxtyping import Shaped

COUNTER = "num_batches_tracked"


@dataclasses.dataclass(frozen=True)
class Rule:
    """Map a parameter of ours to a tensor of a file, and back.

    The file's array is split, transposed and reshaped, in this order; on the way back the
    inverse of each is taken.

    Attributes:
      ours: our flat name, as "params/Conv_0/kernel".
      theirs: the file's name, as "conv1.weight". Rules that split one tensor share it.
      axes: how the file's array is transposed to ours, as (2, 3, 1, 0) from OIHW to HWIO.
      split: (index, count, axis) of a fused tensor: this parameter is the piece of that index
        of so many equal pieces along the axis of the file's array.
      shapes: (the piece's shape in the file, ours), where ours is no transposed of it.
    """

    ours: str
    theirs: str
    axes: tuple[int, ...] | None = None
    split: tuple[int, int, int] | None = None
    shapes: tuple[tuple[int, ...], tuple[int, ...]] | None = None

    def to_ours(self, array: Shaped[np.ndarray, "..."]) -> Shaped[np.ndarray, "..."]:
        """Convert the file's tensor to our array.

        Args:
          array: the whole tensor, also where this parameter is a piece of it.

        Returns:
          The parameter, of the same dtype; a view where that suffices.

        Raises:
          ValueError: for a shape that the tensor cannot have.
        """
        if self.split:
            index, count, axis = self.split
            if array.ndim <= axis or array.shape[axis] % count:
                raise ValueError(f"{self.theirs} {array.shape} has no {count} pieces")
            array = np.split(array, count, axis)[index]
        if self.shapes and array.shape != self.shapes[0]:
            raise ValueError(f"{self.theirs} {array.shape} is not {self.shapes[0]}")
        array = array.transpose(self.axes) if self.axes else array
        return array.reshape(self.shapes[1]) if self.shapes else array

    def to_theirs(self, array: Shaped[np.ndarray, "..."]) -> Shaped[np.ndarray, "..."]:
        """Convert our array to the file's tensor, or to this parameter's piece of it.

        Args:
          array: the parameter.

        Returns:
          The tensor or the piece, of the same dtype; a view where that suffices.
        """
        if self.shapes:
            piece, _ = self.shapes
            array = array.reshape([piece[axis] for axis in self.axes] if self.axes else piece)
        return array.transpose(np.argsort(self.axes)) if self.axes else array

    def their_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Tell the shape of the file's whole tensor.

        Args:
          shape: of our array.

        Returns:
          The shape that the tensor has where ours has `shape`.
        """
        if self.shapes and shape == self.shapes[1]:
            shape = self.shapes[0]
        elif self.axes and len(self.axes) == len(shape):
            shape = tuple(shape[axis] for axis in np.argsort(self.axes))
        if self.split:
            _, count, axis = self.split
            shape = (*shape[:axis], count * shape[axis], *shape[axis + 1 :])
        return shape


def conv(ours: str, theirs: str, bias: bool = False) -> Iterator[Rule]:
    """Map the parameters of a convolution of images.

    Args:
      ours: the layer's path in our network, as "Block_0/Conv_0".
      theirs: its name in the file, as "layer1.0.conv1".
      bias: whether it has one.

    Yields:
      The rules.
    """
    yield Rule(f"params/{ours}/kernel", f"{theirs}.weight", (2, 3, 1, 0))
    if bias:
        yield Rule(f"params/{ours}/bias", f"{theirs}.bias")


def dense(ours: str, theirs: str) -> Iterator[Rule]:
    """Map the parameters of a linear layer with bias.

    Args:
      ours: the layer's path in our network.
      theirs: its name in the file.

    Yields:
      The rules.
    """
    yield Rule(f"params/{ours}/kernel", f"{theirs}.weight", (1, 0))
    yield Rule(f"params/{ours}/bias", f"{theirs}.bias")


def norm(ours: str, theirs: str) -> Iterator[Rule]:
    """Map the parameters and statistics of a batch normalisation, and its counter of batches.

    Args:
      ours: the layer's path in our network.
      theirs: its name in the file.

    Yields:
      The rules.
    """
    yield Rule(f"params/{ours}/scale", f"{theirs}.weight")
    yield Rule(f"params/{ours}/bias", f"{theirs}.bias")
    yield Rule(f"batch_stats/{ours}/mean", f"{theirs}.running_mean")
    yield Rule(f"batch_stats/{ours}/var", f"{theirs}.running_var")
    yield Rule(f"{COUNTER}/{ours}", f"{theirs}.{COUNTER}")


def conv_norm(ours: str, conv_name: str, norm_name: str) -> Iterator[Rule]:
    """Map the parameters of a ConvNorm, whose two layers have names of their own in the file.

    Args:
      ours: the path of the ConvNorm in our network.
      conv_name: the convolution's name in the file.
      norm_name: the batch normalisation's.

    Yields:
      The rules.
    """
    yield from conv(f"{ours}/Conv_0", conv_name)
    yield from norm(f"{ours}/BatchNorm_0", norm_name)


def separable(ours: str, theirs: str) -> Iterator[Rule]:
    """Map the parameters of a Separable, whose layers have timm's names in the file.

    Args:
      ours: the path of the Separable in our network.
      theirs: what the names of its layers begin with in the file.

    Yields:
      The rules.
    """
    yield from conv_norm(f"{ours}/depthwise", f"{theirs}.conv_dw", f"{theirs}.bn_dw")
    yield from conv_norm(f"{ours}/pointwise", f"{theirs}.conv_pw", f"{theirs}.bn_pw")


def below(rule: Rule, ours: str, theirs: str) -> Rule:
    """Return a module's rule for where the module is a submodule of another one.

    Args:
      rule: one of the submodule's.
      ours: the submodule's path in the other module.
      theirs: its name in the file.

    Returns:
      The rule with both names prefixed.
    """
    collection, _, rest = rule.ours.partition("/")
    return dataclasses.replace(
        rule, ours=f"{collection}/{ours}/{rest}", theirs=f"{theirs}.{rule.theirs}"
    )


def layer_of(name: str) -> str:
    """Name the layer of a parameter.

    Args:
      name: of the parameter, ours or a file's.

    Returns:
      `layer1.0.conv1` of `layer1.0.conv1.weight`; `Block_0/Conv_0` of
      `params/Block_0/Conv_0/kernel` and of `num_batches_tracked/Block_0/Conv_0`. A parameter
      outside of all layers counts as a layer of its own name.
    """
    collection, slash, rest = name.partition("/")
    if not slash:
        return name.rpartition(".")[0] or name
    return rest if collection == COUNTER else rest.rpartition("/")[0] or rest
