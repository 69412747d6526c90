"""Give what `import salx` gives. See salx/__init__.py for the short of it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from salx import report
from salx.infra import paths
from salx.infra.errors import ArgumentError
from salx.infra.numbers import shown
from salx.infra.outputs import Guard, Input
from salx.policies import Policy
from salx.selection import compare as comparing
from salx.selection import labelled as labels
from salx.selection import select as selecting
from salx.selection.pool import Pool, images
from salx.selection.result import Selection
from salx.selection.select import Settings
from salx.study import study as studies
from salx.surrogates import kinds
from salx.surrogates.surrogate import Surrogate

if TYPE_CHECKING:
    from rich.text import Text

__all__ = ["Pool", "Selection", "Study", "Surrogate", "compare", "images", "load", "select"]

Labelled = str | Path | Selection | Iterable[str | Path]


def load(source: Any, **options: Any) -> Surrogate:
    """Load a surrogate: a past model that chooses what is worth a label.

    Args:
      source: what to load; its kind follows from what it is:
        - a finished run's folder (W/deployments/...), of this machine or of a bucket;
        - a file of weights (.safetensors, .npz, .pth, .ckpt) of a known network;
        - "A+B", or a list, for an ensemble, which answers with its members' mean probabilities, or
          with those of each member where a policy needs them;
        - "module:Name", a surrogate of your own, from the current folder or a package;
        - a function of images uint8[B, H, W, 3] in RGB that gives logits [B, C], or a dict of
          "logits" [B, C], "features" [B, d] and "score" [B], each what becomes an array of numpy.
      **options: what the source does not say itself:
        - `size`: (height, width) in pixels of what a file's network or a function sees of an image.
          A function needs it. By default a network sees what it is made for: 32x32 of the CIFAR
          networks, of others 224x224, cut from a shorter side of 256.
        - `classes`: the names of the classes of a file or a function: the names, a text file with a
          name a line, or "imagenet".
        - `origin`, of a file: whose definition a MobileNetV3 is for, "torchvision", "timm" or "tf",
          where the names of its weights leave that open.
        - `weights`, of a file: "ema" (the average) or "plain", where it has both.
        - `task`, of a function: "classification" (the default) or "segmentation".
        - `outputs`, of a function: which of "logits", "features" and "score" it gives, ("logits",)
          by default.

    Returns:
      A Surrogate, for `select`.

    Raises:
      InputError: naming the file or argument that cannot be used.
    """
    return kinds.load(source, **options)


def select(
    pool: Pool | str | Path,
    surrogate: Surrogate | str | Path | None,
    policy: str | Policy = "entropy",
    budget: int | str = "2%",
    labelled: Labelled = (),
    **settings: Any,
) -> Selection:
    """Choose from a pool what is worth a label.

    The same pool, surrogate, policy, labels and seed give the same picks, on every rerun and, where
    no two scores tie within float error, on any number of devices.

    Args:
      pool: a Pool of `images`, or what `images` takes, such as a folder.
      surrogate: a Surrogate of `load`, or what `load` takes; None for a policy that asks nobody.
      policy: the name of a policy, also with options, "entropy,aggregation=mean"; "module:Class" of
        your own; or a Policy. `salx.policies.names()` lists the names.
      budget: how many images to choose: a number, or a share of the whole pool, "2%".
      labelled: what is labelled already and never chosen: a record of an earlier selection, a
        table or list of images of any kind (text, CSV, JSON lines, Label Studio's exports,
        COCO), a folder of labelled images, a key or path of an image, a Selection, or several
        of these.
      **settings: how the selection is made:
        - `seed` (0): a whole number, of policies that draw.
        - `labelled_missing` ("stop"): what happens where less than half of the names that a source
          of `labelled` has are in the pool; "ok" goes on.
        - `batch` (64): images that are scored at once, over all devices.
        - `threads` (2), `workers` (0): threads that read images, and processes of so many threads;
          0 reads in this process.
        - `resume` (None): a folder in which a long pass is kept, so that the same call goes on
          where it was interrupted.
        - `observer`: an Observer that hears how the pass goes; by default nobody does.

    Returns:
      A Selection, best first. But for `resume`, nothing is written before one of its methods is
      called.

    Raises:
      ArgumentError: an InputError, before anything is scored, naming the argument that cannot be
        used.
      InputError: before anything is scored, naming the file that cannot be used.
      RunError: naming the image that cannot be read, or whose score is not finite.
    """
    pool = pool if isinstance(pool, Pool) else images(pool)
    answerer = None if surrogate is None else load(surrogate)
    try:
        chosen = Settings(**settings)
    except TypeError as error:
        raise ArgumentError("settings", f"{{name}}: {error}") from error
    several = _sources(labelled)
    done = labels.find(several, pool, chosen.labelled_missing)
    plan = selecting.plan(pool, answerer, policy, budget, done.ids)
    guard = Guard((*plan.guard.inputs, *_inputs(surrogate, several)))
    return selecting.make(replace(plan, guard=guard), chosen)


def _inputs(surrogate: Any, labelled: Sequence[labels.Source]) -> Iterator[Input]:
    """The files, beside the pool's, that the selection's own must spare."""
    if isinstance(surrogate, str | Path):
        for path in kinds.files(str(surrogate)):
            yield Input(path, "surrogate")
    for each in labelled:
        if isinstance(each, str | Path) and not paths.fault(str(each)):
            yield Input(paths.local(each), "labelled")


def _sources(labelled: Labelled) -> list[labels.Source]:
    """What says what is labelled, one by one; a Selection by its keys."""
    several = [labelled] if isinstance(labelled, str | Path | Selection) else labelled
    try:
        several = list(several)
    except TypeError:
        several = [several]
    for each in several:
        if not isinstance(each, str | Path | Selection):
            raise ArgumentError("labelled", f"{{name}}={shown(each)} is no file, key or Selection")
    return [each.keys if isinstance(each, Selection) else each for each in several]


class Study(studies.Study):
    """Run a study: surrogates choose, deployments train on what they chose, every pair is compared.

        config = salx.recipes.digits("small")
        study = salx.Study(config, "W")
        print(study.plan())                 # what there is to do; nothing is done
        study.run()                         # or goes on where it was interrupted
        print(study.table())

    Args:
      config: a config of `salx.study.config.base()` or `salx.recipes`, changed; or the resolved
        StudyConfig.
      workdir: the study's folder, or gs://BUCKET/FOLDER; it is made when the study runs.
      worker: (i, n): do the share of the i-th of n workers, counted from 0.
      observer: an Observer that hears how the study goes; by default progress is shown on the
        terminal.

    Raises:
      InputError: naming the field of the config, or the folder, that cannot be used.
    """

    def report(self, sections: Sequence[str] = ()) -> Path:
        """Draw the report of the runs that are finished so far.

        Args:
          sections: sections of the page besides those that are registered or that packages
            bring, as `module:Class`.

        Returns:
          The path of its page, W/report/index.html.

        Raises:
          InputError: for a folder without a study, for files that are damaged, and for a section
            that fails.
        """
        return report.write(self.workdir, sections)

    def table(self, width: int | None = None) -> "Text":
        """Make the verdict and the tables of the runs that are finished so far.

        Args:
          width: columns of text; None for as many as the console has.

        Returns:
          A rich.text.Text, to be printed, or shown by a notebook.

        Raises:
          InputError: for a folder without a study, and for files that are damaged.
        """
        return report.summary(self.workdir, width)


def compare(every: Sequence[Selection]) -> dict[str, Any]:
    """Compare what several surrogates chose from one pool.

    Args:
      every: two selections or more, of the same pool and the same labelled images.

    Returns:
      {"surrogates": [...], "pairs": [...]} in plain values. Of each surrogate its "name", the
      spread of its "scores" and the share of each class in its "predictions". Of any two the
      overlap of the picks ("jaccard", |A and B| / |A or B|, 0 to 1) and the rank correlations of
      the scores of all candidates ("spearman", and "kendall" for tau-b, -1 to 1; None for policies
      without scores).
    """
    return comparing.compare([comparing.opinion(each) for each in every])
