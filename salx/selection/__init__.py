"""Selections: from a pool of images and a surrogate to the picks, as values and as files."""
