"""What makes an estimate of noise doubtful, in words; and which doubts mean that an assumption failed."""

from noiseless.noise.gaussian import Gaussian
from noiseless.noise.model import NoiseModel

from .examination import Findings
from .flat_patches import COLOURED

LITTLE_FLAT = 0.02
# With fewer than one patch in fifty flat, sigma rests on a corner of the image (BSD400: 1 % to 6 % too high).

COARSE = 0.3
# Rounding alone has the standard deviation 1/sqrt(12) = 0.29 of a step: below 0.3 nothing but rounding is left.

HALF_TRUST = 0.05
# An estimate with an expected error of 5 % gets the confidence 1/2.

DOUBTFUL = 0.2
# The most confidence that an estimate gets whose assumptions failed: correlated, clipped or rounded-away noise.

CLEAN = 1.0 / 255.0
# Noise below one grey level of 255 is not worth removing, and not to be told from fine texture.


def doubts_of(findings: Findings, model: NoiseModel) -> tuple[tuple[str, ...], bool]:
    """The warnings, and whether one of them says that an assumption of the estimate failed."""
    processed, tampered = _processing(findings)
    range_, lost = _range(findings)
    texture, textured = _texture(findings, model)
    said = [*processed, *texture, *range_]
    failed = tampered or lost or textured
    error = max(noise.error for noise in findings.white)
    if isinstance(model, Gaussian) and error > HALF_TRUST and not said:
        said.append(f"there is too little flat image to know sigma better than to about {percent(error)}")
    return tuple(said), failed


def percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.095 else f"{100 * share:.1f} %"


def _processing(findings: Findings) -> tuple[list[str], bool]:
    """JPEG, enlargement, correlation: what came after the noise, and what of it cannot be undone."""
    said = []
    if findings.jpeg:
        said.append("there is a grid of 8x8 blocks: JPEG took part of the noise away and rounded the rest")
    if findings.hollow and not findings.correlated and not findings.enlarged:
        said.append(
            "the highest frequencies are empty: the image was enlarged or smoothed, and part of the noise with it"
        )
    if findings.enlarged:
        said.append("the image was enlarged by interpolation, which smooths the noise: give it before that if you can")
    if findings.correlated and not findings.striped:
        beside = max((entry.adjacent for entry in findings.correlation), key=abs)
        said.append(
            f"the noise is correlated between neighbouring pixels ({beside:.2f} where the image is calmest), as after "
            "demosaicing, resizing or JPEG: white-noise estimates would be wrong here"
        )
    return said, bool(findings.jpeg or findings.enlarged or (findings.hollow and not findings.correlated))


def _texture(findings: Findings, model: NoiseModel) -> tuple[list[str], bool]:
    """Too little flat image, texture that looks like noise, noise too weak to be told."""
    worst = max(findings.white, key=lambda noise: noise.colour)
    level = max(noise.sigma for noise in findings.white)
    if findings.correlated and findings.texture > 0.5:
        return ["what varies in the calmest patches is as likely fine texture as noise: cannot tell"], True
    if not findings.correlated and worst.colour > COLOURED:
        return ["even the flattest patches are not white: fine texture everywhere, or correlated noise"], True
    if isinstance(model, Gaussian) and 0.0 < level < CLEAN:
        return ["the noise is below one grey level of 255: there is next to nothing to remove"], False
    if min(noise.flat for noise in findings.white) < LITTLE_FLAT and not findings.correlated:
        return ["less than 2 % of the image is flat: sigma may hold texture and be too high"], False
    if any(entry.law == "smooth" for entry in findings.dependence) and isinstance(model, Gaussian):
        return [
            "the noise changes with the brightness in a way that no model here has: one sigma cannot be right"
        ], False
    return [], False


def _range(findings: Findings) -> tuple[list[str], bool]:
    """Clipped and rounded values."""
    said, failed = [], False
    clipped = max(noise.clipped for noise in findings.white)
    if clipped:
        lost = any(noise.lower_bound for noise in findings.white)
        effect = "sigma is a lower bound" if lost else "what sigma lost by it was given back"
        said.append(f"{percent(clipped)} of the pixels are piled up at the extreme values: {effect}")
        failed = lost or min(noise.usable for noise in findings.white) < LITTLE_FLAT
    if any(noise.sigma < COARSE * noise.step for noise in findings.white):
        said.append("the stored values are spaced wider than the noise: it was rounded away, or is the rounding itself")
        failed = True
    elif any(noise.sigma == 0.0 for noise in findings.white):
        said.append("flat patches are exactly constant: there is no noise, or it was removed or rounded away")
        failed = True
    return said, failed
