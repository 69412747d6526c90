"""OpenCV's settings for this process, made when pixels are first read and not at import."""

import functools

import cv2


@functools.cache
def prepare() -> None:
    """Let OpenCV use one thread, as readers work side by side already, on an example each, and
    print nothing: what fails is raised with the file's name. Later calls do nothing."""
    cv2.setNumThreads(0)
    cv2.utils.logging.setLogLevel(0)
