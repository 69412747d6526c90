"""Street scenes, drawn: a world on a road, a camera driving along it, light and weather."""
