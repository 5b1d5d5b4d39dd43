"""What a shell proposes at TAB for the values of options; each function names what there is here now.

Options take one by ``autocompletion=``. Where nothing that is proposed begins as what was typed, the shell goes on with
names of files.
"""

import noiseless

CODECS = ("h264", "hevc", "av1", "vp9", "mpeg4", "prores", "ffv1")
OBJECTIVES = ("score-matching", "camera", "sure", "noise2score", "recorrupt", "noise2noise", "blind-spot")
# Here, as the table of objectives needs torch, which takes longer to load than one waits for a TAB.


def methods() -> list[str]:
    """Of denoising."""
    return ["auto", *noiseless.METHODS]


def models() -> list[str]:
    """Networks of the package; files are models too."""
    return list(noiseless.score.model_names())


def networks() -> list[str]:
    """Networks of the package by their full names, each for gray or for colour images."""
    return list(noiseless.score.shipped())


def sizes() -> list[str]:
    """Of models that can be trained."""
    return [*noiseless.score.SIZES, "experts"]


def presets() -> list[str]:
    """Recipes of the package, by field."""
    return list(noiseless.PRESETS)


def noises() -> list[str]:
    """Kinds of noise whose parameters can be found."""
    return ["auto", *noiseless.noise.KINDS]


def noise_models() -> list[str]:
    """Kinds of noise that can be added; their numbers follow after a colon."""
    return list(noiseless.noise.NOISE_MODELS)


def samplers() -> list[str]:
    """Rules of the steps of generation."""
    return ["auto", *noiseless.generation.SAMPLERS]


def filters() -> list[str]:
    """Equations of diffusion."""
    return list(noiseless.diffusion.FILTERS)


def steppings() -> list[str]:
    """Ways to take the steps of a diffusion."""
    return ["explicit", "fast-explicit", "semi-implicit"]


def risks() -> list[str]:
    """Estimates of the error without a clean image."""
    return ["stein", "self-supervised"]


def devices() -> list[str]:
    """That can do the work."""
    return ["cpu", "cuda", "auto"]


def efforts() -> list[str]:
    """Models of a live stream."""
    return ["auto", "base", "tiny", "none"]


def drops() -> list[str]:
    """Frames of a live stream that are given up when they come too fast."""
    return ["auto", "oldest", "newest", "none"]


def codecs() -> list[str]:
    """Of videos that are written."""
    return list(CODECS)


def objectives() -> list[str]:
    """Of training."""
    return list(OBJECTIVES)


def formats() -> list[str]:
    """That a network is exported to."""
    return list(noiseless.score.EXPORTS)
