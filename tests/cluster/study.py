"""The small study's parts, one for each element of an array: file.py:0 and file.py:1."""

import importlib.util
from pathlib import Path

SMALL = Path(__file__).parent.parent / "small_study.py"


def get_config(index: str):
    spec = importlib.util.spec_from_file_location("small_study", SMALL)
    small = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(small)
    config, label = small.get_config(), "ab"[int(index)]
    config.surrogates = config.deployments = (label,)
    config.seeds = 1
    return config
