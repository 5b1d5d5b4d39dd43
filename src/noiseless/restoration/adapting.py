"""A shipped network made to fit the images at hand, without clean ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from noiseless.atomic import check_new
from noiseless.denoiser import Array, Sigma
from noiseless.errors import InvalidParameter
from noiseless.image import FloatArray, Image
from noiseless.names import Lazy, load
from noiseless.noise import Gaussian, NoiseModel
from noiseless.restoration.cross_validation import Gain
from noiseless.restoration.measurable import check_measurable
from noiseless.restoration.noise_at_hand import Noise, as_image, given_noise, known_noise
from noiseless.restoration.sample import Sample, sample_of
from noiseless.score import is_blind, load_model, save

_ADAPT_GAINS = Lazy("noiseless.score.adaptation:adapt_gains", extra="torch")


@dataclass(frozen=True)
class Adapted:
    """What adapting found.

    Parameters
    ----------
    path : of the checkpoint; it is a ``model`` like any other
    gain : on the parts of the images that were held out
    steps : of the optimiser
    share : of the way to the gains that were learned, as far as the held-out risk bears it out; 0: unchanged
    risks : held out, by share, in units of the variance of the noise
    images : how many
    """

    path: Path
    gain: Gain
    steps: int
    share: float
    risks: Mapping[float, float]
    images: int

    @property
    def changed(self) -> bool:
        """False where nothing was surely better, and the checkpoint is the network as it was."""
        return self.share > 0.0

    def summary(self) -> dict[str, Any]:
        """Plain values, for reports."""
        return {
            "model": str(self.path),
            "changed": self.changed,
            "images": self.images,
            **self.gain.summary(),
            "steps": self.steps,
            "share": self.share,
            "risks": [{"share": share, "risk": risk} for share, risk in self.risks.items()],
        }


def adapt(  # noqa: PLR0913  the one door: every choice a user has, by its name
    images: Array | Image | Sequence[Array | Image],
    output: str | Path,
    *,
    sigma: Sigma | None = None,
    noise: Noise = None,
    channel_axis: int | None = None,
    model: str = "base",
    budget_s: float = 45.0,
    side: int = 1024,
    seed: int = 0,
    overwrite: bool = False,
) -> Adapted:
    """Fit the gains of the channels that go into and out of each layer of a network to noisy images, by Stein's risk.

    It pays where images are unlike photographs: textures, micrographs. Half of each image is held out; the
    network goes as far towards what was learned as they bear out, and stays as it was where that is not surely better.

    Parameters
    ----------
    images : noisy; one, or a list of several of one kind, gray or colour
    output : checkpoint to write, ``.safetensors``
    sigma, noise, channel_axis : as in :func:`~noiseless.denoise`; None for sigma and noise estimates it image by image
    model : to begin from, a shipped one or the path of a checkpoint
    budget_s : seconds that it may learn, > 0
    side : of the part of each image that is learned from, in pixels, 64 or more
    seed : of whatever is drawn
    overwrite : whether ``output`` may exist

    Raises
    ------
    InvalidParameter : the risk of the noise is not known, or it is correlated; or the model finds the noise for itself.
    InvalidImage : the images are too small.
    UnwritableFile : the output exists.
    MissingExtra : torch is not installed.
    """
    path = Path(output)
    if path.suffix != ".safetensors":
        raise InvalidParameter(f"a checkpoint ends in .safetensors; {str(path)!r} does not")
    check_new(path, overwrite=overwrite)
    if not budget_s > 0.0:
        raise InvalidParameter(f"budget_s is {budget_s:g}; give some seconds, usually 45")
    if side < 64:
        raise InvalidParameter(f"side is {side}; to learn from, a part of an image has 64 pixels or more")
    if is_blind(model):
        raise InvalidParameter(f"model {model!r} finds the noise for itself, so no risk tells its error; adapt base")
    listed = [as_image(image, channel_axis) for image in (images if isinstance(images, list | tuple) else [images])]
    if not listed:
        raise InvalidParameter("there is no image to adapt to; give one, or several")
    samples = []
    for image in listed:
        given = given_noise(sigma, noise, image, channel_axis)
        samples.append(
            _sample(image, known_noise(given, image, "score").model, told=isinstance(given, NoiseModel), side=side)
        )
    planes = [plane for sample in samples for plane in _planes(sample)]
    kinds = {len(pixels) for pixels, _ in planes}
    if len(kinds) != 1:
        raise InvalidParameter("gray and colour images have networks of their own; adapt each kind by itself")
    checkpoint = load_model(model, kinds.pop())
    pixels, sigmas = zip(*planes, strict=True)
    found = load(_ADAPT_GAINS)(checkpoint, pixels, sigmas, seconds=budget_s, seed=seed)
    card = {
        **checkpoint.card,
        "adapted": {"from": model, "images": len(listed), "steps": found.steps, "share": found.share},
    }
    save(replace(found.checkpoint, card=card), path)
    half, left = 1.96 * found.standard_error, min(found.risks.values())
    gain = Gain(found.fall, (found.fall - half, found.fall + half), left, cross_validated=True)
    return Adapted(path, gain, found.steps, found.share, found.risks, len(listed))


def _sample(image: Image, noise: NoiseModel, *, told: bool, side: int) -> Sample:
    """A part of the image with white noise."""
    check_measurable(noise, image, told=told)
    sample = sample_of(image, noise, side=side, seed=0, white=True)
    if not isinstance(sample.noise, Gaussian):
        raise InvalidParameter(
            "neighbours share the noise, and a network is then called at many levels, so it cannot be adapted to one; "
            "use it as it is"
        )
    return sample


def _planes(sample: Sample) -> list[tuple[FloatArray, FloatArray]]:
    """Pixels and sigma in nominal units, (C, H, W) as a network takes them: a volume slice by slice, and channels that
    are neither gray nor colour one by one.
    """
    assert isinstance(sample.noise, Gaussian)
    pixels = sample.image.pixels
    level = np.broadcast_to(np.asarray(sample.noise.sigma / sample.image.scale, np.float32), pixels.shape)
    slices = [(pixels, level)] if pixels.ndim == 3 else [(pixels[:, z], level[:, z]) for z in range(pixels.shape[1])]
    if len(pixels) in (1, 3):
        return slices
    return [(part[c : c + 1], sigma[c : c + 1]) for part, sigma in slices for c in range(len(pixels))]
