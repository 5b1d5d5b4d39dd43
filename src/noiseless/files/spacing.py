"""The physical size of a pixel, where microscopes and ImageJ write it into a TIFF description.

The resolution tags alone are no such thing: in a photograph they are the size of the print.
"""

import re

MILLIMETRES = {
    "nm": 1e-6, "nanometer": 1e-6, "µm": 1e-3, "um": 1e-3, "micron": 1e-3, "microns": 1e-3, "micrometer": 1e-3,
    "mm": 1.0, "millimeter": 1.0, "cm": 10.0, "centimeter": 10.0, "m": 1000.0, "meter": 1000.0,
    "inch": 25.4, "in": 25.4,
}  # fmt: skip


def spacing_of(description: str, per_unit: tuple[float, float] | None, ndim: int) -> tuple[float, ...]:
    """Millimetres a pixel along (Z,) Y and X; empty where the description does not say.

    Parameters
    ----------
    description : of the first page: an OME or an ImageJ one; any other gives nothing.
    per_unit : pixels per unit along X and Y, from the resolution tags; ImageJ stores them there.
    ndim : 2 for a picture, 3 for a volume.
    """
    if description.startswith("ImageJ="):
        sizes = _imagej(description, per_unit)
    elif "<OME" in description:
        sizes = _ome(description)
    else:
        return ()
    spacing = sizes[-ndim:]
    return spacing if len(spacing) == ndim and all(0.0 < size < float("inf") for size in spacing) else ()


def _imagej(description: str, per_unit: tuple[float, float] | None) -> tuple[float, ...]:
    fields = dict(line.split("=", 1) for line in description.splitlines() if "=" in line)
    # ImageJ writes the micro sign as an escape, because the description is ASCII.
    unit = MILLIMETRES.get(fields.get("unit", "").replace("\\u00B5", "µ").strip().lower())
    if unit is None or per_unit is None or min(per_unit) <= 0.0:
        return ()
    return _number(fields.get("spacing", "0")) * unit, unit / per_unit[1], unit / per_unit[0]


def _ome(description: str) -> tuple[float, ...]:
    pixels = re.search(r"<(?:\w+:)?Pixels\b[^>]*>", description)
    fields = dict(re.findall(r'\b(PhysicalSize[XYZ](?:Unit)?)="([^"]*)"', pixels.group())) if pixels else {}
    sizes = []
    for axis in "ZYX":
        unit = fields.get(f"PhysicalSize{axis}Unit", "µm").replace("&#181;", "µ").replace("&#xB5;", "µ")
        sizes.append(_number(fields.get(f"PhysicalSize{axis}", "0")) * MILLIMETRES.get(unit, 0.0))
    return tuple(sizes)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
