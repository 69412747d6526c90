"""The options that data sets and transforms take, with their defaults."""

# What any data set takes beside its own options (see salx.data.datasets.load).
DATASET = {"resize": 0, "cache": "", "on_error": "raise"}

# What becomes of an image, with its mask; sizes are (H, W), (0, 0) is the images' own.
TRANSFORM = {
    "train": "none",  # none, resized_crop, scale_crop, pad_crop
    "size": (0, 0),  # what training sees
    "area": (0.08, 1.0),  # of resized_crop: share of the image
    "scale": (0.5, 2.0),  # of scale_crop
    "pad": 4,  # of pad_crop: pixels on each side
    "flip": False,
    "jitter": 0.0,  # strength of brightness, contrast and saturation
    "evaluate": "none",  # none, center_crop, fit
    "evaluate_size": (0, 0),  # what evaluation and scoring see
    "evaluate_resize": 0,  # of center_crop: the short side before it
}
