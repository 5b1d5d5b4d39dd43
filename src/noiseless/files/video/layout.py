"""How a video stores its pixels and their colours."""

from dataclasses import dataclass, replace

import av

GRAY, YUV, RGB = "gray", "yuv", "rgb"

LEAST_BITS, MOST_BITS = 8, 16

UNSPECIFIED = 2
"""Of primaries, transfer and matrix, as all codes here by ITU-T H.273; of the range it is 0."""

HD_HEIGHT, BT709, BT601 = 720, 1, 6

LIMITED, FULL = 1, 2

LUMA_WEIGHTS = {
    BT709: (0.2126, 0.0722),
    4: (0.30, 0.11),
    5: (0.299, 0.114),
    BT601: (0.299, 0.114),
    7: (0.212, 0.087),
    9: (0.2627, 0.0593),
    10: (0.2627, 0.0593),
}
"""Of red and blue, by the code of the matrix."""

RANGES = ("unspecified", "limited", "full")
MATRICES = {0: "rgb", BT709: "bt709", 4: "fcc", 5: "bt470bg", BT601: "smpte170m", 7: "smpte240m", 8: "ycgco"} | {
    9: "bt2020nc",
    10: "bt2020c",
}
PRIMARIES = {1: "bt709", 4: "bt470m", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "film", 9: "bt2020"} | {
    11: "smpte431",
    12: "smpte432",
}
TRANSFERS = {1: "bt709", 4: "gamma22", 5: "gamma28", 6: "smpte170m", 7: "smpte240m", 8: "linear"} | {
    13: "srgb",
    14: "bt2020-10",
    15: "bt2020-12",
    16: "smpte2084",
    18: "arib-std-b67",
}


SAMPLINGS = {(1, 1): "444", (2, 1): "422", (2, 2): "420", (1, 2): "440", (4, 1): "411", (4, 4): "410"}
"""How many pixels across and down share one colour, and what such formats are called."""


@dataclass(frozen=True)
class Layout:
    """What a pixel format holds.

    Parameters
    ----------
    kind : "gray", "yuv" or "rgb"
    bits : of a sample, 8 to 16
    sampling : how many pixels across and down share one colour
    alpha : whether there is a channel of transparency
    """

    kind: str
    bits: int
    sampling: tuple[int, int] = (1, 1)
    alpha: bool = False

    @property
    def plain(self) -> str:
        """The pixel format of planes in which the samples are converted; without the channel of transparency."""
        deep = "" if self.bits == LEAST_BITS else f"{self.bits}le"
        if self.kind == GRAY:
            return f"gray{deep}"
        if self.kind == RGB:
            return f"gbrp{deep}"
        return f"yuv{SAMPLINGS[self.sampling]}p{deep}"


@dataclass(frozen=True)
class ColourTags:
    """What the samples of a video mean, by the codes of ITU-T H.273; what is unspecified stays so in a result.

    Parameters
    ----------
    range : 0 unspecified, 1 limited (16 to 235 of 255), 2 full
    primaries, transfer, matrix : 2 unspecified
    """

    range: int = 0
    primaries: int = UNSPECIFIED
    transfer: int = UNSPECIFIED
    matrix: int = UNSPECIFIED

    def described(self) -> dict[str, str]:
        """By name."""
        return {
            "range": RANGES[self.range] if 0 <= self.range < len(RANGES) else str(self.range),
            "primaries": _name(PRIMARIES, self.primaries),
            "transfer": _name(TRANSFERS, self.transfer),
            "matrix": _name(MATRICES, self.matrix),
        }

    def weights(self, height: int) -> tuple[float, float]:
        """Of red and blue in the luma. Where the matrix is unspecified, as players have it: by the height."""
        usual = LUMA_WEIGHTS[BT709 if height >= HD_HEIGHT else BT601]
        return LUMA_WEIGHTS.get(self.matrix, usual)

    def carried(self, before: str, after: str, height: int) -> "ColourTags":
        """Of a result whose samples are of another kind; what had no range or matrix must have them then."""
        if before == GRAY:  # which decoders of H.264 give as colour
            return replace(self, range=self.range or FULL)
        if before == after:
            return self
        matrix = BT709 if height >= HD_HEIGHT else BT601
        return replace(self, range=LIMITED, matrix=matrix) if after == YUV else replace(self, range=FULL, matrix=0)

    @property
    def full(self) -> bool:
        """Whether samples use their whole range."""
        return self.range == FULL


def layout_of(pixel_format: str) -> Layout:
    """What a pixel format of FFmpeg holds."""
    side = 64  # a multiple of every sampling
    form = av.VideoFormat(pixel_format, side, side)
    samples = [component for component in form.components if not component.is_alpha]
    bits = min(max(max(component.bits for component in samples), LEAST_BITS), MOST_BITS)
    bits = bits if bits not in (11, 13, 15) else bits + 1
    alpha = len(samples) < len(form.components)
    if form.is_rgb or form.has_palette or form.is_bayer:
        return Layout(RGB, bits, alpha=alpha)
    if len(samples) == 1:
        return Layout(GRAY, bits, alpha=alpha)
    return Layout(YUV, bits, (side // form.chroma_width(), side // form.chroma_height()), alpha)


def _name(names: dict[int, str], code: int) -> str:
    return "unspecified" if code == UNSPECIFIED else names.get(code, str(code))
