"""Every objective has its known minimum over linear denoisers of a Gaussian prior."""

import pytest

torch = pytest.importorskip("torch")

from noiseless.score.implicit import implicit_score_matching, sliced_score_matching  # noqa: E402
from noiseless.score.objective import OBJECTIVES  # noqa: E402
from noiseless.score.self_supervision import risk_map  # noqa: E402
from noiseless.score.weighting import LEVEL_FLOOR  # noqa: E402

STD, SIGMA, SIDE = 0.3, 0.1, 500
PIXELS = SIDE**2


class Linear(torch.nn.Module):
    """The best residual for the Gaussian prior N(0, std**2), times a factor: sigma**2 / (std**2 + sigma**2) * y."""

    def __init__(self, factor, std=STD):
        super().__init__()
        self.std, self.factor = std, factor

    def forward(self, noisy, sigma):
        return self.factor * sigma**2 / (self.std**2 + sigma**2) * noisy


def images_for(name, std=STD, sigma=SIGMA, seed=0):
    """What the objective takes: clean pixels N(0, std**2), or the same with noise, in one frame or two."""
    generator = torch.Generator().manual_seed(seed)
    clean = std * torch.randn((1, 1, SIDE, SIDE), generator=generator)
    objective = OBJECTIVES[name]
    frames = clean.expand(1, objective.frames, SIDE, SIDE)
    if objective.from_noisy:
        frames = frames + sigma * torch.randn(frames.shape, generator=generator)
    return frames, torch.full_like(frames, sigma)


def loss_of(name, network, seed=1):
    images, sigma = images_for(name)
    return float(OBJECTIVES[name].loss(network, images, sigma, torch.Generator().manual_seed(seed)))


@pytest.mark.parametrize("name", [name for name in OBJECTIVES if name not in ("blind-spot", "camera")])
def test_the_minimum_over_linear_denoisers_is_the_known_optimum(name):
    # A parabola through three factors, on the same noise; its lowest point is 1 up to the error of the sample.
    low, middle, high = (loss_of(name, Linear(factor)) for factor in (0.5, 1.0, 1.5))
    curvature = low - 2 * middle + high
    assert curvature > 0
    lowest = 1.0 + 0.25 * (low - high) / curvature
    # The factor is a regression slope over all pixels: its standard error is the spread of what is left, over that of
    # the regressor, over sqrt(pixels). The worst, recorrupted with a = 0.3, leaves (a + 1 / a) sigma and regresses on
    # sigma**2 / std: 3.6 * std / sigma = 11.
    assert abs(lowest - 1.0) < 4 * 11 / PIXELS**0.5


def test_score_matching_at_its_minimum_has_the_known_value():
    exact = STD**2 / (STD**2 + SIGMA**2) * SIGMA**2 / (SIGMA**2 + LEVEL_FLOOR**2) ** 0.5
    assert abs(loss_of("score-matching", Linear(1.0)) - exact) < 4 * exact * (2 / PIXELS) ** 0.5


def test_a_network_that_returns_nothing_scores_sigma_at_strong_noise():
    exact = SIGMA**2 / (SIGMA**2 + LEVEL_FLOOR**2) ** 0.5
    assert abs(loss_of("score-matching", Linear(0.0)) - exact) < 4 * exact * (2 / PIXELS) ** 0.5


def test_the_risk_map_has_the_mean_of_the_squared_error():
    noisy, sigma = images_for("sure")
    risk = risk_map(Linear(1.0), noisy, sigma, torch.Generator().manual_seed(2))
    exact = STD**2 * SIGMA**2 / (STD**2 + SIGMA**2)
    assert abs(float(risk.mean()) - exact) < 4 * float(risk.std()) / PIXELS**0.5


class Share(torch.nn.Module):
    """D(y) = share * y."""

    def __init__(self, share):
        super().__init__()
        self.share = share

    def forward(self, noisy, sigma):
        return (1.0 - self.share) * noisy


def test_the_blind_spot_is_predicted_from_a_neighbour_alone():
    # Every patch has one value, N(0, std**2): the best multiple of a neighbour is std**2 / (std**2 + sigma**2), an
    # eighth here. A pixel that saw itself would choose 1.
    generator = torch.Generator().manual_seed(0)
    clean = STD * torch.randn((4000, 1, 1, 1), generator=generator)
    std = float(clean.square().mean() ** 0.5)  # of this sample: few values, so its own error would count
    sigma = torch.full((4000, 1, 8, 8), 7**0.5 * STD)
    noisy = clean + sigma * torch.randn(sigma.shape, generator=generator)
    low, middle, high = (
        float(OBJECTIVES["blind-spot"].loss(Share(share), noisy, sigma, torch.Generator().manual_seed(3)))
        for share in (0.0, 0.5, 1.0)
    )
    lowest = 0.5 + 0.25 * (low - high) / (low - 2 * middle + high)
    exact = std**2 / (std**2 + 7 * STD**2)
    # 16000 hidden pixels; error of a regression slope: what is left, over the regressor, over sqrt(pixels).
    assert abs(lowest - exact) < 4 * 1.0 / 16000**0.5


@pytest.mark.parametrize("objective", ["implicit", "sliced"])
def test_implicit_objectives_have_the_score_of_a_gaussian_for_minimum(objective):
    generator = torch.Generator().manual_seed(0)
    mixing = torch.tensor([[1.0, 0.0, 0.0], [0.6, 0.8, 0.0], [0.0, 0.3, 0.5]], dtype=torch.float64)
    points = torch.randn((20_000, 3), generator=generator, dtype=torch.float64) @ mixing.T
    precision = torch.linalg.inv(points.T @ points / len(points))  # of the sample, whose score is sought
    matrix = torch.zeros((3, 3), dtype=torch.float64, requires_grad=True)

    def loss():
        if objective == "implicit":
            return implicit_score_matching(lambda x: -x @ matrix.T, points)
        return sliced_score_matching(lambda x: -x @ matrix.T, points, torch.Generator().manual_seed(1))

    # The objective is a quadratic of the matrix: Newton's method finds its minimum in one step.
    (slope,) = torch.autograd.grad(loss(), matrix)
    covariance = points.T @ points / len(points)
    with torch.no_grad():
        matrix -= slope @ torch.linalg.inv(covariance)
    # Sliced directions have E[v v^T] = I up to 1 / sqrt(points), times the size of the precision.
    allowed = 1e-10 if objective == "implicit" else 5 * float(precision.abs().max()) / len(points) ** 0.5
    assert float((matrix.detach() - precision).abs().max()) < allowed
