"""The recipes that configs share: the paper's where it states them, public ones where not.

Source: "Back to the Future: Models as Active Learning Surrogates for Next Generation ML
Deployments", Sec. 5.1: ten cycles from 2 % to 20 % of the pool, the first one random, three
seeds; models are trained anew from the pretrained backbone in every cycle.
"""

from ml_collections import ConfigDict

from salx.study.config import base
from salx.study.variants import (
    curves,
    from_scratch,
    generations,
    histograms,
    laptop,
    one,
    words,
)

__all__ = [
    "BACKBONES", "ade20k", "camvid", "cifar10", "cityscapes", "curves", "digits", "generations",
    "histograms", "imagenet", "laptop", "one", "scenes", "segmentation", "words",
]  # fmt: skip

# The paper's networks, with the weights that training starts from. Of a ResNet-20 with this stem
# no public ImageNet weights are known: it starts from scratch.
BACKBONES = {
    "res18": {"name": "resnet18", "pretrained": "timm/resnet18.tv_in1k"},
    "res20": {"name": "resnet20"},
    "res34": {"name": "resnet34", "pretrained": "timm/resnet34.tv_in1k"},
    "res50": {"name": "resnet50", "pretrained": "timm/resnet50.tv_in1k"},
    "mnv3": {
        "name": "mobilenet_v3_small",
        "origin": "timm",
        "pretrained": "timm/mobilenetv3_small_100.lamb_in1k",
    },
    "xc65": {"name": "xception65", "pretrained": "timm/xception65.tf_in1k"},
}


def imagenet(argument: str, *labels: str) -> ConfigDict:
    """Make the paper's classification of ImageNet.

    90 epochs, batch 256, rate 0.1 divided by ten every 30 epochs, momentum 0.9, weight decay 1e-4,
    random resized crops of 224 and flips; evaluation 256/224. As in every recipe of this file,
    decay spares biases and batch normalisation.

    Args:
      argument: "small" for the small study, "" for the whole one.
      labels: networks, of those in `BACKBONES`; each is a surrogate and a deployment.

    Returns:
      The config, without a name.
    """
    config = base()
    config.dataset.update({"name": "imagenet", "dir": "data/imagenet", "source": "folder"})
    config.models = {label: {"name": BACKBONES[label]["name"]} for label in labels}
    config.transform.update(train="resized_crop", size=(224, 224), flip=True)
    config.transform.update(evaluate="center_crop", evaluate_size=(224, 224), evaluate_resize=256)
    config.train.update(batch=256, epochs=90.0, learning_rate=0.1, schedule="thirds")
    config.train.update(weight_decay=1e-4, workers=8, save_every=5000)
    config.score.batch = config.evaluate.batch = 512
    return laptop(one(config, *labels), argument, (64, 64), 0.5)


def segmentation(dataset: str, *labels: str) -> ConfigDict:
    """Make what the studies of segmentation share: DeepLabv3+ over backbones.

    The paper states SGD with momentum 0.9 and weight decay 4e-4 except for batch normalisation. It
    leaves out rate and schedule: 0.01 and poly 0.9, scale 0.5 to 2, flips, and cross-entropy that
    ignores 255 are the nearest public recipes'.

    Args:
      dataset: the name of the data set.
      labels: backbones, of those in `BACKBONES`; each is a surrogate and a deployment.

    Returns:
      The config, without a name.
    """
    config = base()
    config.dataset.update({"name": dataset, "dir": f"data/{dataset}"})
    for label in labels:
        options = BACKBONES[label]
        config.models[label] = {**options, "name": f"deeplab_{options['name']}"}
    config.transform.update(train="scale_crop", scale=(0.5, 2.0), flip=True)
    config.train.update(learning_rate=0.01, schedule="poly", weight_decay=4e-4)
    config.train.update(workers=8, save_every=2000)
    return one(config, *labels)


def cityscapes(argument: str, *labels: str) -> ConfigDict:
    """Make the paper's study of Cityscapes.

    220 epochs, batch 4, or 6 for Xception-65; whole images for evaluation and scoring. Crops of 768
    are the nearest public recipe's.

    Args:
      argument: "small" for the small study, "" for the whole one.
      labels: backbones, of those in `BACKBONES`; each is a surrogate and a deployment.

    Returns:
      The config, without a name.
    """
    config = segmentation("cityscapes", *labels)
    config.dataset.source = "folder"
    config.transform.size = (768, 768)
    config.train.update(batch=4, epochs=220.0)
    if "xc65" in labels:
        config.models.xc65.train = {"batch": 6}
    config.score.batch = config.evaluate.batch = 4
    return laptop(config, argument, (128, 256), 0.75)


