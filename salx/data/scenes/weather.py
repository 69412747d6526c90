"""Light and weather: some conditions are common, some are rare."""

from typing import NamedTuple

from salx.data.scenes.canvas import Colour


class Weather(NamedTuple):
    """Describe the light on a street, its sky and its air.

    Attributes:
      light: the light's colour; times a material's colour it gives a pixel's.
      zenith: the sky's colour above.
      skyline: the sky's colour at the horizon, and that of haze.
      clouds: how much brighter or darker than the sky clouds are, as a part of it.
      sight: the distance in metres from which half of the light is the haze's.
      lit: the part of windows and lamps that is on, 0..1.
      wet: how much the road mirrors, 0..1.
      rain: the part of pixels with a drop of rain, 0..1.
    """

    light: Colour
    zenith: Colour
    skyline: Colour
    clouds: float
    sight: float
    lit: float = 0.0
    wet: float = 0.0
    rain: float = 0.0


CLEAR = Weather((1.0, 0.96, 0.88), (0.3, 0.5, 0.85), (0.75, 0.84, 0.93), 0.35, 420)
OVERCAST = Weather((0.72, 0.74, 0.78), (0.6, 0.63, 0.68), (0.78, 0.79, 0.8), 0.18, 220, 0.05)
DUSK = Weather((0.55, 0.44, 0.42), (0.28, 0.28, 0.48), (0.95, 0.6, 0.38), 0.2, 260, 0.3)
RAIN = Weather((0.52, 0.55, 0.6), (0.44, 0.47, 0.52), (0.6, 0.62, 0.65), 0.12, 90, 0.25, 0.35, 0.02)
FOG = Weather((0.68, 0.69, 0.7), (0.72, 0.73, 0.74), (0.74, 0.75, 0.76), 0.03, 28, 0.15, 0.1)
NIGHT = Weather((0.13, 0.14, 0.2), (0.02, 0.03, 0.07), (0.12, 0.1, 0.13), 0.04, 150, 0.45, 0.15)
# each with the part of drives that it and those before it make up
WEATHERS = ((0.4, CLEAR), (0.64, OVERCAST), (0.76, DUSK), (0.86, RAIN), (0.93, FOG), (1.0, NIGHT))
