import hashlib
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from salx.data import decoding
from salx.data.sets import ade20k, camvid, cityscapes, classes
from tests.data.files import SHARED

# The Cityscapes benchmark: trainIds 0 to 18 in order, each with its labelId and colour.
BENCHMARK = [
    ("road", 7, (128, 64, 128)),
    ("sidewalk", 8, (244, 35, 232)),
    ("building", 11, (70, 70, 70)),
    ("wall", 12, (102, 102, 156)),
    ("fence", 13, (190, 153, 153)),
    ("pole", 17, (153, 153, 153)),
    ("traffic light", 19, (250, 170, 30)),
    ("traffic sign", 20, (220, 220, 0)),
    ("vegetation", 21, (107, 142, 35)),
    ("terrain", 22, (152, 251, 152)),
    ("sky", 23, (70, 130, 180)),
    ("person", 24, (220, 20, 60)),
    ("rider", 25, (255, 0, 0)),
    ("car", 26, (0, 0, 142)),
    ("truck", 27, (0, 0, 70)),
    ("bus", 28, (0, 60, 100)),
    ("train", 31, (0, 80, 100)),
    ("motorcycle", 32, (0, 0, 230)),
    ("bicycle", 33, (119, 11, 32)),
]


def test_every_cityscapes_label_id_becomes_its_train_id():
    assert cityscapes.LABELS.names == tuple(name for name, _, _ in BENCHMARK)
    assert cityscapes.LABELS.palette == tuple(colour for _, _, colour in BENCHMARK)
    train_ids = {label_id: number for number, (_, label_id, _) in enumerate(BENCHMARK)}
    for value in range(256):
        wanted = train_ids.get(value, 255) if value in {*range(34), 255} else decoding.UNKNOWN
        assert cityscapes.LABELS.map[value] == wanted, value


def test_every_ade20k_value_becomes_its_class():
    assert len(ade20k.LABELS.names) == len(set(ade20k.LABELS.names)) == 150
    for value in range(256):
        wanted = {0: 255, 255: 255}.get(value, value - 1 if value <= 150 else decoding.UNKNOWN)
        assert ade20k.LABELS.map[value] == wanted, value


def test_ade20k_colours_are_those_of_its_colour_map():
    colours = dict(zip(ade20k.LABELS.names, ade20k.LABELS.palette, strict=True))
    wanted = {"wall": (120, 120, 120), "sky": (6, 230, 230), "person": (150, 5, 61)}
    wanted |= {"lake": (10, 190, 212), "clock": (102, 255, 0), "flag": (92, 0, 255)}
    assert {name: colours[name] for name in wanted} == wanted
    # Only these two share one.
    assert colours["road"] == colours["skyscraper"] == (140, 140, 140)
    assert len(set(colours.values())) == 149


def test_ade20k_names_are_those_of_its_list():
    path = SHARED / "ade20k_layout" / "ADEChallengeData2016" / "objectInfo150.txt"
    if not path.exists():
        pytest.skip("no ADE20K list of classes here")
    rows = [line.split("\t") for line in path.read_text().splitlines()[1:]]
    assert [int(row[0]) for row in rows] == list(range(1, 151))
    firsts = tuple(row[4].split(",")[0].strip() for row in rows)
    assert ade20k.LABELS.names == firsts


def test_the_objects_of_ade20k_are_a_hundred_of_its_classes():
    names = ade20k.OBJECTS.names
    # Numbers 1, 2, 4, 9, 83 and 100 of instanceInfo100.
    wanted = {0: "bed", 1: "windowpane", 3: "person", 8: "car", 82: "bicycle", 99: "flag"}
    assert {number: names[number] for number in wanted} == wanted
    assert len(names) == 100
    assert names == tuple(name for name in ade20k.LABELS.names if name in names)
    assert not {"wall", "sky", "tree", "road", "sea"} & set(names)
    assert ade20k.OBJECTS.map.tolist() == [255, *range(100), *[decoding.UNKNOWN] * 154, 255]


def test_camvid_classes_are_those_of_its_list():
    assert camvid.LABELS.map.tolist() == [*range(11), 255, *[decoding.UNKNOWN] * 243, 255]
    path = SHARED / "camvid" / "classes.json"
    if not path.exists():
        pytest.skip("no CamVid list of classes here")
    known = json.loads(path.read_text())["classes"]
    assert camvid.LABELS.names == tuple(each["name"] for each in known)
    assert camvid.LABELS.palette == tuple(tuple(each["color"]) for each in known)


def test_the_synsets_are_the_challenges_in_order():
    assert len(classes.IMAGENET) == 1000
    assert list(classes.IMAGENET) == sorted(set(classes.IMAGENET))
    known = {"n01440764": 0, "n02814533": 436, "n03100240": 511, "n03461385": 582, "n15075141": 999}
    known |= {"n03792782": 671, "n04069434": 759, "n04335435": 829, "n04552348": 895}
    assert {synset: classes.IMAGENET.index(synset) for synset in known} == known
    # Of the list that tensorflow_datasets and timm carry, a synset a line.
    digest = hashlib.sha256("".join(f"{name}\n" for name in classes.IMAGENET).encode()).hexdigest()
    assert digest == "70002b0ff5de60a3a17a82dbfcff291931f96225ddf941ad2e182fc39e183d15"


def test_cifar_classes_are_in_its_own_order():
    wanted = "airplane automobile bird cat deer dog frog horse ship truck"
    assert " ".join(classes.CIFAR10) == wanted


@given(st.lists(st.integers(0, 33), min_size=1, max_size=40), st.integers(1, 4))
def test_a_mask_is_mapped_pixel_by_pixel(values, width):
    stored = np.array([values] * width, np.uint8)
    label = decoding.mapped(stored, cityscapes.LABELS.map)
    assert label.dtype == np.uint8
    assert label.tolist() == [[int(cityscapes.LABELS.map[value]) for value in values]] * width


@given(st.integers(34, 254))
def test_a_value_of_no_class_is_named(value):
    stored = np.full((3, 4), 7, np.uint8)
    stored[1, 2] = value
    with pytest.raises(ValueError, match=f"the value {value} in the mask"):
        decoding.mapped(stored, cityscapes.LABELS.map)
