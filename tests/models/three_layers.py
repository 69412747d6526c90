"""Three convolutions, one of each kind, for tests in this process and in others."""

from salx.models import conv

KERNELS = [(3, 3, 1, 8), (1, 1, 8, 8), (3, 3, 8, 8)]


def loss(kernels, x):
    """A depthwise, a strided 1x1 and a dense convolution."""
    for n, kernel in enumerate(kernels):
        groups = 8 if n == 0 else 1
        module = conv.Conv(
            8, kernel.shape[:2], 1 + n % 2, use_bias=False, feature_group_count=groups
        )
        x = module.apply({"params": {"kernel": kernel}}, x)
    return (conv.max_pool(x) ** 2).mean()
