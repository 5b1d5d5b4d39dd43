import json

import numpy as np
import pytest

from noiseless.noise import (
    Correlated,
    Gaussian,
    HotPixels,
    NoiseEstimate,
    Poisson,
    PoissonGaussian,
    Quantisation,
    Quantised,
    Rician,
    SaltAndPepper,
    Speckle,
    Stripes,
    Sum,
    WithImpulses,
)
from noiseless.noise.estimation.noise_estimate import HIGH, MODERATE, parts_of


def estimate_of(model, confidence=0.5):
    return NoiseEstimate(model, confidence, "because", ("careful",))


@pytest.mark.parametrize(
    ("confidence", "word"),
    [
        (0.0, "none"),
        (1e-9, "low"),
        (0.2, "low"),
        (np.nextafter(MODERATE, 0), "low"),
        (MODERATE, "moderate"),
        (np.nextafter(HIGH, 0), "moderate"),
        (HIGH, "high"),
        (1.0, "high"),
    ],
)
def test_trust_is_the_confidence_in_a_word(confidence, word):
    assert estimate_of(Gaussian(1.0), confidence).trust == word


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        (Gaussian(1.0), "gaussian"),
        (Poisson(1.0), "poisson"),
        (PoissonGaussian(1.0, 1.0), "poisson-gaussian"),
        (Rician(1.0), "rician"),
        (Speckle(1.0), "speckle"),
        (Stripes(1.0), "stripes"),
        (Correlated(1.0, np.ones((2, 2))), "correlated"),
        (WithImpulses(Rician(2.0), HotPixels(0.1)), "rician + hot-pixels"),
        (
            WithImpulses(Sum(Stripes(1.0, 0.0, 0), Stripes(2.0, 3.0, 1)), SaltAndPepper(0.1)),
            "stripes + stripes + salt-and-pepper",
        ),
    ],
)
def test_the_kind_is_the_name_in_the_notation(model, kind):
    assert estimate_of(model).kind == kind
    assert estimate_of(model).summary()["noise"] == kind


def test_parts_come_in_the_order_in_which_they_act():
    read, lines, salt, step = Gaussian(3.0), Stripes(2.0), SaltAndPepper(0.1), Quantisation(1.0)
    assert parts_of(read) == [read]
    assert parts_of(Sum(lines, read)) == [lines, read]
    assert parts_of(Sum(read, lines)) == [read, lines]
    assert parts_of(WithImpulses(Sum(lines, read), salt)) == [lines, read, salt]
    assert parts_of(Quantised(WithImpulses(read, salt), step)) == [read, salt, step]
    assert parts_of(WithImpulses(Quantised(read, step), salt)) == [read, step, salt]


@pytest.mark.parametrize(
    ("sigma", "plain"),
    [
        (25.0, 25.0),
        (np.array([1.0, 2.0, 3.0]).reshape(3, 1, 1), [1.0, 2.0, 3.0]),
        (np.array([7.0]).reshape(1, 1, 1), 7.0),
        (np.array([[[1.0, 4.0], [2.0, 3.0]]]), {"min": 1.0, "max": 4.0}),
    ],
)
def test_a_summary_holds_plain_values(sigma, plain):
    summary = estimate_of(Gaussian(sigma)).summary()
    assert summary == {
        "noise": "gaussian",
        "parameters": {"sigma": plain},
        "sigma": plain,
        "confidence": 0.5,
        "trust": "moderate",
        "reason": "because",
        "warnings": ["careful"],
    }
    json.dumps(summary)


def test_only_gaussian_noise_has_a_sigma_of_its_own():
    assert "sigma" not in estimate_of(PoissonGaussian(2.0, 3.0)).summary()
    for model in (PoissonGaussian(2.0, 3.0), WithImpulses(Gaussian(3.0), HotPixels(0.1))):
        with pytest.raises(AttributeError, match=f"{type(model).__name__} noise has no sigma"):
            _ = estimate_of(model).sigma


def test_a_summary_of_a_composition_holds_the_parameters_of_both_parts():
    summary = estimate_of(WithImpulses(PoissonGaussian(2.0, 3.0, 1.0), SaltAndPepper(0.1, 5.0, 250.0))).summary()
    assert summary["parameters"] == {
        "gain": 2.0, "sigma": 3.0, "offset": 1.0, "density": 0.1, "low": 5.0, "high": 250.0
    }  # fmt: skip


def test_parameters_of_one_name_are_all_kept():
    parameters = estimate_of(Sum(Gaussian(3.0), Stripes(2.0, 4.0, 1))).summary()["parameters"]
    assert parameters == {"sigma": 3.0, "stripe": 2.0, "stripes sigma": 4.0, "axis": 1}


def test_parameters_of_two_parts_of_one_kind_are_all_kept():
    both = Sum(Stripes(1.0, 0.0, 0), Stripes(2.0, 3.0, 1))
    parameters = estimate_of(both).summary()["parameters"]
    assert sorted(value for name, value in parameters.items() if name.endswith("stripe")) == [1.0, 2.0]


def test_kernels_are_summed_up_by_their_range():
    kernel = np.outer([1.0, 2.0, 1.0], [1.0, 2.0, 1.0])
    summary = estimate_of(Correlated(2.0, kernel)).summary()
    # The energy of the kernel is 36 before it is made 1.
    assert summary["parameters"]["kernel"] == pytest.approx({"min": 1 / 6, "max": 4 / 6})
    json.dumps(summary)
