import inspect

import pytest

from noiseless.names import lookup
from noiseless.noise import NOISE_MODELS, Gaussian, NoiseModel


@pytest.mark.parametrize("method", ["sample", "mean", "variance", "log_likelihood"])
def test_entries_have_the_signatures_of_the_protocol(method):
    declared = inspect.signature(getattr(NoiseModel, method)).parameters
    for name in NOISE_MODELS:
        model = lookup(NOISE_MODELS, name, kind="noise model")
        assert list(inspect.signature(getattr(model, method)).parameters) == list(declared)


def test_a_gaussian_is_a_noise_model_to_the_type_checker():
    model: NoiseModel = Gaussian(0.1)
    assert model is not None
