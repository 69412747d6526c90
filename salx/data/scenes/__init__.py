"""A renderer of street scenes: a road, a camera that drives along it, light and weather."""
