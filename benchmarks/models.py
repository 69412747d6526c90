"""Our networks against PyTorch's modules of the same definition, as ratios of speed.

    pip install -r benchmarks/requirements.txt
    export GLIBC_TUNABLES=glibc.malloc.hugetlb=1  # as launch/environment.sh, for both of them
    python -m benchmarks.models [NAME[:BATCHxSIZE] ...] [--rounds=7] [--lax] [--cpu-time]

For the evaluating forward pass and for a training step (loss, gradients, momentum SGD):
PyTorch's seconds over ours, so that more than 1 is faster, from medians over rounds in which
they take turns. PyTorch's tensors lie channels_last. On an accelerator in float32 and bfloat16,
with operations per second (two a MAC, thrice that to train) as a share of what a product of
matrices reaches there. `--lax` gives all convolutions to lax, to compare; `--cpu-time` takes
this process's CPU seconds instead, for a busy machine: run it under `taskset -c 0`.
"""

import argparse
import functools
import statistics
import time
from collections.abc import Callable, Iterable

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import torch
from rich.console import Console
from rich.table import Table
from torch.nn import functional

from salx.models import layers, zoo
from salx.models.operations import macs

CASES = {  # batch, height and width
    "cifar_resnet8": (128, 32),
    "cifar_resnet14": (128, 32),
    "cifar_resnet20": (128, 32),
    "resnet20": (16, 224),
    "resnet18": (8, 224),
    "resnet34": (8, 224),
    "resnet50": (8, 224),
    "mobilenet_v3_small": (16, 224),
    "mobilenet_v3_large": (16, 224),
    "xception65": (4, 299),
    "deeplab_resnet18": (2, 257),
    "deeplab_resnet50": (2, 257),
    "deeplab_mobilenet_v3_small": (2, 257),
    "deeplab_xception65": (2, 257),
}
CLASSES = 19
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", default=CASES, metavar="NAME[:BATCHxSIZE]")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--lax", action="store_true")
    parser.add_argument("--cpu-time", action="store_true")
    arguments = parser.parse_args()
    clock = time.process_time if arguments.cpu_time else time.perf_counter
    if arguments.lax:
        layers.Conv = nn.Conv
    print(f"jax {jax.__version__} {jax.devices()}, torch {torch.__version__} {device()}")
    accelerated = jax.default_backend() != "cpu"
    for dtype in DTYPES if accelerated else ["float32"]:
        ceiling = matrix_product(dtype, clock) if accelerated else 0.0
        measure(arguments.cases, dtype, ceiling, arguments.rounds, clock)


def measure(cases: Iterable[str], dtype: str, ceiling: float, rounds: int, clock: Callable) -> None:
    """Prints a table; `ceiling` in operations per second, or 0 for none."""
    table = Table(title=f"{dtype}, ceiling {ceiling / 1e12:.3g} TFLOP/s" if ceiling else dtype)
    for column in ("network", "pass", "torch ms", "ours ms", "torch / ours", "of ceiling"):
        table.add_column(column, justify="left" if column in ("network", "pass") else "right")
    for case in cases:
        name, _, shape = case.partition(":")
        batch, size = map(int, shape.split("x")) if shape else CASES[name]
        work = 2 * batch * macs(zoo.get(name)(classes=CLASSES), (size, size))
        ours, theirs = jax_passes(name, batch, size, dtype), torch_passes(name, batch, size, dtype)
        for label, factor in (("forward", 1), ("train", 3)):
            seconds = medians([theirs[label], ours[label]], rounds, clock)
            share = f"{factor * work / seconds[1] / ceiling:.1%}" if ceiling else ""
            numbers = [f"{1e3 * s:.1f}" for s in seconds]
            table.add_row(case, label, *numbers, f"{seconds[0] / seconds[1]:.2f}", share)
    Console(width=100).print(table)