def ade20k(argument: str, *labels: str) -> ConfigDict:
    """Make the paper's study of ADE20K.

    64 epochs, batch 16. Crops of 512 are the nearest public recipe's; images of all sizes are
    scaled into 512x683 for evaluation and scoring, which is our choice.

    Args:
      argument: "small" for the small study, "" for the whole one.
      labels: backbones, of those in `BACKBONES`; each is a surrogate and a deployment.

    Returns:
      The config, without a name.
    """
    config = segmentation("ade20k", *labels)
    config.dataset.source = "folder"
    config.transform.update(size=(512, 512), evaluate="fit", evaluate_size=(512, 683))
    config.train.update(batch=16, epochs=64.0)
    config.score.batch = config.evaluate.batch = 8
    return laptop(config, argument, (96, 128), 0.75)


def camvid(argument: str, *labels: str) -> ConfigDict:
    """Make our study of CamVid.

    360x480 images whole, crops of 352x480, and 3,000 steps of 4 of them.

    Args:
      argument: "small" for the small study, "" for the whole one.
      labels: backbones, of those in `BACKBONES`; each is a surrogate and a deployment.

    Returns:
      The config, without a name.
    """
    config = segmentation("camvid", *labels)
    config.transform.update(size=(352, 480))
    config.train.update(batch=4, steps=3000, workers=2)
    config.score.batch = config.evaluate.batch = 8
    return laptop(config, argument, (96, 128), 0.2)


def scenes(argument: str, *labels: str) -> ConfigDict:
    """Make our study of the synthetic street scenes, from scratch.

    Args:
      argument: "small" for the small study, "" for the whole one.
      labels: backbones, of those in `BACKBONES`; each is a surrogate and a deployment.

    Returns:
      The config, without a name.
    """
    config = segmentation("scenes", *labels)
    config.dataset.name = "scenes"
    del config.dataset.dir
    from_scratch(config)
    config.transform.update(size=(128, 256), scale=(0.75, 1.5))
    config.train.update(batch=8, steps=1000, learning_rate=0.05, workers=2)
    config.score.batch = config.evaluate.batch = 16
    if argument:
        config.dataset.update(pool=120, val=20, height=64, width=128)
    return laptop(config, argument, (64, 128), 0.3)


def digits(argument: str) -> ConfigDict:
    """Make the quickstart's study of handwritten digits: three networks, trainings of 150 steps.

    Args:
      argument: "small" for the small study, "" for the whole one.

    Returns:
      The config, without a name.
    """
    config = base()
    config.dataset.name = "digits"
    config.models.res8 = {"name": "cifar_resnet8", "width": 8}
    config.models.res14 = {"name": "cifar_resnet14", "width": 12}
    config.models.res20 = {"name": "cifar_resnet20", "width": 16}
    config.train.update(batch=16, steps=150, warmup=0.1, weight_decay=5e-4)
    config.train.learning_rate = 0.05  # 0.1 let 1 of 144 trainings diverge with batches of 16
    config = laptop(one(config, "res8", "res14", "res20"), argument, (8, 8), 0.06)
    config.transform.evaluate = "none"
    return config


def cifar10(argument: str, *labels: str) -> ConfigDict:
    """Make a study of CIFAR-10 by the recipe of K. He et al. (arXiv 1512.03385).

    Rate 0.1, momentum 0.9, weight decay 1e-4, pad by 4, crop, flip; here with a cosine and batches
    of 64 in the place of 128, for few labels.

    Args:
      argument: "small" for the small study, "" for the whole one.
      labels: networks, as "res20" for ResNet-20; each is a surrogate and a deployment.

    Returns:
      The config, without a name.
    """
    config = base()
    config.dataset.update({"name": "cifar10", "dir": "data/cifar10", "source": "folder"})
    config.models = {label: {"name": f"cifar_resnet{label[3:]}"} for label in labels}
    config.transform.update(train="pad_crop", size=(32, 32), flip=True)
    config.train.update(batch=64, epochs=60.0, learning_rate=0.1, warmup=0.05, threads=2)
    config.score.batch = config.evaluate.batch = 500
    config = laptop(one(config, *labels), argument, (32, 32), 0.06)
    config.transform.evaluate = "none"
    return config
