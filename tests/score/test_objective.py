import pytest

torch = pytest.importorskip("torch")

from noiseless.score.objective import LEVEL_FLOOR, denoising_score_matching  # noqa: E402


class Linear(torch.nn.Module):
    """The best residual for the Gaussian prior N(0, std**2), times a factor: sigma**2 / (std**2 + sigma**2) * y."""

    def __init__(self, std, factor):
        super().__init__()
        self.std, self.factor = std, factor

    def forward(self, noisy, sigma):
        return self.factor * sigma**2 / (self.std**2 + sigma**2) * noisy


def loss(std, factor, sigma, shape=(1, 1, 400, 400)):
    generator = torch.Generator().manual_seed(0)
    clean = std * torch.randn(shape, generator=generator)
    normal = torch.randn(shape, generator=generator)
    return float(denoising_score_matching(Linear(std, factor), clean, torch.full(shape, sigma), normal))


def test_its_minimum_over_linear_denoisers_is_the_known_optimum():
    std, sigma = 0.3, 0.1
    at = {factor: loss(std, factor, sigma) for factor in (0.9, 1.0, 1.1)}
    assert at[1.0] < min(at[0.9], at[1.1])
    # E |sigma n - r y|^2 at the best r is sigma**2 std**2 / (sigma**2 + std**2); standard error sqrt(2 / n) of it
    exact = std**2 / (std**2 + sigma**2) * sigma**2 / (sigma**2 + LEVEL_FLOOR**2) ** 0.5
    assert abs(at[1.0] - exact) < 4 * exact * (2 / 400**2) ** 0.5


def test_a_network_that_returns_nothing_scores_sigma_at_strong_noise():
    sigma = 0.3
    exact = sigma**2 / (sigma**2 + LEVEL_FLOOR**2) ** 0.5
    assert abs(loss(0.2, 0.0, sigma) - exact) < 4 * exact * (2 / 400**2) ** 0.5
