from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest

from noiseless.diffusion import CoherenceEnhancing, EdgeEnhancing, Heat, PeronaMalik, heat_flow
from noiseless.errors import InvalidParameter, UnknownName

SIGMA = 0.1


def test_perona_malik_with_conductivity_one_tends_to_heat(rng):
    image = rng.random((2, 15, 14))
    errors = []
    for steps in (50, 100, 200):
        stepped = PeronaMalik(conductivity="homogeneous", time=2.0, step_size=2.0 / steps)(image, SIGMA)
        errors.append(abs(stepped - heat_flow(image, 2.0)).max())
    # Explicit steps are of first order: half the step, half the error.
    assert errors[1] / errors[0] == pytest.approx(0.5, abs=0.05)
    assert errors[2] / errors[1] == pytest.approx(0.5, abs=0.03)


def test_perona_malik_keeps_an_edge_that_heat_blurs(rng):
    clean = np.full((1, 40, 40), 0.2)
    clean[:, :, 20:] = 0.8
    noisy = clean + SIGMA * rng.standard_normal(clean.shape)
    kept, blurred = (abs(np.diff(smooth(noisy, SIGMA).mean(axis=1))[0, 19]) for smooth in (PeronaMalik(), Heat()))
    assert kept > 0.8 * 0.6
    assert blurred < 0.5 * 0.6


def test_colour_edges_stay_together(rng):
    """An edge in one channel stops the diffusion of the others there."""
    noisy = 0.5 + SIGMA * rng.standard_normal((3, 40, 40))
    weak = noisy.copy()
    weak[0, :, 20:] += 0.15  # too weak an edge to be safe alone
    strong = weak.copy()
    strong[1:, :, 20:] += 1.0
    heights = [
        np.diff(PeronaMalik()(image, SIGMA)[0].mean(axis=0).reshape(2, 20)[:, 5:15].mean(axis=1))[0]
        for image in (weak, strong)
    ]
    gaps = [abs(np.diff(PeronaMalik()(image, SIGMA)[0].mean(axis=0))[19]) for image in (weak, strong)]
    assert gaps[1] > gaps[0]
    assert heights[1] == pytest.approx(0.15, abs=4 * SIGMA * (2 / 400) ** 0.5)  # of two means over 400 pixels


def test_only_ratios_of_the_spacing_matter_by_default(rng):
    noisy = rng.random((1, 8, 12, 10))
    smooth = PeronaMalik(spacing=(3.0, 1.0, 1.0))(noisy, SIGMA)
    assert PeronaMalik(spacing=(1.5, 0.5, 0.5))(noisy, SIGMA) == pytest.approx(smooth, abs=1e-12)
    assert PeronaMalik()(noisy, SIGMA) != pytest.approx(smooth, abs=1e-3)


def test_a_given_contrast_replaces_that_of_sigma(rng):
    noisy = rng.random((1, 20, 20))
    given = PeronaMalik(contrast=0.45 * SIGMA)
    assert np.array_equal(given(noisy, SIGMA), PeronaMalik(cooling=0.0)(noisy, SIGMA))
    assert np.array_equal(given(noisy, 0.7), given(noisy, SIGMA))


def test_noise_far_below_rounding_leaves_the_image(rng):
    image = rng.random((1, 9, 9), dtype=np.float32)
    assert np.array_equal(PeronaMalik()(image, 1e-300), image)
    assert Heat()(image, 1e-300) == pytest.approx(image, abs=1e-6)  # two transforms in float32


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"contrast": 0.0}, "contrast is 0;"),
        ({"contrast_per_sigma": -1.0}, "contrast_per_sigma is -1;"),
        ({"time": 0.0}, "time is 0;"),
        ({"cooling": -1.0}, "cooling is -1;"),
        ({"threads": -1}, "threads is -1;"),
        ({"presmoothing": -0.1}, "presmoothing is -0.1;"),
        ({"presmoothing": float("nan")}, "presmoothing is nan;"),
        ({"step_size": 0.26}, r"step_size is 0\.26;.* stable only up to .* = 0\.25"),
        ({"step_size": 0.0}, "step_size is 0;"),
        ({"step_size": 0.17, "spacing": (1.0, 1.0, 1.0)}, r"step_size is 0\.17;.* = 0\.166667"),
        ({"spacing": (1.0,)}, r"spacing is \(1\.0,\)"),
    ],
)
def test_perona_malik_refuses_what_is_out_of_range(fields, words):
    with pytest.raises(InvalidParameter, match=words):
        PeronaMalik(**fields)


def test_a_step_that_is_stable_in_two_dimensions_is_refused_in_three():
    smooth = PeronaMalik(step_size=0.2)
    smooth(np.zeros((1, 4, 4)), SIGMA)
    with pytest.raises(InvalidParameter, match=r"= 0\.166667"):
        smooth(np.zeros((1, 4, 4, 4)), SIGMA)


def test_an_unknown_conductivity_suggests_the_nearest():
    with pytest.raises(UnknownName, match="did you mean 'rational'"):
        PeronaMalik(conductivity="ratonal")


def test_filters_are_values():
    assert PeronaMalik() == PeronaMalik(cooling=0.2)
    assert replace(Heat(), time=1.0) == Heat(time=1.0)
    with pytest.raises(FrozenInstanceError):
        Heat().time = 2.0


@pytest.mark.parametrize(
    "smooth",
    [PeronaMalik(time=0.6), EdgeEnhancing(time=0.6), CoherenceEnhancing(time=0.6), Heat(), Heat(time=0.5)],
    ids=str,
)
def test_torch_gradients_flow(smooth):
    torch = pytest.importorskip("torch")
    image = torch.rand((1, 6, 6), dtype=torch.float64, requires_grad=True)
    smooth(image, SIGMA).sum().backward()
    # The sum is kept, so its derivative by every pixel is 1.
    assert image.grad.numpy() == pytest.approx(np.ones((1, 6, 6)))
