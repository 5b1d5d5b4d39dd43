"""Whatever is given for a parameter: it is taken, or refused in one line that names it or says what would do."""

import numpy as np
import pytest

pytest.importorskip("hypothesis")

import noiseless
from noiseless import InvalidImage, InvalidParameter, NeedsWholeImage, generation, noise, restoration, score
from noiseless.diffusion import Charbonnier, Heat, Sigmas, filter_named, heat_flow, heat_steps, inpaint, karras
from noiseless.noise import NoiseModel
from noiseless.restoration.removal_in_parts import local_denoiser

from .hostile_arrays import NUMBERS, answer, is_finite

GRAY = np.linspace(0.1, 0.9, 12 * 13, dtype=np.float32).reshape(12, 13)
COLOUR = np.repeat(GRAY[..., np.newaxis], 3, axis=2)
PLANE = GRAY[np.newaxis]
HEAT = Heat(1.0)
KNOWN = generation.KnownPixels(PLANE, PLANE > 0.5)


def few(value):
    """A number of steps that can be made."""
    return 10 if isinstance(value, int) and value > 10**9 else value


CALLS = {
    **{
        f"denoise {name}": lambda value, name=name: noiseless.denoise(
            GRAY, **{"sigma": 0.1, "method": "heat", name: value}
        )
        for name in ("sigma", "strength", "steps", "seed", "tile", "method", "model", "sampler")
    },
    "denoise noise": lambda value: noiseless.denoise(GRAY, noise=value, method="heat"),
    "denoise channel_axis": lambda value: noiseless.denoise(COLOUR, sigma=0.1, channel_axis=value, method="heat"),
    **{
        f"sigma of {method}": lambda value, method=method: noiseless.denoise(GRAY, sigma=value, method=method)
        for method in ("score:model=tiny", "non-local-means", "edge-enhancing", "experts")
    },
    **{
        f"Recipe {name}": lambda value, name=name: noiseless.Recipe(**{name: value})
        for name in ("samples", "bound", "members", "budget_s", "steps", "seed", "strength", "tile")
    },
    "estimate_noise kind": lambda value: noiseless.estimate_noise(GRAY, kind=value),
    "psnr data_range": lambda value: noiseless.psnr(GRAY, GRAY + 1, data_range=value),
    "ssim data_range": lambda value: noiseless.ssim(GRAY, GRAY + 1, data_range=value),
    "ssim channel_axis": lambda value: noiseless.ssim(COLOUR, COLOUR, channel_axis=value),
    "from_array channel_axis": lambda value: noiseless.from_array(COLOUR, channel_axis=value),
    **{
        f"tune {name}": lambda value, name=name: noiseless.tune(
            "heat", GRAY, **{"parameters": {"time": [1.0]}, "sigma": 0.1, "budget_s": 0.1, name: value}
        )
        for name in ("parameters", "risk", "budget_s", "side", "folds", "seed")
    },
    **{
        f"Stream {name}": lambda value, name=name: noiseless.Stream(**{name: value})
        for name in ("sigma", "strength", "budget_ms", "timeout_s", "drop", "motion", "model")
    },
    **{
        f"TemporalDenoiser {name}": lambda value, name=name: noiseless.TemporalDenoiser(**{name: value})
        for name in ("sigma", "strength", "memory", "motion", "threads", "model")
    },
    "Tiled": lambda value: restoration.Tiled(score.NetworkDenoiser("tiny"), value),
    "Gaussian": noise.Gaussian,
    "Poisson": noise.Poisson,
    "Poisson offset": lambda value: noise.Poisson(1.0, value),
    "PoissonGaussian sigma": lambda value: noise.PoissonGaussian(1.0, value),
    "Rician": noise.Rician,
    "NonCentralChi coils": lambda value: noise.NonCentralChi(1.0, value),
    "Speckle": noise.Speckle,
    "AmplitudeSpeckle": noise.AmplitudeSpeckle,
    "SaltAndPepper": noise.SaltAndPepper,
    "RandomImpulses": noise.RandomImpulses,
    "HotPixels low": lambda value: noise.HotPixels(0.1, value),
    "Quantisation": noise.Quantisation,
    "Stripes": noise.Stripes,
    "Stripes axis": lambda value: noise.Stripes(1.0, 1.0, value),
    "Correlated sigma": lambda value: noise.Correlated(value, noise.gaussian_kernel(1.0)),
    "Camera white": lambda value: noise.Camera(0.01, 0.01, value),
    "SrgbPhotons": lambda value: noise.SrgbPhotons(value, 0.1),
    "gaussian_kernel": noise.gaussian_kernel,
    "parse_noise": noise.parse_noise,
    "Heat time": Heat,
    "Heat spacing": lambda value: Heat(spacing=value)(PLANE, 0.1),
    "Heat sigma": lambda value: Heat()(PLANE, value),
    **{
        f"Charbonnier {name}": lambda value, name=name: Charbonnier(**{name: value})
        for name in (
            "time", "spacing", "contrast_per_sigma", "contrast", "cooling", "presmoothing", "stepping", "step_size",
            "threads",
        )
    },
    "Charbonnier sigma": lambda value: Charbonnier()(PLANE, value),
    "filter_named": filter_named,
    "heat_flow time": lambda value: heat_flow(PLANE, value),
    "heat_flow spacing": lambda value: heat_flow(PLANE, 1.0, spacing=value),
    "heat_steps step_size": lambda value: heat_steps(PLANE, value, 2),
    "heat_steps steps": lambda value: heat_steps(PLANE, 0.1, few(value)),
    "inpaint missing": lambda value: inpaint(PLANE, value),
    "inpaint kind": lambda value: inpaint(PLANE, PLANE > 0.5, kind=value),
    "inpaint contrast": lambda value: inpaint(PLANE, PLANE > 0.5, kind="edge-enhancing", contrast=value),
    "karras steps": lambda value: karras(few(value), sigma_max=1.0, sigma_min=0.1),
    "karras sigma_max": lambda value: karras(3, sigma_max=value, sigma_min=0.1),
    "karras rho": lambda value: karras(3, sigma_max=1.0, sigma_min=0.1, rho=value),
    "NetworkDenoiser sigma": lambda value: score.NetworkDenoiser("tiny")(PLANE, value),
    "NetworkDenoiser model": lambda value: score.NetworkDenoiser(value),
    "NetworkDenoiser precision": lambda value: score.NetworkDenoiser("tiny", value),
    "is_blind": score.is_blind,
    "load_model": lambda value: score.load_model(value, 1),
    "load_model channels": lambda value: score.load_model("tiny", value),
    "load_shipped": score.load_shipped,
    "ProbabilityFlow steps": lambda value: generation.ProbabilityFlow(HEAT, generation.Euler(), value),
    "PosteriorSamples steps": lambda value: generation.PosteriorSamples(HEAT, generation.Ancestral(), value),
    "normal_from_seed": generation.normal_from_seed,
    "AnnealedLangevin walks": generation.AnnealedLangevin,
    "PredictorCorrector length": lambda value: generation.PredictorCorrector(1, value),
    **{
        f"sample {name}": lambda value, name=name: generation.sample(
            **{"shape": (1, 8, 8), "denoiser": HEAT, "steps": 2, name: value}
        )
        for name in ("shape", "sigma", "level", "seed")
    },
    "BlurredData sigma": lambda value: generation.BlurredData(PLANE, np.fft.fft2(GRAY), value),
    "PoissonData gain": lambda value: generation.PoissonData(PLANE, value),
    "KnownPixels sigma": lambda value: generation.KnownPixels(PLANE, PLANE > 0.5, value),
    "Guided spread": lambda value: generation.Guided(KNOWN, value),
    "jacobian_product sigma": lambda value: generation.jacobian_product(HEAT, PLANE, value, PLANE),
    "integrate sigmas": lambda value: generation.integrate(
        generation.Euler(), HEAT, PLANE, [value, 0.0], generation.normal_from_seed(0)
    ),
    "Image scale": lambda value: noiseless.Image(PLANE, scale=value),
    "Image offset": lambda value: noiseless.Image(PLANE, offset=value),
}  # fmt: skip


