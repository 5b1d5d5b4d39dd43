import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from noiseless.image import from_array
from noiseless.noise import SaltAndPepper, estimate_noise
from noiseless.noise.estimation import examination
from noiseless.noise.estimation.examination import examine


@pytest.mark.parametrize("density", [0.0, 0.05])
def test_the_middle_of_a_large_image_decides_whether_impulses_are_searched(density, rng, monkeypatch):
    monkeypatch.setattr(examination, "LARGE", 64)
    noisy = 120 + 5 * rng.standard_normal((200, 180))
    if density:
        noisy = SaltAndPepper(density).sample(noisy[None], rng)[0]
    findings = examine(from_array(noisy))
    assert findings.impulsive == (density > 0)
    assert findings.impulses[0].mask.shape == noisy.shape
    # 36 000 pixels: the binomial error of the density is 0.0011, and 15 % is what the instrument promises.
    assert findings.impulses[0].density == pytest.approx(density, rel=0.15)


def test_replaced_pixels_are_as_noisy_as_the_others(rng):
    noisy = SaltAndPepper(0.2).sample(120 + 5 * rng.standard_normal((1, 200, 200)), rng)[0]
    found = estimate_noise(noisy)
    # 1.6 % by chance (40 000 pixels, 10 of 64 coefficients); mean filling alone would make sigma 10 % too low.
    assert found.model.background.sigma == pytest.approx(5, rel=0.06)


def test_an_image_below_a_patch_has_no_findings(rng):
    assert examine(from_array(rng.standard_normal((7, 30)))) is None


def test_images_examined_side_by_side_take_turns_with_the_switch_of_the_process(rng, monkeypatch):
    # Two that hold it at once would each restore what the other had set: one thread, for good.
    holders, most = [], []

    class Switch:
        @contextmanager
        def limit(self, limits):
            holders.append(limits)
            most.append(len(holders))
            time.sleep(0.02)
            yield
            holders.pop()

    monkeypatch.setattr(examination, "_matrix_products", Switch)
    image = from_array(100 + 5 * rng.standard_normal((64, 64)))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(examine, [image] * 4))
    assert most == [1, 1, 1, 1]
