"""Makes golden/*.npz: what torchvision's and timm's modules say, with weights from a seed,
in float64 (kept as float32), so that a difference is the rounding of ours alone.

    PYTHONPATH=. python tests/models/make_golden.py [CASE ...]

Run by hand, once, in an environment of its own with torch 2.13, torchvision 0.29 (importable
beside a CPU torch), timm 1.0.31 and numpy. The tests need none of them.
"""

import functools
import sys
from pathlib import Path

import numpy as np
import timm
import torch
import torchvision
from timm.models.xception_aligned import SeparableConv2d
from torch import nn
from torch.nn import functional
from torchvision.models import resnet
from torchvision.models.segmentation.deeplabv3 import ASPP

from tests.models.seeded import BATCH, CASES, images, inventory, statistics, thinned, weight

GOLDEN = Path(__file__).parent / "golden"


class ResNet20(nn.Module):
    """The CIFAR network's stages under an ImageNet stem; output stride 8 dilates the last."""

    def __init__(self, classes: int | None, output_stride: int = 16):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        block = timm.models.resnet.BasicBlock
        for stage, (before, width) in enumerate([(16, 16), (16, 32), (32, 64)], 1):
            stride = 2 if stage == 2 or (stage == 3 and output_stride == 16) else 1
            rate = 2 if stage == 3 and output_stride == 8 else 1
            down = nn.Sequential(
                nn.Conv2d(before, width, 1, stride, bias=False), nn.BatchNorm2d(width)
            )
            down = down if stage > 1 else None
            first = block(before, width, stride, down, dilation=rate, first_dilation=1)
            rest = [block(width, width, dilation=rate) for _ in range(2)]
            self.add_module(f"layer{stage}", nn.Sequential(first, *rest))
        self.fc = nn.Linear(64, classes) if classes else None

    def maps(self, x):
        x = functional.max_pool2d(functional.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        for stage in (self.layer1, self.layer2, self.layer3):
            x = stage(x)
            yield x

    def forward(self, x):
        maps = list(self.maps(x))
        return self.fc(maps[-1].mean((2, 3))) if self.fc else maps


class CifarBlock(resnet.BasicBlock):
    """A basic block with the parameter-free shortcut of akamaster's networks."""

    def __init__(self, inplanes: int, planes: int, stride: int):
        super().__init__(inplanes, planes, stride)
        self.pad = (planes - inplanes) // 2

    def forward(self, x):
        y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        x = x[:, :, :: self.conv1.stride[0], :: self.conv1.stride[0]]
        return self.relu(y + functional.pad(x, (0, 0, 0, 0, self.pad, self.pad)))


class CifarResNet(nn.Module):
    """ResNet-20 of akamaster's pytorch_resnet_cifar10, and those of fewer blocks in a stage."""

    def __init__(self, classes: int, blocks: int):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16)
        for stage, (before, width) in enumerate([(16, 16), (16, 32), (32, 64)], 1):
            first = CifarBlock(before, width, 1 if stage == 1 else 2)
            rest = [CifarBlock(width, width, 1) for _ in range(blocks - 1)]
            self.add_module(f"layer{stage}", nn.Sequential(first, *rest))
        self.linear = nn.Linear(64, classes)

    def forward(self, x):
        x = functional.relu(self.bn1(self.conv1(x)))
        return self.linear(self.layer3(self.layer2(self.layer1(x))).mean((2, 3)))


class Maps(nn.Module):
    """A timm network as a dilated backbone: its maps at strides 4, 8, 16 and 32, as it counts."""

    def __init__(self, name: str, output_stride: int):
        super().__init__()
        options = {"features_only": "mobile" in name, "output_stride": output_stride}
        self.net = timm.create_model(name, pretrained=False, **options)
        self.listed = options["features_only"]

    def forward(self, x):
        if self.listed:
            return self.net(x)[1:]
        return self.net.forward_intermediates(x, intermediates_only=True)[1:]


