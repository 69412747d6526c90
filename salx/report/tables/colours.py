"""Colour a table's cells from the worst of their row to the best, in light and in dark."""

Colour = tuple[int, int, int]  # red, green, blue, 0 to 255
Scale = tuple[Colour, Colour, Colour]  # worst, middle, best

# Dark ink reads on all light shades, light ink on all dark ones.
LIGHT: Scale = ((0xF5, 0xD0, 0xBA), (0xF7, 0xF4, 0xE9), (0xA9, 0xDB, 0xD1))
DARK: Scale = ((0x5E, 0x33, 0x22), (0x35, 0x34, 0x30), (0x12, 0x54, 0x4B))


def colour(shade: float, scale: Scale = LIGHT) -> str:
    """Mix the colour of a shade.

    Args:
      shade: from worst (0) over the middle (0.5) to best (1).
      scale: the colours of these three.

    Returns:
      `#rrggbb`.
    """
    low, high = scale[:2] if shade < 0.5 else scale[1:]
    way = 2 * shade if shade < 0.5 else 2 * shade - 1
    return "#" + "".join(f"{round(a + (b - a) * way):02x}" for a, b in zip(low, high, strict=True))


def shading(shade: float | None) -> str:
    """Give the CSS properties that colour a cell in light and in dark.

    Args:
      shade: 0 for the worst to 1 for the best; None for no colour.

    Returns:
      The properties; empty for no colour.
    """
    return "" if shade is None else f"--light:{colour(shade, LIGHT)};--dark:{colour(shade, DARK)}"
