"""Dask arrays: lazy, equal to what comes of the whole array in memory, and decided once."""

import pickle
import re

import numpy as np
import pytest

from noiseless.errors import InvalidImage, InvalidParameter
from noiseless.noise import (
    KINDS,
    Correlated,
    Gaussian,
    HotPixels,
    Poisson,
    PoissonGaussian,
    Rician,
    Speckle,
    WithImpulses,
    gaussian_kernel,
)
from noiseless.restoration import (
    METHODS,
    Recipe,
    block_decision,
    block_sample,
    dask_arrays,
    denoise,
    methods,
    removal_in_parts,
)
from noiseless.restoration.dask_arrays import BESIDES, denoise_lazily

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")

EXACT = "score:precision=float32,model=tiny"
TOPS = {"uint8": 255.0, "uint16": 4000.0, "int16": 2000.0, "float32": 1.0, "float64": 50.0, "float16": 1.0}

LAYOUTS = [
    ((151, 157), None, (40, 33)),
    ((151, 157, 3), -1, (48, 64, 1)),
    ((2, 151, 157), 0, (1, 151, 30)),
    ((5, 151, 157), None, (2, 50, 157)),
    ((3, 151, 2, 157), 2, (1, 64, 1, 64)),
]


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Blocks no wider than what they look at around them, by one thread."""
    monkeypatch.setattr(dask_arrays, "OF_HALO", 1)
    with dask.config.set(scheduler="synchronous"):
        yield


def clean(shape):
    rows, columns = np.mgrid[0 : shape[-2], 0 : shape[-1]]
    picture = 0.5 + 0.3 * np.sin(columns / 9) * np.cos(rows / 7) + 0.1 * ((columns // 13 + rows // 11) % 2)
    return np.broadcast_to(picture, shape)


def noisy(shape, channel_axis=None, noise=None, dtype="float32"):
    """An array of this shape and type, its values from 0 to about the top of the type."""
    top, noise = TOPS[dtype], noise or Gaussian(0.1)
    channels = 1 if channel_axis is None else shape[channel_axis]
    space = [length for axis, length in enumerate(shape) if channel_axis is None or axis != channel_axis % len(shape)]
    values = top * noise.sample(clean((channels, *space)).copy(), np.random.default_rng(0))
    values = values[0] if channel_axis is None else np.moveaxis(values, 0, channel_axis)
    return (np.rint(values).clip(0, top) if np.dtype(dtype).kind in "iu" else values).astype(dtype)


def check_equal(values, chunks, recipe, *, steps=0, channel_axis=None, **told):
    """The lazy result against that of the array in memory: integers within so many steps, floats to 1e-5."""
    array = da.from_array(values, chunks=chunks)
    result = denoise_lazily(array, recipe, channel_axis=channel_axis, **told)
    assert isinstance(result, da.Array)
    assert (result.dtype, result.shape) == (values.dtype, values.shape)
    found = result.compute()
    assert (found.dtype, found.shape) == (values.dtype, values.shape)
    whole = denoise(values, method=recipe.method, tile=recipe.tile, channel_axis=channel_axis, **told)
    apart = np.abs(found.astype(np.float64) - whole.astype(np.float64)).max()
    if values.dtype.kind in "iu":
        assert apart <= steps
    else:
        rounding = float(np.spacing(np.abs(whole).max())) if values.dtype == np.float16 else 0.0
        assert apart <= 1e-5 * TOPS[values.dtype.name] + rounding
    return result


@pytest.mark.parametrize(("shape", "channel_axis", "chunks"), LAYOUTS)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32", "float64"])
def test_every_layout_and_type_is_as_in_memory(shape, channel_axis, chunks, dtype):
    values = noisy(shape, channel_axis, dtype=dtype)
    recipe = Recipe(EXACT, tile=40)
    result = check_equal(values, chunks, recipe, channel_axis=channel_axis, sigma=0.1 * TOPS[dtype])
    assert result.npartitions > 1


def test_float16_comes_back():
    check_equal(noisy((151, 157), dtype="float16"), 32, Recipe(EXACT), sigma=0.1)


LOCAL = [name for name in METHODS if removal_in_parts._is_local(name)]


@pytest.mark.parametrize("method", LOCAL)
def test_every_local_method_is_as_in_memory(method):
    # Methods of patches sum along rows, in float32, so a value between two steps may be rounded to either.
    values = noisy((411, 203), dtype="uint8")
    result = check_equal(values, (200, 203), Recipe(method), steps=1, sigma=25.5)
    assert result.npartitions > 1
    check_equal(
        noisy((411, 203)), (200, 203), Recipe("score:precision=float32" if method == "score" else method), sigma=0.1
    )


def test_filters_look_along_z_too():
    values = noisy((170, 24, 20), dtype="float32")
    result = check_equal(values, (90, 24, 20), Recipe("mean-curvature"), sigma=0.1)
    assert result.chunks[0] == (90, 80)
    check_equal(noisy((1, 1, 1)), 1, Recipe("perona-malik"), sigma=0.1)


NOISES = [
    Gaussian(np.array([0.05, 0.2])),
    PoissonGaussian(0.01, 0.02),
    Speckle(20.0),
    WithImpulses(PoissonGaussian(0.004, 0.03), HotPixels(0.01, 1.0, 1.2)),
]


@pytest.mark.parametrize("noise", NOISES, ids=lambda noise: type(noise).__name__)
def test_noise_of_every_kind_is_as_in_memory(noise):
    sampled = Gaussian(0.1) if isinstance(noise, Gaussian) else noise
    values = noisy((2, 203, 157), 0, sampled)
    check_equal(values, (1, 64, 64), Recipe(EXACT), noise=noise, channel_axis=0)


def test_correlated_noise_is_as_in_memory_away_from_the_border():
    noise = Correlated(0.05, gaussian_kernel(1.0))
    values = noisy((400, 240), noise=noise)
    recipe = Recipe("experts")
    found = denoise_lazily(da.from_array(values, chunks=(160, 240)), recipe, noise=noise)
    assert found.numblocks == (3, 1)
    apart = np.abs(found.compute() - denoise(values, method="experts", noise=noise))
    # As for images on disk: 1e-5 sigma in each of 8 rounds, beyond the 64 pixels that filters see.
    assert apart[64:-64].max() <= 8 * 1e-5 * noise.sigma + 1e-6


@pytest.mark.filterwarnings("ignore::UserWarning")  # doubts about the noise, which the pattern raises
@pytest.mark.parametrize("kind", ["gaussian", "poisson-gaussian", None])
def test_noise_is_estimated_once_as_in_memory(kind, monkeypatch):
    law = PoissonGaussian(0.01, 0.02) if kind == "poisson-gaussian" else Gaussian(0.1)
    values = noisy((331, 317), noise=law)
    calls = []
    known = block_decision.known_noise
    monkeypatch.setattr(block_decision, "known_noise", lambda *given: (calls.append(given), known(*given))[1])
    result = check_equal(values, 160, Recipe(EXACT), noise=kind)
    assert result.npartitions > 1
    assert len(calls) == 1


@pytest.mark.filterwarnings("ignore::UserWarning")  # doubts about the noise, which the pattern raises
def test_the_noise_of_a_large_array_is_known_from_windows_of_it(monkeypatch):
    monkeypatch.setattr(block_sample, "SIDE", 64)
    monkeypatch.setattr(block_sample, "WINDOWS", 9)
    values = noisy((640, 600), noise=Gaussian(0.05))
    seen = []
    decided = dask_arrays.decided
    monkeypatch.setattr(dask_arrays, "decided", lambda *given: (seen.append(given[0]), decided(*given))[1])
    found = denoise_lazily(da.from_array(values, chunks=200), Recipe(EXACT)).compute()
    assert [(sample.volumes, sample.space) for sample in seen] == [(9, (9, 64, 64))]
    told = denoise(values, method=EXACT, sigma=0.05)
    # An estimate that is 5 % off changes the result by a few hundredths of sigma.
    assert np.sqrt(np.mean((found - told) ** 2)) < 0.1 * 0.05


def test_levels_and_range_are_those_of_the_whole_array():
    values = 100 * clean((260, 203)) + (np.mgrid[0:260, 0:203][0] > 130) * 900.0
    values = (values + np.random.default_rng(0).standard_normal(values.shape)).astype(np.float32) - 1000
    array = da.from_array(values, chunks=64)
    result = denoise_lazily(array, Recipe(EXACT), sigma=1.0)
    assert result.npartitions > 1
    np.testing.assert_allclose(result.compute(), denoise(values, sigma=1.0, method=EXACT), atol=1e-5 * 1000)


def test_nothing_is_computed_by_the_call():
    def read(block_id):
        raise AssertionError("a block was computed")

    array = da.map_blocks(read, chunks=((64,) * 4, (64,) * 4), dtype=np.float32, meta=np.empty((0, 0), np.float32))
    result = denoise_lazily(array, Recipe(EXACT))
    with pytest.raises(AssertionError, match="a block was computed"):
        result.compute()


def test_the_same_array_has_the_same_keys_and_another_recipe_has_others():
    array = da.from_array(noisy((151, 157)), chunks=40)
    names = [
        denoise_lazily(array, Recipe(EXACT), sigma=sigma, noise=noise).name
        for sigma, noise in ((0.1, None), (0.2, None), (None, None), (None, Correlated(0.05, gaussian_kernel(1.0))))
    ]
    again = [
        denoise_lazily(array, Recipe(EXACT), sigma=sigma, noise=noise).name
        for sigma, noise in ((0.1, None), (0.2, None), (None, None), (None, Correlated(0.05, gaussian_kernel(1.0))))
    ]
    assert names == again
    assert len(set(names)) == len(names)
    assert denoise_lazily(array, Recipe(EXACT, strength=0.5), sigma=0.1).name != names[0]


def test_the_graph_can_be_pickled():
    values = noisy((151, 157), dtype="uint8")
    result = denoise_lazily(da.from_array(values, chunks=40), Recipe(EXACT), sigma=25.5)
    again = pickle.loads(pickle.dumps(result))
    np.testing.assert_array_equal(again.compute(), result.compute())


def test_several_threads_at_once_give_the_same():
    values = noisy((259, 235), dtype="uint8")
    result = denoise_lazily(da.from_array(values, chunks=48), Recipe(EXACT), sigma=25.5)
    assert result.npartitions > 8
    np.testing.assert_array_equal(
        result.compute(scheduler="threads", num_workers=4), denoise(values, method=EXACT, sigma=25.5)
    )


@pytest.mark.parametrize("length", [1, 7, 8, 33, 65, 66, 96, 97, 129])
def test_blocks_are_of_multiples_of_eight_and_none_is_narrower_than_what_it_looks_at(length):
    values = noisy((length, 41), dtype="uint8")
    result = check_equal(values, (13, 41), Recipe(EXACT), sigma=25.5)
    *full, last = result.chunks[0]
    assert all(side % 8 == 0 and side == full[0] >= last for side in full)
    assert all(side >= 27 for side in full)
    merged = dask_arrays._lengths(length, 32, 27)
    assert sum(merged) == length
    assert min(merged) >= min(27, length)


def test_chunks_that_are_large_enough_stay():
    array = da.zeros((5, 640, 512), chunks=(2, 160, 256), dtype=np.uint16)
    assert denoise_lazily(array, Recipe(EXACT), sigma=9.0).chunks == array.chunks


def test_blocks_are_four_times_as_wide_as_what_they_look_at(monkeypatch):
    monkeypatch.undo()
    array = da.zeros((2000, 2000), chunks=(64, 100), dtype=np.uint16)
    rows, columns = denoise_lazily(array, Recipe("score"), sigma=9.0).chunks
    # It looks 59 pixels far, 64 in multiples of 8.
    assert (rows[0], columns[0]) == (256, 312)


def test_zarr_in_and_out(tmp_path):
    zarr = pytest.importorskip("zarr")
    values = noisy((151, 157), dtype="uint16")
    stored = zarr.create_array(tmp_path / "noisy.zarr", shape=values.shape, chunks=(32, 32), dtype=values.dtype)
    stored[:] = values
    result = denoise_lazily(da.from_zarr(tmp_path / "noisy.zarr"), Recipe(EXACT), sigma=400.0)
    result.to_zarr(tmp_path / "clean.zarr")
    written = zarr.open_array(tmp_path / "clean.zarr", mode="r")
    assert written.dtype == np.uint16
    np.testing.assert_array_equal(written[:], denoise(values, method=EXACT, sigma=400.0))


def test_doubts_about_the_noise_are_warned_of():
    rng = np.random.default_rng(0)
    values = rng.poisson(2.0 * clean((151, 157))).astype(np.float32)
    result = denoise_lazily(da.from_array(values, chunks=64), Recipe(EXACT), noise=Poisson(1.0))
    with pytest.warns(UserWarning, match="few photons"):
        result.compute()


def test_noise_that_cannot_be_estimated_is_told_on_computing():
    result = denoise_lazily(da.zeros((151, 157), chunks=64, dtype=np.float32), Recipe(EXACT))
    with pytest.raises(InvalidParameter, match=r"cannot be estimated.*give sigma"):
        result.compute()


def test_a_value_that_is_not_finite_is_told_with_its_place(monkeypatch):
    monkeypatch.setattr(block_sample, "SIDE", 8)
    monkeypatch.setattr(block_sample, "WINDOWS", 1)
    values = noisy((2, 151, 157), 0)
    values[1, 100, 77] = np.nan
    result = denoise_lazily(da.from_array(values, chunks=40), Recipe(EXACT), sigma=0.1, channel_axis=0)
    assert result.npartitions > 1
    with pytest.raises(InvalidImage, match=r"in channel 1 at \(100, 77\)"):
        result.compute()


REFUSED = [
    (Recipe("heat"), {"sigma": 9.0}, "heat looks at the whole image"),
    (Recipe("score", steps=4), {"sigma": 9.0}, "in 4 steps looks at the whole image"),
    (Recipe(samples=2, steps=9), {"sigma": 9.0}, "samples looks at the whole image"),
    (Recipe(predict=True), {"sigma": 9.0}, "predict tells"),
    (Recipe(), {"noise": Rician(9.0)}, "Rician noise is removed from whole images only"),
    (Recipe(), {"noise": "rician"}, "rician noise is removed from whole images only.*poisson-gaussian"),
    (Recipe(), {"noise": "nonsense"}, "give a noise model"),
    (Recipe(), {"sigma": 9.0, "noise": "gaussian"}, "give one of them"),
    (Recipe(), {"sigma": np.ones((64, 64))}, "not one a channel"),
    (Recipe(), {"sigma": da.ones(())}, "sigma is a dask array"),
    (Recipe(), {"sigma": -1.0}, "sigma is -1"),
    (Recipe(), {"sigma": 1.0, "channel_axis": 5}, "channel_axis is 5"),
]


@pytest.mark.parametrize(("recipe", "options", "reason"), REFUSED)
def test_what_looks_at_the_whole_is_refused_by_the_call(recipe, options, reason):
    with pytest.raises(InvalidParameter, match=reason) as caught:
        denoise_lazily(da.zeros((64, 64), dtype=np.uint8, chunks=32), recipe, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("shape", "dtype"), [((9,), "uint8"), ((2, 3, 4, 5), "float32"), ((0, 9), "uint8"), ((9, 9), "bool")]
)
def test_what_is_no_image_is_refused_as_in_memory(shape, dtype):
    with pytest.raises(InvalidImage) as in_memory:
        denoise(np.zeros(shape, dtype), sigma=1.0)
    with pytest.raises(InvalidImage, match=re.escape(str(in_memory.value))):
        denoise_lazily(da.zeros(shape, dtype=dtype), sigma=1.0)


def test_an_array_of_unknown_size_is_refused():
    array = da.zeros((64, 64), chunks=32)
    with pytest.raises(InvalidParameter, match="compute_chunk_sizes"):
        denoise_lazily(array[array[:, 0] == 0], sigma=1.0)


def test_every_kind_of_noise_is_bounded_or_refused():
    assert {*filter(None, BESIDES), "rician", "srgb-photons"} == set(KINDS)


class Farther:
    """Looks the farther the stronger the noise is."""

    def reach(self, sigma):
        return int(100 * sigma)

    def __call__(self, noisy, sigma):
        return noisy


def test_a_reach_that_depends_on_sigma_needs_it_beforehand(monkeypatch):
    monkeypatch.setattr(methods, "METHODS", {**methods.METHODS, "farther": Farther})
    array = da.zeros((64, 64), dtype=np.uint8, chunks=32)
    with pytest.raises(InvalidParameter, match=r"farther looks depends on sigma.*give sigma"):
        denoise_lazily(array, Recipe("farther"))
    with pytest.raises(InvalidParameter, match="unsigned integers"):
        denoise_lazily(array.astype(np.float32), Recipe("farther"), sigma=9.0)
    assert denoise_lazily(array, Recipe("farther"), sigma=9.0).chunks == ((32, 32), (32, 32))


def test_a_reach_that_is_too_short_would_be_seen(box_mean, monkeypatch):
    values = noisy((67, 51))
    check_equal(values, 16, Recipe("box-mean"), sigma=0.1)
    monkeypatch.setattr(type(box_mean), "reach", lambda self, sigma: 0)
    with pytest.raises(AssertionError):
        check_equal(values, 16, Recipe("box-mean"), sigma=0.1)
