"""The recipes that configs share: the paper's where it states them, public ones where not.

Source: "Back to the Future: Models as Active Learning Surrogates for Next Generation ML
Deployments", Sec. 5.1: ten cycles from 2 % to 20 % of the pool, the first one random, three
seeds; models are trained anew from the pretrained backbone in every cycle.
"""

from ml_collections import ConfigDict

from salx.infra.errors import InputError, cut, unknown
from salx.study.config import base

SMALL = "small"  # the word that cuts a study to what a laptop does in minutes

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


def words(argument: str, *labels: str) -> tuple[str, str]:
    """Read a config's argument, such as `res18,small` of `configs/cityscapes.py:res18,small`.

    Args:
      argument: one of the labels and, where the small study is wanted, `small`, with a comma
        between them.
      labels: the words of which one must be there.

    Returns:
      The label, and "small" or "".

    Raises:
      InputError: for any other argument; it names the words that there are.
    """
    written = argument.split(",") if argument else []
    for word in written:
        if word not in (*labels, SMALL):
            raise unknown("word", word, (*labels, SMALL))
    chosen = [word for word in written if word != SMALL]
    if len(chosen) != 1 or len(written) > 2:
        instead = f", not {cut(argument)!r}" if argument else ""
        example = f"':{labels[0]}' or ':{labels[0]},{SMALL}'"
        raise InputError(f"needs one of the words {', '.join(labels)}, as {example}{instead}")
    return chosen[0], SMALL if SMALL in written else ""


def one(config: ConfigDict, *labels: str) -> ConfigDict:
    """The models as surrogates and deployments both."""
    config.surrogates = config.deployments = labels
    return config


def from_scratch(config: ConfigDict) -> None:
    """Leaves out the weights that training would start from."""
    leave_out(config, "pretrained")


def leave_out(config: ConfigDict, option: str) -> None:
    """No model has the option any more."""
    for options in config.models.values():
        if option in options:
            del options[option]


def curves(config: ConfigDict) -> ConfigDict:
    """The paper's Figure 3: a model chooses for itself by each policy, and is measured after
    every cycle; beside it, what it reaches on the whole pool."""
    config.policies = ("entropy", "learning_loss", "core_set", "true_loss")
    config.deploy_cycles = tuple(range(config.cycles))
    config.potentials = True
    return config


def histograms(config: ConfigDict) -> ConfigDict:
    """The paper's Figure 4: models that are trained on the same random tenth of the pool, and
    their entropies over the rest, of which each would choose another tenth of the pool.

    The models are the surrogates' own, after cycle 0: nothing is trained on what they choose.
    """
    config.cycles, config.deploy_cycles = 2, (0,)
    return config


def generations(config: ConfigDict, *labels: str) -> ConfigDict:
    """A lineage beside the surrogates, the models of a fleet one after the other: each is
    trained on what those before it chose, and chooses on; and every model's potential."""
    config.lineages = {"fleet": labels}
    config.deploy_cycles = (config.cycles // 2 - 1, config.cycles - 1)
    config.potentials = True
    return config


def laptop(config: ConfigDict, argument: str, size: tuple[int, int], budget: float) -> ConfigDict:
    """Cut a study to what shows within minutes on a laptop that all of it works.

    Args:
      config: the whole study.
      argument: "small", or "" for the whole study as it is.
      size: height and width of the small study's images, in pixels.
      budget: the share of the pool that the small study labels.

    Returns:
      The config: small, it has one seed, three cycles, 8 steps of 4 images at rate 0.01 for every
      model, no pretrained weights, and no worker processes.

    Raises:
      InputError: for any other argument.
    """
    if argument not in ("", SMALL):
        raise unknown("word", argument, (SMALL,))
    if not argument:
        return config
    from_scratch(config)  # nothing is downloaded
    leave_out(config, "train")
    config.seeds, config.cycles, config.budget = 1, 3, budget
    config.train.update(batch=4, steps=8, epochs=0.0, learning_rate=0.01, workers=0, threads=2)
    config.train.log_every = 4
    config.score.batch = config.evaluate.batch = 4
    config.transform.size = config.transform.evaluate_size = size
    if config.transform.get("evaluate") == "center_crop":
        config.transform.evaluate_resize = round(min(size) * 256 / 224)
    else:
        config.transform.evaluate = "fit"
    return config


def imagenet(argument: str, *labels: str) -> ConfigDict:
    """The paper's classification: 90 epochs, batch 256, rate 0.1 divided by ten every 30 epochs,
    momentum 0.9, weight decay 1e-4, random resized crops of 224 and flips; evaluation 256/224.
    As everywhere here, decay spares biases and batch normalisation."""
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
    """DeepLabv3+ over the labels' backbones. The paper states SGD with momentum 0.9 and weight
    decay 4e-4 except for batch normalisation. It leaves out rate and schedule: 0.01 and poly
    0.9, scale 0.5 to 2, flips, cross-entropy that ignores 255 are the nearest public recipes'."""
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
    """The paper's: 220 epochs, batch 4, or 6 for Xception-65; whole images for evaluation and
    scoring. Crops of 768 are the nearest public recipe's."""
    config = segmentation("cityscapes", *labels)
    config.dataset.source = "folder"
    config.transform.size = (768, 768)
    config.train.update(batch=4, epochs=220.0)
    if "xc65" in labels:
        config.models.xc65.train = {"batch": 6}
    config.score.batch = config.evaluate.batch = 4
    return laptop(config, argument, (128, 256), 0.75)


def ade20k(argument: str, *labels: str) -> ConfigDict:
    """The paper's: 64 epochs, batch 16. Crops of 512 are the nearest public recipe's; images of
    all sizes are scaled into 512x683 for evaluation and scoring, which is our choice."""
    config = segmentation("ade20k", *labels)
    config.dataset.source = "folder"
    config.transform.update(size=(512, 512), evaluate="fit", evaluate_size=(512, 683))
    config.train.update(batch=16, epochs=64.0)
    config.score.batch = config.evaluate.batch = 8
    return laptop(config, argument, (96, 128), 0.75)


def camvid(argument: str, *labels: str) -> ConfigDict:
    """Our recipe: 360x480 images whole, crops as large, 12,000 images' worth of steps."""
    config = segmentation("camvid", *labels)
    config.transform.update(size=(352, 480))
    config.train.update(batch=4, steps=3000, workers=2)
    config.score.batch = config.evaluate.batch = 8
    return laptop(config, argument, (96, 128), 0.2)


def scenes(argument: str, *labels: str) -> ConfigDict:
    """Our recipe for the synthetic street scenes, from scratch."""
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
    """Ours, the quickstart's: three networks, trainings of 150 steps."""
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
    """K. He et al.'s recipe for CIFAR-10 (arXiv 1512.03385): rate 0.1, momentum 0.9, weight decay
    1e-4, batch 128, pad by 4, crop, flip; here with a cosine and half the batch, for few labels."""
    config = base()
    config.dataset.update({"name": "cifar10", "dir": "data/cifar10", "source": "folder"})
    config.models = {label: {"name": f"cifar_resnet{label[3:]}"} for label in labels}
    config.transform.update(train="pad_crop", size=(32, 32), flip=True)
    config.train.update(batch=64, epochs=60.0, learning_rate=0.1, warmup=0.05, threads=2)
    config.score.batch = config.evaluate.batch = 500
    config = laptop(one(config, *labels), argument, (32, 32), 0.06)
    config.transform.evaluate = "none"
    return config
