"""What turns a recipe into the study that is wanted: a figure of the paper, a lineage, a small one.

Sections and figures are those of "Back to the Future: Models as Active Learning Surrogates for Next
Generation ML Deployments". All of it is also in `salx.recipes`, for configs.
"""

from ml_collections import ConfigDict

from salx.infra.errors import InputError, cut, unknown

SMALL = "small"  # the word that cuts a study to what a laptop does in minutes


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
    """Make models surrogates and deployments both.

    Args:
      config: the study, which is changed.
      labels: those of the models.

    Returns:
      The same config.
    """
    config.surrogates = config.deployments = labels
    return config


def from_scratch(config: ConfigDict) -> None:
    """Leave out the weights that trainings would start from.

    Args:
      config: the study, which is changed.
    """
    _leave_out(config, "pretrained")


def _leave_out(config: ConfigDict, option: str) -> None:
    """Take an option away from every model that has it.

    Args:
      config: the study, which is changed.
      option: the option's name.
    """
    for options in config.models.values():
        if option in options:
            del options[option]


def curves(config: ConfigDict) -> ConfigDict:
    """Measure policies as the paper's Figure 3 does.

    A model chooses for itself by each policy, and is measured after every cycle; its potential is
    what it reaches on the whole pool.

    Args:
      config: the study, which is changed.

    Returns:
      The same config.
    """
    config.policies = ("entropy", "learning_loss", "core_set", "true_loss")
    config.deploy_cycles = tuple(range(config.cycles))
    config.potentials = True
    return config


def histograms(config: ConfigDict) -> ConfigDict:
    """Compare models' entropies as the paper's Figure 4 does.

    Models that are trained on the same random tenth of the pool score the rest of it, of which
    each would choose another tenth of the pool. The models are the surrogates' own, after cycle
    0: nothing is trained on what they choose.

    Args:
      config: the study, which is changed.

    Returns:
      The same config.
    """
    config.cycles, config.deploy_cycles = 2, (0,)
    return config


def generations(config: ConfigDict, *labels: str) -> ConfigDict:
    """Add a lineage, the models of a fleet one after the other, and every model's potential.

    Each model of the lineage is trained on what those before it chose, and chooses on.

    Args:
      config: the study, which is changed.
      labels: the models of the lineage, the oldest first.

    Returns:
      The same config.
    """
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
    _leave_out(config, "train")
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