def named(value):
    """The same in every process, where the address of an object is another."""
    return "object" if type(value) is object else " ".join(repr(value).split())[:24]


@pytest.mark.parametrize("number", NUMBERS, ids=named)
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_parameter_is_taken_or_refused_in_one_line(call, number):
    result = answer(call, number)
    if isinstance(result, np.ndarray):
        assert is_finite(result)


@pytest.mark.parametrize(
    "sigma", [-1, float("nan"), float("inf"), "25", None, True, np.array(["x"]), 1j, [], object()], ids=named
)
def test_what_is_no_sigma_is_refused_by_every_door(sigma):
    with pytest.raises(InvalidParameter, match="sigma is"):
        noise.Gaussian(sigma)
    if sigma is not None:
        with pytest.raises(InvalidParameter, match="sigma is"):
            noiseless.denoise(GRAY, sigma=sigma)
        with pytest.raises(InvalidParameter, match="sigma is"):
            noiseless.Stream(sigma=sigma)


@pytest.mark.parametrize("sigma", [0, 0.0, 5e-324, 1e-300])
def test_without_noise_the_image_comes_back(sigma):
    assert np.abs(noiseless.denoise(GRAY, sigma=sigma, method="heat") - GRAY).max() <= 64 * np.finfo(np.float32).eps


@pytest.mark.parametrize("axis", [3, -4, 7, 0.5, "x", True])
def test_an_axis_that_is_none_is_refused(axis):
    for door in (noiseless.from_array, noiseless.estimate_noise, noiseless.denoise):
        with pytest.raises(InvalidParameter, match="channel_axis is"):
            door(COLOUR, channel_axis=axis)


@pytest.mark.parametrize("spacing", [(0.0, 1.0), (-1.0, 1.0), (1.0,), (1.0, float("nan")), 1.0, "12", (True, 1.0)])
def test_a_spacing_that_is_none_is_refused(spacing):
    with pytest.raises(InvalidParameter, match="spacing is"):
        Heat(spacing=spacing)


@pytest.mark.parametrize("shape", [(7,), (5, 5), (3, 12, 13), (12, 13, 3), (0,)])
def test_a_map_of_another_shape_is_refused(shape):
    with pytest.raises((InvalidImage, InvalidParameter), match="sigma"):
        noiseless.denoise(GRAY, sigma=np.ones(shape))


def test_a_model_of_noise_is_told_from_anything_else():
    assert isinstance(noise.Gaussian(1.0), NoiseModel)
    assert not isinstance(1.0, NoiseModel)
    assert Sigmas == tuple[float, ...]


def test_what_looks_at_the_whole_image_is_refused_block_by_block():
    with pytest.raises(NeedsWholeImage, match="ensemble looks at the whole image"):
        local_denoiser(noiseless.Recipe(method="ensemble"))


def test_cosine_shrinkage_of_a_smooth_image_does_not_warn():
    noiseless.denoise(GRAY, sigma=2.5, method="cosine-shrinkage")