def medians(passes: list[Callable], rounds: int, clock: Callable) -> list[float]:
    """Seconds of each, after one untimed call in each round that lets the other's threads rest."""
    taken = [[] for _ in passes]
    for _ in range(rounds):
        for run, seconds in zip(passes, taken, strict=True):
            run()
            began = clock()
            run()
            seconds.append(clock() - began)
    return [statistics.median(seconds) for seconds in taken]


def jax_passes(name: str, batch: int, size: int, dtype: str) -> dict[str, Callable]:
    module = zoo.get(name)(classes=CLASSES, dtype=dtype)
    images = jnp.asarray(np.random.default_rng(0).normal(size=(batch, size, size, 3)), jnp.float32)
    quick = {"xla_backend_optimization_level": 0} if jax.default_backend() == "cpu" else None
    init = jax.jit(module.init, compiler_options=quick)
    variables = init(jax.random.key(0), images[:1])
    descent = optax.sgd(1e-3, momentum=0.9)
    state = [variables["params"], variables["batch_stats"], descent.init(variables["params"])]

    @jax.jit
    def forward(variables, images):
        return module.apply(variables, images)[0]

    @functools.partial(jax.jit, donate_argnums=0)
    def train(state, images):
        params, stats, moved = state

        def loss(params):
            (logits, _), updated = module.apply(
                {"params": params, "batch_stats": stats},
                images,
                batch_stats=True,
                dropout=True,
                mutable=["batch_stats"],
                rngs={"dropout": jax.random.key(0)},
            )
            labels = jnp.zeros(logits.shape[:-1], jnp.int32)
            losses = optax.softmax_cross_entropy_with_integer_labels(logits, labels)
            return losses.mean(), updated["batch_stats"]

        grads, stats = jax.grad(loss, has_aux=True)(params)
        updates, moved = descent.update(grads, moved, params)
        return [optax.apply_updates(params, updates), stats, moved]

    def step():
        state[:] = train(state, images)
        jax.block_until_ready(state)

    variables = jax.tree.map(jnp.copy, variables)  # the step gives its own away
    return {"forward": lambda: forward(variables, images).block_until_ready(), "train": step}


def torch_passes(name: str, batch: int, size: int, dtype: str) -> dict[str, Callable]:
    golden = torch_modules()
    options = {"classes": CLASSES, **({"origin": "timm"} if "mobilenet" in name else {})}
    golden.CASES["benchmark"] = (name, options, (size, size))
    last = {"memory_format": torch.channels_last}
    module = golden.reference("benchmark").to(device(), **last)
    images = torch.randn(batch, 3, size, size).to(device(), **last)
    descent = torch.optim.SGD(module.parameters(), lr=1e-3, momentum=0.9)
    cast = torch.autocast(device(), DTYPES[dtype], enabled=dtype != "float32")

    def forward():
        module.eval()
        with torch.inference_mode(), cast:
            module(images)
        wait()

    def step():
        module.train()
        descent.zero_grad()
        with cast:
            logits = module(images)
        labels = torch.zeros(logits[:, 0].shape, dtype=torch.long, device=device())
        functional.cross_entropy(logits.float(), labels).backward()
        descent.step()
        wait()

    return {"forward": forward, "train": step}


@functools.cache
def torch_modules():
    """The modules that the golden vectors come from.

    A torchvision of another build than torch cannot register its compiled ops, and need not.
    """
    register = torch.library.register_fake

    def lenient(op, *args, **options):
        def attempt(function):
            try:
                return register(op, *args, **options)(function)
            except RuntimeError:
                return function

        return attempt

    torch.library.register_fake = lenient
    from tests.models import make_golden

    torch.library.register_fake = register
    return make_golden


def device() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"


def wait() -> None:
    if device() == "cuda":
        torch.cuda.synchronize()


def matrix_product(dtype: str, clock: Callable, side: int = 8192) -> float:
    """Operations per second of a square product of matrices: the most to hope for."""
    a = jnp.ones((side, side), dtype)
    product = jax.jit(jnp.matmul)
    (seconds,) = medians([lambda: product(a, a).block_until_ready()], 9, clock)
    return 2 * side**3 / seconds


if __name__ == "__main__":
    main()
