"""The library: what `import salx` gives. See salx/__init__.py for the short of it."""

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
    """Load a surrogate: a past model that chooses.

    Args:
      source: the folder of a finished run, also in a bucket; a file of weights (.safetensors,
        .npz, .pth, .ckpt) of a known network; "A+B" or a list for an ensemble; "module:Name"; or a
        function of images uint8[B, H, W, 3] that gives logits [B, C], or a dict of "logits",
        "features" [B, d] and "score" [B].
      **options: `size` (height, width), what a file of weights or a function sees of an image,
        by default what the file's network is made for: 32x32 of the CIFAR networks, of others
        224x224, cut from a shorter side of 256; `classes`, their names, a text file with a name
        a line, or "imagenet"; of a file also `origin`, whose definition a MobileNetV3 is for
        ("torchvision", "timm" or "tf"), and `weights`, "ema" or "plain" where it has both; of a
        function `task` ("classification") and `outputs`, which of those it gives.

    Returns:
      A Surrogate, for `select`.

    Raises:
      salx.InputError: naming the file or argument that cannot be used.
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

    Args:
      pool: of `images`, or what that takes.
      surrogate: of `load`, or what that takes; None for a policy that asks nobody.
      policy: a policy's name, also with options, "entropy,aggregation=mean"; `module:Class`; or
        a Policy.
      budget: how many to choose, or a share of the pool in percent.
      labelled: what is labelled already and never chosen: a record of an earlier selection, a
        table or list of images of any kind (text, CSV, JSON lines, Label Studio's exports,
        COCO), a folder of labelled images, a key or path of an image, a Selection, or several
        of these.
      **settings: `seed` (0); `labelled_missing` ("stop"; "ok" goes on where less than half of
        what is labelled is in the pool); and what changes no choice: `batch` (64), `threads`
        (2), `workers` (0), `resume`, a folder in which a long pass is kept, and `observer`.

    Returns:
      A Selection, best first.

    Raises:
      salx.InputError: before anything is scored, naming the argument that cannot be used.
      salx.RunError: naming the image that cannot be read, or whose score is not finite.
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
    """A study: surrogates choose, deployments are trained on it, and every pair is compared.

    Args:
      config: a config of `salx.study.config.base()` or `salx.study.recipes`, changed.
      workdir: the study's folder, or gs://BUCKET/FOLDER.
      worker: (i, n): do the share of the i-th of n workers, counted from 0.
      observer: hears how the study goes; by default progress is shown on the terminal.
    """

    def report(self) -> Path:
        """Draw the report of what is there; return the path of its page."""
        return report.write(self.workdir)

    def table(self, width: int | None = None) -> "Text":
        """Return the verdict and the tables of what is there, as text of `width` columns."""
        return report.summary(self.workdir, width)


def compare(every: Sequence[Selection]) -> dict[str, Any]:
    """Compare what several surrogates chose from one pool: overlap of the picks, correlation of
    the scores, their spread, and the classes that each predicts."""
    return comparing.compare([comparing.opinion(each) for each in every])