class DeepLab(nn.Module):
    """DeepLabv3+ over a backbone that gives its maps."""

    def __init__(self, backbone: nn.Module, low: int, high: int, classes: int):
        super().__init__()
        self.maps = backbone
        self.aspp = ASPP(high, [6, 12, 18], 256)
        self.low_level = nn.Sequential(
            nn.Conv2d(low, 48, 1, bias=False), nn.BatchNorm2d(48), nn.ReLU()
        )
        self.decoder = nn.Sequential(SeparableConv2d(304, 256), SeparableConv2d(256, 256))
        self.classifier = nn.Conv2d(256, classes, 1)

    def forward(self, x):
        low, *_, high = self.maps(x)
        up = functools.partial(functional.interpolate, mode="bilinear", align_corners=False)
        y = torch.cat([up(self.aspp(high), low.shape[2:]), self.low_level(low)], 1)
        return up(self.classifier(self.decoder(y)), x.shape[2:])


TIMM = {
    "mobilenet_v3_small": "mobilenetv3_small_100",
    "mobilenet_v3_large": "mobilenetv3_large_100",
}
WIDTHS = {
    "resnet18": (64, 512),
    "resnet50": (256, 2048),
    "xception65": (256, 2048),
    "mobilenet_v3_small": (16, 576),
}


def reference(case: str) -> nn.Module:
    """The PyTorch module of a case."""
    name, options, _ = CASES[case]
    network = name.removeprefix("deeplab_")
    timm_name = TIMM.get(network, network)
    stride, classes = options.get("output_stride", 16), options["classes"]
    if name != network:
        return DeepLab(Maps(timm_name, stride), *WIDTHS[network], classes)
    if name.startswith("cifar_resnet"):
        return CifarResNet(classes, (int(name.removeprefix("cifar_resnet")) - 2) // 6)
    if name == "resnet20":
        return ResNet20(classes, stride)
    if classes is None:
        return Maps(timm_name, stride)
    if name == "xception65" or options.get("origin") in ("timm", "tf"):
        prefix = "tf_" if options.get("origin") == "tf" else ""
        return timm.create_model(prefix + timm_name, num_classes=classes)
    return getattr(torchvision.models, name)(num_classes=classes)


def file_names(case: str, state: dict) -> dict[str, str]:
    """The names in a file of weights -> those of the reference here."""
    dropped = ("fc.", "head.") if CASES[case][1]["classes"] is None else ()
    names = {}
    for key in state:
        name = key.replace("maps.net.", "backbone.").removeprefix("net.")
        if not (name.startswith((*dropped, "backbone.fc.", "backbone.head.")) or "tracked" in name):
            names[name] = key
    return names


def seed(case: str, module: nn.Module) -> dict[str, str]:
    """Puts the seeded weights in; returns file_names."""
    state = module.state_dict()
    names = file_names(case, state)
    for name, key in names.items():
        state[key] = torch.from_numpy(weight(name, tuple(state[key].shape)))
    module.load_state_dict(state)
    for part in module.modules():
        if isinstance(part, nn.Dropout):
            part.p = 0.0
    return names


def run(module: nn.Module, case: str, train: bool) -> dict[str, np.ndarray]:
    """The outputs, NHWC, thinned."""
    module.train(train)
    x = torch.from_numpy(images(case).transpose(0, 3, 1, 2).copy()).double()
    with torch.no_grad():
        y = module(x)
    parts = y if isinstance(y, list) else [y]
    names = [f"stage{n}" for n in range(1, 5)] if isinstance(y, list) else ["logits"]
    mode = "train" if train else "eval"
    return {
        f"{mode}/{name}": thinned(part.float().moveaxis(1, -1).numpy())
        for name, part in zip(names, parts, strict=False)
    }


def main(cases: list[str]) -> None:
    GOLDEN.mkdir(exist_ok=True)
    for case in cases or CASES:
        module = reference(case).double()
        names = seed(case, module)
        shapes = {name: module.state_dict()[key].shape for name, key in names.items()}
        outputs = {**run(module, case, train=False), **run(module, case, train=True)}
        state = module.state_dict()
        after = {name: state[key].float().numpy() for name, key in names.items()}
        outputs["train/statistics"] = statistics(after)
        np.savez_compressed(GOLDEN / f"{case}.npz", names=inventory(shapes), **outputs)
        scale = {name: f"{np.abs(part).max():.3g}" for name, part in outputs.items()}
        print(case, BATCH, scale)


if __name__ == "__main__":
    main(sys.argv[1:])
