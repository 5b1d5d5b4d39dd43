"""Maps beside the picture: what was removed, how far it may be wrong, where structure went with the noise."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseless.apps.report import embedding
from noiseless.apps.report.document import image, text
from noiseless.apps.report.slices import Plane
from noiseless.apps.viewer import pictures

REMOVED = "Removed: noisy less denoised. It should look like noise, with nothing of the picture in it."

CALIBRATED = (
    "Error: in 68 of 100 pixels the true value is nearer than this. Such figures were checked on photographs, for this "
    "method and kind of noise."
)

UNCALIBRATED = (
    "Error: what noise alone leaves in each pixel. It was not checked for this method and kind of noise, and leaves "
    "out what the method itself gets wrong: the true error may be larger."
)


def map_figures(plane: Plane, restored: Any, unit: str) -> str:
    """Removed, error, structure; each with its colours.

    Parameters
    ----------
    plane, restored : the slice, and the whole
    unit : of the values; empty where it is not known
    """
    units = unit or "units of the file"
    most = pictures.limit_of(plane.removed)
    figures = [
        _Map("removed", REMOVED + _means(plane.removed), (f"−{most:.3g}", "0", f"{most:.3g} {units}"), most).drawn(
            _small(plane.removed)
        )
    ]
    if plane.error is not None:
        limit = pictures.limit_of(plane.error)
        caption = CALIBRATED if restored.error.calibrated else UNCALIBRATED
        figures.append(
            _Map("error", caption + _means(plane.error), ("0", "", f"{limit:.3g} {units}"), limit).drawn(
                _small(plane.error)
            )
        )
    if plane.structure is not None:
        limit = float(restored.audit.structure.limit)
        over = int(np.count_nonzero(plane.structure > limit))
        found = f"{over} of {plane.structure.size} squares are" if over else "No square is"
        caption = (
            f"Structure in what was removed, in squares of 16 by 16 pixels. {found} above what pure noise reaches, "
            "which is the middle of the scale."
        )
        ends = ("0", f"{limit:.3g}", f"{2 * limit:.3g}")
        figures.append(_Map("structure", caption, ends, 2 * limit).drawn(plane.structure))
    return f'<div class="maps">{"".join(figures)}</div>'


@dataclass(frozen=True)
class _Map:
    """A map with what is said of it.

    Parameters
    ----------
    name, caption : for the script, and for people
    ends : what stands below the scale of colours: left, middle, right
    limit : where the scale ends
    """

    name: str
    caption: str
    ends: tuple[str, str, str]
    limit: float

    def drawn(self, values: NDArray[Any]) -> str:
        signed = self.name == "removed"
        picture = embedding.mapped(values, self.limit, signed=signed)
        # The caption says it all beside the picture; a reader who does not see it wants to know which it is.
        shown = image(
            picture.uri,
            f"Map: {self.caption.partition(':')[0].partition(',')[0].lower()}",
            width=picture.width,
            height=picture.height,
            at=f"map-{self.name}",
            name="map",
        )
        colours = image(embedding.scale_of_colours(signed=signed), "", width=255, height=1, name="colours")
        ends = "".join(f"<span>{text(end)}</span>" for end in self.ends)
        caption = f"<figcaption>{text(self.caption)}</figcaption>"
        return f'<figure>{shown}{colours}<span class="ends">{ends}</span>{caption}</figure>'


def _small(values: NDArray[Any]) -> NDArray[Any]:
    shown: NDArray[Any] = embedding.smaller(values[np.newaxis], embedding.MAP_SIDE)[0]
    return shown


def _means(values: NDArray[Any]) -> str:
    return " Each point is a mean over several pixels." if max(values.shape) > embedding.MAP_SIDE else ""
