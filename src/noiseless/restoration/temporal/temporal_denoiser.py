"""Video, frame by frame: what is known from the frames before is moved along, fused with the new one, and denoised."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import array_api_compat
import numpy as np
from numpy.typing import NDArray

from noiseless.argument_checks import not_negative, number, shown, whole, word
from noiseless.denoiser import Array
from noiseless.errors import InvalidImage, InvalidParameter
from noiseless.noise import Gaussian
from noiseless.noise.estimation import estimate_sigma_per_channel
from noiseless.restoration.devices import in_main_memory
from noiseless.restoration.tiling import Tiled
from noiseless.score import NetworkDenoiser
from noiseless.sigma_map import LARGEST_SIGMA

from .block_matching import brightness, displacements, variances
from .exposure import exposure_change
from .fusion import differences, fused, typical_sizes
from .resampling import resampled
from .roughness import roughness_of

MEMORY = 25.0
# A frame counts for a 25th at least: a seventh of the noise is left, and a faint change that no test finds is gone
# after a second or two.

CUT = 0.5
# A frame of which more than this changed is another scene.

GUIDE_ERROR = 1.2
# What the error of the frame before adds to the variance of the noise of the brightness.

FAINTEST = 0.25 / 255
# Below a quarter of a grey level there is no noise to test changes against.

FAINT = 0.1
# A change of the light by less than so much of the noise cannot be seen.

QUICKNESS, JUMP = 0.1, 1.15
# A frame counts by a tenth in what the noise is found to be, but wholly where it is off by more than 15 %: a camera has
# changed its gain.

RISING, BY_CHANCE, LARGEST_SIZE = 1.05, 1.25, 6.0
# What is usual of the tests falls at once, where a frame is calmer than those before, and rises by a twentieth a frame;
# above six times what independent noise makes it is movement. Up to a quarter more is chance, or a bit of movement.

LUMINANCE = np.array([0.299, 0.587, 0.114], dtype=np.float32)
# ITU-R BT.601.

LARGEST_TILE = 2048
# Frames up to 2048x2048 go through the network whole.


LARGEST_FRAME = 1e6
"""Of nominal values: no camera sees so much more than white."""


@dataclass
class _Memory:
    """What is kept from one frame to the next."""

    mean: Array
    variance: Array
    clean: Array


class TemporalDenoiser:
    """A video denoiser: frames in, clean frames out, each as soon as it is there.

    The mean of the frames so far, recursive and moved along with what is in the picture, is fused with each new frame,
    pixel by pixel, unless something changed there (see ``fusion``). A score network then takes the noise that is left,
    whose level is known at each pixel: all where something moved, a seventh of it where all stood still. So nothing
    that moved leaves a ghost, and what stands still does not flicker. When the light changes, what is kept changes
    with it.

    Memory is bounded: four frames. Frames are NumPy arrays or torch tensors on any device, where they stay.

    Parameters
    ----------
    sigma : standard deviation of the noise of a frame, in nominal units (a share of full range), for all channels or a
        sequence of one for each; None: estimated on the first frame, and followed as it changes.
    model : "base", "tiny" (an eighth of the cost), "camera" (colour, photographs whose noise went through JPEG), the
        path of a checkpoint; "none": fusion alone, which leaves the noise of what moves.
    motion : "flow" follows what moves; "none" is for cameras that stand still; "auto" is "flow".
    strength : factor on the noise that the network is told. Below 1 leaves grain, above 1 smooths more.
    memory : frames that a mean is made of at most. More: less noise, slower to follow what changes faintly.
    precision, threads : of the network, see :class:`NetworkDenoiser`

    ``model``, ``motion`` and ``strength`` may be changed between frames.

    Raises
    ------
    InvalidParameter : a parameter is out of its range.
    UnknownName, IncompatibleCheckpoint : there is no such model (at the first frame).

    References
    ----------
    Ehmann et al. 2018, arXiv:1810.05863; Arias & Morel 2018, J. Math. Imaging Vis. 60, doi:10.1007/s10851-017-0742-4.
    """

    def __init__(
        self,
        *,
        sigma: float | tuple[float, ...] | None = None,
        model: str = "base",
        motion: str = "auto",
        strength: float = 1.0,
        memory: float = MEMORY,
        precision: str = "auto",
        threads: int = 0,
    ) -> None:
        given: Any = sigma
        checked = None if sigma is None else Gaussian(given).sigma
        levels = None if checked is None else np.atleast_1d(np.asarray(checked, dtype=np.float64))
        if levels is not None and (levels.ndim != 1 or not (levels <= LARGEST_SIGMA).all()):
            raise InvalidParameter(
                f"sigma is {shown(sigma)}; it must be finite and at least 0, a share of the full range, one or one a "
                "channel"
            )
        word("model", model, "the name of a shipped model, or the path of a checkpoint")
        whole("threads", threads, 0, "it is a number of threads, or 0 for all cores")
        if number("memory", memory, "it is a number of frames") < 1.0:
            raise InvalidParameter(f"memory is {memory:g} frames; it must be at least 1, usually {MEMORY:g}")
        self.model, self.motion, self.strength = model, motion, strength
        self.memory, self.precision, self.threads = float(memory), precision, threads
        self._told, self._sigma = levels, levels
        self._kept: _Memory | None = None
        self._roughness = 0.0
        self._sizes: NDArray[np.float64] | None = None
        self._frames = self._cuts = self._exposures = 0
        self._cut_at = -1

    @property
    def motion(self) -> str:
        return self._motion

    @motion.setter
    def motion(self, motion: str) -> None:
        if not isinstance(motion, str) or motion not in ("flow", "none", "auto"):
            raise InvalidParameter(f"motion is {shown(motion)}; use 'flow', 'none' or 'auto'")
        self._motion = "flow" if motion == "auto" else motion

    @property
    def strength(self) -> float:
        return self._strength

    @strength.setter
    def strength(self, strength: float) -> None:
        self._strength = not_negative("strength", strength, "it is a factor on sigma, usually 1")

    @property
    def sigma(self) -> NDArray[np.float64] | None:
        """The noise of a frame, for each channel; None before the first frame where it is to be found.

        What is found on one frame is the white part. Codecs tie noise together in space, not so much in time: where
        frames differ by more than white noise of that strength would make them, it is so much stronger.
        """
        if self._told is not None or self._sigma is None or self._sizes is None:
            return self._sigma
        return self._sigma * math.sqrt(self._tests()[0])

    @property
    def sigma_map(self) -> Array:
        """The noise that was left at each pixel, (C, Y, X), before the network saw the last frame.

        Raises
        ------
        InvalidParameter : there was no frame yet.
        """
        sigma = self.sigma
        if self._kept is None or sigma is None:
            raise InvalidParameter("there was no frame yet; push one first")
        return _as_column(sigma, self._kept.mean) * self._kept.variance[None, ...] ** 0.5

    def push(self, frame: Array) -> Array:
        """The next frame, denoised.

        Parameters
        ----------
        frame : (C, Y, X) float32, nominal range [0, 1], not clipped here. One of another shape begins a new scene.

        Raises
        ------
        InvalidImage : it has other axes, another dtype, or values that are not finite, or far from the range.
        InvalidParameter : there are not as many sigmas as channels.
        """
        xp = array_api_compat.array_namespace(frame)
        if frame.ndim != 3 or frame.dtype != xp.float32 or min(frame.shape) == 0:
            raise InvalidImage(
                f"a frame is (C, Y, X) float32 with range [0, 1]; this is {frame.dtype} of shape {tuple(frame.shape)}"
            )
        if not bool(xp.all(xp.isfinite(frame))):
            raise InvalidImage(f"frame {self._frames} has values that are NaN or infinite; replace them")
        if bool(xp.any(xp.abs(frame) > LARGEST_FRAME)):
            raise InvalidImage(
                f"frame {self._frames} has values beyond {LARGEST_FRAME:g}, and its range is [0, 1]; replace them"
            )
        if self._kept is not None and self._kept.mean.shape != frame.shape:
            self.reset()
        sigma = self._noise_of(frame)
        if self._kept is None or not sigma.any():
            # A copy: who fills one buffer with frame after frame must not change the past.
            mean, variance = xp.asarray(frame, copy=True), xp.ones_like(frame[0, ...])
        else:
            mean, variance = self._fused(frame, sigma, self._kept)
        clean = self._denoised(mean, variance)
        self._kept = _Memory(mean, variance, clean)
        self._frames += 1
        return clean

    def reset(self) -> None:
        """Begin anew: the next frame has nothing before it. What the noise was found to be stays."""
        self._kept = None

    def state(self) -> dict[str, NDArray[Any]]:
        """All that the next frame depends on, as NumPy arrays by name: for a later :meth:`resume`."""
        numbers = np.array([self._frames, self._cuts, self._exposures, self._cut_at, self._roughness])
        saved: dict[str, NDArray[Any]] = {"numbers": numbers}
        if self._sigma is not None:
            saved["sigma"] = self._sigma
        if self._sizes is not None:
            saved["sizes"] = self._sizes
        if self._kept is not None:
            for name in ("mean", "variance", "clean"):
                saved[name] = in_main_memory(getattr(self._kept, name))
        return saved

    def resume(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from a :meth:`state` as if there had been no break; the frames that follow are NumPy arrays."""
        *counts, self._roughness = (float(number) for number in state["numbers"])
        self._frames, self._cuts, self._exposures, self._cut_at = map(int, counts)
        self._sizes = np.array(state["sizes"]) if "sizes" in state else None
        if "sigma" in state:
            self._sigma = np.array(state["sigma"])
        self._kept = None
        if "mean" in state:
            self._kept = _Memory(*(np.array(state[name]) for name in ("mean", "variance", "clean")))

    def report(self) -> dict[str, Any]:
        """What was found so far: frames, noise, scene cuts, changes of the light."""
        sigma = [] if self.sigma is None else [float(level) for level in self.sigma]
        return {
            "frames": self._frames,
            "noise": {"kind": "gaussian", "sigma": sigma, "estimated": self._told is None},
            "cuts": self._cuts,
            "exposure_changes": self._exposures,
            "warnings": self._warnings(),
        }

    def _warnings(self) -> list[str]:
        if self._told is None and self.sigma is not None and self.sigma.max() < 1.0 / 255:
            return ["the noise is below one grey level of 255: there is next to nothing to remove"]
        return []

    def _noise_of(self, frame: Array) -> NDArray[np.float64]:
        channels = frame.shape[0]
        if self._sigma is None or (self._told is None and len(self._sigma) != channels):
            self._sigma = _estimated(in_main_memory(frame))
            self._roughness = roughness_of(frame)
        elif self._told is None and self._roughness > 0.0:
            ratio = roughness_of(frame) / self._roughness
            step = ratio if abs(math.log(max(ratio, 1e-3))) > math.log(JUMP) else ratio**QUICKNESS
            self._sigma, self._roughness = self._sigma * step, self._roughness * step
        if len(self._sigma) == 1:
            self._sigma = np.repeat(self._sigma, channels)
        if len(self._sigma) != channels:
            raise InvalidParameter(f"there are {len(self._sigma)} sigmas and {channels} channels; give one for each")
        return self._sigma

    def _fused(self, frame: Array, sigma: NDArray[np.float64], kept: _Memory) -> tuple[Array, Array]:
        xp = array_api_compat.array_namespace(frame)
        # The noise of the mean over the channels.
        level = float(np.sqrt(np.mean(np.square(sigma)) / len(sigma)))
        mean, variance, hidden = kept.mean, kept.variance, xp.zeros_like(kept.variance)
        now, before = brightness(frame), brightness(kept.clean)
        coarse = len(now) - 1
        gain, offset = exposure_change(now[coarse], before[coarse], level / 2**coarse, max(FAINT * level, FAINTEST))
        if (gain, offset) != (1.0, 0.0):
            self._exposures += 1
            mean, variance, before = (
                gain * mean + offset,
                gain**2 * variance,
                [gain * plane + offset for plane in before],
            )
        if self._motion == "flow":
            noise = max(level**2 * GUIDE_ERROR, FAINTEST**2)
            blocks = displacements(now, before, variances(noise, (self._tests()[2:] ** 2).tolist()))
            if bool(xp.any(blocks != 0)):
                mean, variance, hidden = resampled(mean, variance, blocks)
        floor = np.maximum(sigma, FAINTEST).astype(np.float32)
        told = xp.asarray(floor, device=array_api_compat.device(frame))
        statistics = differences(frame, mean, variance, told)
        typical = typical_sizes(statistics, len(sigma))
        self._sizes = typical if self._sizes is None else np.minimum(typical, RISING * self._sizes)
        sizes = self._tests().astype(np.float32)
        result = fused(frame, mean, variance, statistics, hidden, sizes, memory=self.memory)
        if result.changed > CUT:
            self._cuts += 1
            if self._told is None and self._cut_at < self._frames - 1:
                self._sigma = None
                self._noise_of(frame)
            self._cut_at = self._frames
            return frame, xp.ones_like(variance)
        return result.mean, result.variance

    def _tests(self) -> NDArray[np.float64]:
        """What is usual of the tests: see :func:`fusion.typical_sizes`."""
        if self._sizes is None:
            return np.ones(5)
        return np.where(self._sizes < BY_CHANCE, 1.0, np.minimum(self._sizes, LARGEST_SIZE))

    def _denoised(self, mean: Array, variance: Array) -> Array:
        sigma = self.sigma
        if self.model == "none" or sigma is None:
            return mean
        network = Tiled(NetworkDenoiser(self.model, self.precision, self.threads), tile=LARGEST_TILE)
        level = _as_column(sigma, mean) * self.strength * variance[None, ...] ** 0.5
        return network(mean, level)


def _estimated(frame: NDArray[np.float32]) -> NDArray[np.float64]:
    """Sigma for each channel, at least so that independent colours would make the luminance as noisy as it is.

    Video stores colour differences at half resolution, smoothed. What is left at the finest scale is the noise of the
    luminance, the same in all colours; taken for that of one colour it would be a third too low.
    """
    sigma = np.array(estimate_sigma_per_channel(frame, thorough=False), dtype=np.float64)
    if len(frame) != len(LUMINANCE):
        return sigma
    luminance = np.tensordot(LUMINANCE, frame, axes=1)[np.newaxis]
    (of_luminance,) = estimate_sigma_per_channel(luminance, thorough=False)
    return np.maximum(sigma, of_luminance / float(np.linalg.norm(LUMINANCE)))


def _as_column(sigma: NDArray[np.float64], like: Array) -> Array:
    xp = array_api_compat.array_namespace(like)
    return xp.asarray(sigma.astype(np.float32).reshape(-1, 1, 1), device=array_api_compat.device(like))
