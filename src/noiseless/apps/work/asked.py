"""What was asked for, in the words of options and settings: its meaning, and what does not go together."""

import noiseless


def noise_as_said(sigma: float | None, noise: str = "auto") -> "noiseless.noise.NoiseModel | str | None":
    """The noise model that is named; a kind, whose parameters are to be found; None where the kind is to be found too.

    Parameters
    ----------
    sigma : of Gaussian noise, in stored units, or None
    noise : "auto", a name in ``noiseless.noise.KINDS``, or a law such as "rician:sigma=9"

    Raises
    ------
    noiseless.NoiselessError : both say how strong the noise is; there is no such law.
    """
    if noise == "auto":
        return None if sigma is None else noiseless.noise.Gaussian(sigma)
    if sigma is not None:
        raise noiseless.InvalidParameter(f"sigma {sigma:g} and noise {noise!r} contradict; give one of them")
    return noise if noise in noiseless.noise.KINDS else noiseless.noise.parse_noise(noise)


def check_for_frames(
    recipe: "noiseless.Recipe", noise: "noiseless.noise.NoiseModel | str | None", name: str, kind: str
) -> None:
    """Refuse what is not done to frames over time.

    Parameters
    ----------
    recipe, noise : what was said, and what a preset or a file says
    name, kind : of the input, for people: "video" or "bag"

    Raises
    ------
    noiseless.InvalidParameter : another method than the score network, or other noise than Gaussian.
    """
    if recipe.method not in ("auto", "score"):
        raise noiseless.InvalidParameter(
            f"method {recipe.method} is for images; {name} is a {kind}, for which the method is score: leave it out"
        )
    if noise is not None and noise != "gaussian" and not isinstance(noise, noiseless.noise.Gaussian):
        given = noise if isinstance(noise, str) else type(noise).__name__
        raise noiseless.InvalidParameter(
            f"noise {given} cannot be removed from a {kind} such as {name}, only gaussian; leave noise out"
        )
