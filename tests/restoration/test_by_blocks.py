"""Blocks: the result is that of the whole, memory is bounded, and what the whole decides is decided once."""

import itertools
import tracemalloc
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from noiseless.errors import Diverged, InvalidImage, InvalidParameter
from noiseless.image import Image, from_array
from noiseless.noise import (
    Correlated,
    Gaussian,
    HotPixels,
    Poisson,
    PoissonGaussian,
    Quantisation,
    Quantised,
    Rician,
    Speckle,
    WithImpulses,
    gaussian_kernel,
)
from noiseless.restoration import (
    METHODS,
    Recipe,
    block_decision,
    block_grid,
    removal_in_parts,
    restore_by_blocks,
    restore_image,
)
from noiseless.restoration.block_decision import PLANAR
from noiseless.restoration.block_grid import Needs, grown, pieces_for, sides_that_fit, size_of, windows_in
from noiseless.restoration.block_sample import SIDE, sample_of

EXACT = "score:precision=float32,model=tiny"
MEMORY = 2**27


@dataclass(frozen=True, eq=False)
class Chunked:
    """An array (items, C, *space) in parts."""

    values: np.ndarray
    together: bool = False

    @property
    def items(self):
        return self.values.shape[0]

    @property
    def channels(self):
        return self.values.shape[1]

    @property
    def space(self):
        return self.values.shape[2:]

    @property
    def dtype(self):
        return self.values.dtype

    @property
    def chunk(self):
        return (1,) * len(self.space)

    def read(self, item, channels, window):
        return self.values[(item, channels, *window)].copy()


@dataclass(frozen=True, eq=False)
class Writer:
    """Keeps what is written, and how often; windows off the grid are refused."""

    values: np.ndarray
    grid: tuple
    times: np.ndarray

    @classmethod
    def of(cls, source, grid):
        return cls(np.zeros_like(source.values), grid, np.zeros(source.values.shape, int))

    def write(self, item, channels, window, values):
        for part, side, length in zip(window, self.grid, self.values.shape[2:], strict=True):
            assert part.start % side == 0
            assert part.stop % side == 0 or part.stop == length
        assert values.dtype == self.values.dtype
        self.values[(item, channels, *window)] = values
        self.times[(item, channels, *window)] += 1


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks and tiles of few pixels, so that a small image has many."""
    monkeypatch.setattr(block_grid, "LARGEST_SIDE", 48)
    monkeypatch.setattr(block_grid, "LARGEST_DEPTH", 3)
    monkeypatch.setattr(block_grid, "OF_HALO", 0)


def clean(shape):
    rows, columns = np.mgrid[0 : shape[-2], 0 : shape[-1]]
    picture = 0.5 + 0.3 * np.sin(columns / 9) * np.cos(rows / 7) + 0.1 * ((columns // 13 + rows // 11) % 2)
    return np.broadcast_to(picture, shape).astype(np.float32)


def noisy(shape, noise, *, scale=1.0):
    """(items, C, *space) float32."""
    values = (scale * clean(shape)).reshape(-1, *shape[2:])
    return noise.sample(values, np.random.default_rng(0)).reshape(shape).astype(np.float32)


def restored(source, recipe, grid, *, memory=MEMORY, **options):
    writer = Writer.of(source, grid)
    result = restore_by_blocks(source, writer, recipe, memory_bytes=memory, **options)
    assert (writer.times == 1).all()
    return writer.values, result


def of_whole(source, item, group, recipe, **options):
    """What restore_image makes of it in memory, with the range of values that all items have together."""
    pixels = np.moveaxis(source.values[:, group], 0, 1)
    sample = from_array(pixels.reshape(len(pixels), -1, *source.space[-2:]), channel_axis=0)
    nominal = (source.values[item, group] - np.float32(sample.offset)) / np.float32(sample.scale)
    image = Image(nominal, "CYX" if nominal.ndim == 3 else "CZYX", sample.scale, sample.offset)
    return restore_image(image, recipe, **options).image.in_stored_units(), sample.scale


def check_equal_to_the_whole(source, recipe, grid, **options):
    found, result = restored(source, recipe, grid, **options)
    groups = [slice(0, source.channels)] if source.together else [slice(n, n + 1) for n in range(source.channels)]
    for item, group in itertools.product(range(source.items), groups):
        whole, scale = of_whole(source, item, group, recipe, **options)
        # The bar of the design, 1e-5 of the nominal range; the stored values are float32, so nothing is rounded.
        assert np.abs(found[item, group] - whole).max() <= 1e-5 * scale
    return result


LOCAL = [name for name in METHODS if removal_in_parts._is_local(name)]


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("name", LOCAL)
def test_every_method_whose_reach_is_known_gives_what_it_gives_in_memory(name):
    method = EXACT if name == "score" else name
    source = Chunked(noisy((1, 1, 131, 101), Gaussian(0.1)))
    result = check_equal_to_the_whole(source, Recipe(method, tile=40), (17, 23), noise=Gaussian(0.1))
    assert result.blocks > 4


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize(
    ("noise", "scale"),
    [
        (Gaussian(0.1), 1.0),
        (Quantised(Gaussian(0.1), Quantisation(0.02)), 1.0),
        (Quantisation(0.2), 1.0),
        (Poisson(5.0), 2000.0),
        (PoissonGaussian(5.0, 10.0, 100.0), 2000.0),
        (Speckle(4.0), 200.0),
        (WithImpulses(PoissonGaussian(2.0, 3.0), HotPixels(0.001, 1500.0, 4000.0)), 1000.0),
    ],
)
def test_noise_of_every_kind_that_is_met_place_by_place(noise, scale):
    source = Chunked(noisy((1, 1, 131, 101), noise, scale=scale))
    check_equal_to_the_whole(source, Recipe(EXACT, tile=40, strength=0.9, bound=2.0), (16, 16), noise=noise)


@pytest.mark.parametrize(
    ("noise", "scale"),
    [
        (Gaussian(0.0005), 1.0),
        (Quantised(Gaussian(0.5), Quantisation(0.1)), 1000.0),
        (PoissonGaussian(0.01, 0.02), 2000.0),
    ],
)
def test_contrast_of_many_times_the_noise_is_met_by_the_levels_of_the_whole(noise, scale, monkeypatch):
    monkeypatch.setattr(block_grid, "LARGEST_SIDE", 152)
    monkeypatch.setattr(block_grid, "OF_HALO", 0)
    picture = 0.1 * clean((1, 1, 300, 300))
    # In the last block bright pixels are too few for a range of their own, in the whole they are not.
    picture[..., :80, :80] = 0.8 * clean((1, 1, 80, 80)) + 0.2
    picture[..., 290:294, 290:294] = 0.6
    values = noise.sample((scale * picture)[0], np.random.default_rng(0))[np.newaxis].astype(np.float32)
    recipe, source = Recipe(EXACT, tile=152), Chunked(values)
    sample = sample_of(source, slice(0, 1), memory_bytes=MEMORY, deep=False)
    removal = removal_in_parts.removal_for(noise, removal_in_parts.local_denoiser(recipe), recipe, sample)
    assert len(removal.denoiser.nodes) > 2
    assert check_equal_to_the_whole(source, recipe, (8, 8), noise=noise).blocks == 4


def test_correlated_noise_away_from_the_border(monkeypatch):
    monkeypatch.setattr(block_grid, "LARGEST_SIDE", 192)
    monkeypatch.setattr(block_grid, "OF_HALO", 0)
    noise, recipe = Correlated(0.1, gaussian_kernel(1.0)), Recipe("experts", tile=192)
    source = Chunked(noisy((1, 1, 336, 304), noise))
    found, result = restored(source, recipe, (16, 16), noise=noise)
    whole, _ = of_whole(source, 0, slice(0, 1), recipe, noise=noise)
    inner = (..., slice(64, -64), slice(64, -64))
    assert result.blocks == 4
    # Beyond 64 pixels filters see less than 1e-5 sigma, in each of at most 8 rounds.
    assert np.abs(found[0] - whole)[inner].max() <= 8 * 1e-5 * noise.sigma + 1e-6


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize(
    ("shape", "grid", "together"),
    [
        ((2, 3, 67, 51), (16, 16), False),
        ((1, 3, 67, 51), (16, 51), True),
        ((1, 5, 67, 51), (16, 16), True),
        ((2, 2, 5, 67, 51), (2, 16, 16), False),
        ((1, 3, 4, 67, 51), (1, 16, 16), True),
        ((1, 1, 1, 1), (16, 16), False),
        ((1, 1, 5, 3), (16, 16), False),
        ((1, 1, 1, 97), (1, 1), False),
        ((1, 1, 3, 97, 2), (1, 1, 1), False),
    ],
)
@pytest.mark.parametrize("method", [EXACT, "perona-malik"])
def test_items_channels_and_sizes_of_every_kind(shape, grid, together, method):
    source = Chunked(noisy(shape, Gaussian(0.1)), together)
    check_equal_to_the_whole(source, Recipe(method, tile=40), grid, noise=Gaussian(0.1))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "int32", "float16", "float64"])
def test_stored_types_come_back(dtype, small_blocks):
    values = np.rint(1000 * noisy((1, 1, 67, 51), Gaussian(0.1))) if dtype != "uint8" else 200 * clean((1, 1, 67, 51))
    source = Chunked(np.asarray(values, dtype))
    found, _ = restored(source, Recipe(EXACT), (16, 16), sigma=20.0)
    image = from_array(source.values[0], channel_axis=0)
    whole = restore_image(image, Recipe(EXACT), sigma=20.0).image
    assert found.dtype == dtype
    # Where a value lies between two steps, 1e-5 of the range may decide to which it is rounded.
    step = 1.0 if np.dtype(dtype).kind in "iu" else float(np.spacing(np.abs(found).max()))
    assert np.abs(found[0].astype(np.float64) - whole.stored().astype(np.float64)).max() <= step + 1e-5 * image.scale


def test_the_sizes_of_blocks_and_tiles_do_not_matter(monkeypatch):
    source = Chunked(noisy((1, 1, 150, 137), Gaussian(0.1)))
    monkeypatch.setattr(block_grid, "OF_HALO", 0)
    results = []
    for side, tile, grid in ((48, 40, (16, 16)), (80, 72, (5, 7)), (2048, 512, (1, 1)), (33, 104, (33, 137))):
        monkeypatch.setattr(block_grid, "LARGEST_SIDE", side)
        results.append(restored(source, Recipe(EXACT, tile=tile), grid, sigma=0.1)[0])
    for other in results[1:]:
        np.testing.assert_allclose(other, results[0], atol=1e-5)


@pytest.mark.usefixtures("small_blocks")
def test_a_reach_that_is_too_short_would_be_seen(box_mean, monkeypatch):
    source = Chunked(noisy((1, 1, 67, 51), Gaussian(0.1)))
    check_equal_to_the_whole(source, Recipe("box-mean", tile=16), (16, 16), noise=Gaussian(0.1))
    monkeypatch.setattr(block_grid, "grown", lambda window, halo, space: window)
    with pytest.raises(AssertionError):
        check_equal_to_the_whole(source, Recipe("box-mean", tile=16), (16, 16), noise=Gaussian(0.1))


@pytest.mark.usefixtures("small_blocks")
def test_the_noise_is_estimated_once_for_each_channel_and_never_for_a_block(monkeypatch):
    sigmas = np.array([0.02, 0.08]).reshape(1, 2, 1, 1)
    values = clean((3, 2, 150, 140)) + sigmas * np.random.default_rng(0).standard_normal((3, 2, 150, 140))
    source, calls = Chunked(values.astype(np.float32)), []
    known = block_decision.known_noise
    monkeypatch.setattr(block_decision, "known_noise", lambda *given: (calls.append(given), known(*given))[1])
    found, result = restored(source, Recipe(EXACT), (16, 16), noise="gaussian")
    assert len(calls) == 2
    for noise, sigma in zip(result.noise, (0.02, 0.08), strict=True):
        assert noise.sigma == pytest.approx(sigma, rel=0.1)
    assert [report["noise"] for report in result.reports] == ["gaussian", "gaussian"]
    for channel, noise in enumerate(result.noise):
        whole, _ = of_whole(source, 1, slice(channel, channel + 1), Recipe(EXACT), noise=noise.model)
        np.testing.assert_allclose(found[1, channel : channel + 1], whole, atol=1e-5)


def test_the_noise_of_a_large_image_is_known_from_a_sample_of_all_of_it():
    shape = (2, 1, 3, 500, 700)
    source = Chunked(noisy(shape, Gaussian(0.05)))
    sample = sample_of(source, slice(0, 1), memory_bytes=2**27, deep=False)
    assert sample.space[-2:] == (SIDE, SIDE)
    assert sample.pixels.nbytes < source.values.nbytes / 2
    assert sample.volumes == sample.space[0] > 8
    _, result = restored(source, Recipe("non-local-means"), (1, 64, 64), noise="gaussian")
    assert result.noise[0].sigma == pytest.approx(0.05, rel=0.05)


def test_windows_without_content_are_left_out_of_the_sample():
    values = np.zeros((1, 1, 2000, 1000), np.uint16)
    values[..., :500, :500] = np.rint(1000 * noisy((1, 1, 500, 500), Gaussian(0.05)))
    sample = sample_of(Chunked(values), slice(0, 1), memory_bytes=2**26, deep=False)
    assert (np.ptp(sample.pixels, axis=(-2, -1)) > 0).all()
    nothing = sample_of(Chunked(values[..., 500:, 500:]), slice(0, 1), memory_bytes=2**24, deep=False)
    assert nothing.pixels.shape == (1, 1, SIDE, SIDE)
    with pytest.raises(InvalidParameter, match="give sigma"):
        restored(Chunked(values[..., 500:, 500:]), Recipe(EXACT), (16, 16), memory=2**26)


def test_a_small_image_is_its_own_sample():
    values = noisy((2, 3, 4, 67, 51), Gaussian(0.05))
    sample = sample_of(Chunked(values), slice(1, 2), memory_bytes=MEMORY, deep=True)
    np.testing.assert_allclose(
        sample.in_stored_units(), np.moveaxis(values[:, 1:2], 0, 1).reshape(1, 8, 67, 51), atol=1e-6
    )
    assert sample.volumes == 2


def peak(space, dtype="uint16", memory=2**25):
    """The most bytes of arrays that are alive while an image of noise is denoised that nobody holds."""

    @dataclass(frozen=True)
    class Endless(Chunked):
        values: object = None
        items = 1
        channels = 1

        @property
        def space(self):
            return space

        @property
        def dtype(self):
            return np.dtype(dtype)

        def read(self, item, channels, window):
            rng = np.random.default_rng(window[-1].start + 7 * window[-2].start)
            return rng.integers(100, 160, (1, *size_of(window)), dtype=dtype)

    @dataclass(frozen=True)
    class Away:
        grid: tuple = (16, 16)
        written: list = field(default_factory=list)

        def write(self, item, channels, window, values):
            self.written.append(values.size)

    writer = Away()
    tracemalloc.start()
    try:
        restore_by_blocks(Endless(), writer, Recipe("box-mean", tile=512), sigma=10.0, memory_bytes=memory)
        return tracemalloc.get_traced_memory()[1], len(writer.written)
    finally:
        tracemalloc.stop()


def test_memory_is_bounded_whatever_the_size_of_the_image(box_mean, monkeypatch):
    monkeypatch.setattr(block_grid, "LARGEST_SIDE", 512)
    peak((512, 512))
    (one, one_block), (many, many_blocks) = peak((512, 1024)), peak((2560, 2048))
    assert (one_block, many_blocks) == (2, 20)
    assert one <= 2**25
    # The list of blocks grows, a few hundred bytes for each; the arrays do not.
    assert many <= one + 2**16


def test_less_memory_makes_smaller_blocks(box_mean):
    few, many = peak((2048, 2048), memory=2**27), peak((2048, 2048), memory=2**24)
    assert few[1] < many[1]
    assert many[0] <= 2**24


def test_progress_rises_to_the_end(small_blocks):
    shares = []
    source = Chunked(noisy((1, 2, 67, 51), Gaussian(0.1)))
    _, result = restored(source, Recipe("non-local-means"), (16, 16), sigma=0.1, progress=shares.append)
    assert shares == [(number + 1) / result.blocks for number in range(result.blocks)]


@pytest.mark.usefixtures("small_blocks")
def test_sigma_may_be_one_a_channel():
    sigmas = np.array([0.05, 0.0, 0.2])
    values = clean((1, 3, 67, 51)) + sigmas[:, None, None] * np.random.default_rng(0).standard_normal((1, 3, 67, 51))
    for together in (False, True):
        source = Chunked(values.astype(np.float32), together)
        by_sigma, _ = restored(source, Recipe(EXACT), (16, 16), sigma=sigmas)
        by_noise, _ = restored(source, Recipe(EXACT), (16, 16), noise=Gaussian(sigmas.reshape(3, 1, 1)))
        np.testing.assert_array_equal(by_sigma, by_noise)
        if together:
            whole, _ = of_whole(source, 0, slice(0, 3), Recipe(EXACT), sigma=sigmas)
            np.testing.assert_allclose(by_sigma[0], whole, atol=1e-5)
        else:
            np.testing.assert_allclose(by_sigma[0, 1], values[0, 1], atol=1e-6)


def test_the_report_is_that_of_an_image_in_memory(small_blocks):
    source = Chunked(noisy((1, 1, 67, 51), Gaussian(0.1)))
    _, result = restored(source, Recipe(EXACT), (16, 16), sigma=0.1)
    (report,) = result.reports
    whole = restore_image(from_array(source.values[0], channel_axis=0), Recipe(EXACT), sigma=0.1).report
    assert report.keys() == whole.keys()
    assert report["audit"]["removed"] == pytest.approx(whole["audit"]["removed"], rel=1e-4)
    assert {**report, "seconds": 0, "audit": 0} == {**whole, "seconds": 0, "audit": 0}


WHOLE = [
    (Recipe("heat"), "heat looks at the whole image.*perona-malik.*score"),
    (Recipe("score", steps=4), "score in 4 steps looks at the whole image"),
    (Recipe("ensemble"), "ensemble looks at the whole image"),
    (Recipe("score:normal=y"), "looks at the whole image"),
    (Recipe(error=True), "error looks"),
    (Recipe(samples=2, steps=9), "samples looks"),
    (Recipe(budget_s=9.0), "budget_s looks"),
]


@pytest.mark.parametrize(("recipe", "reason"), WHOLE)
def test_what_looks_at_the_whole_image_is_refused(recipe, reason):
    with pytest.raises(InvalidParameter, match=reason) as caught:
        restored(Chunked(clean((1, 1, 9, 9))), recipe, (1, 1), sigma=0.1)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"noise": Rician(0.1)}, "Rician noise is removed from whole images only.*poisson-gaussian"),
        ({"noise": WithImpulses(Rician(0.1), HotPixels(0.1))}, "Rician noise is removed from whole images only"),
        ({"sigma": np.full((9, 9), 0.1)}, r"shape \(9, 9\) is not one a channel"),
        ({"sigma": [0.1, 0.2]}, "not one a channel, of which there are 1"),
        ({"sigma": 0.1, "noise": Gaussian(0.1)}, "give one of them"),
        ({"sigma": 0.1, "memory": 2**20}, "least block of the file, 1 x 1 and .* needs .* GiB .* allow more"),
    ],
)
def test_noise_and_memory_that_cannot_be_are_refused(options, reason):
    source = Chunked(clean((1, 1, 9, 9)) if "memory" not in options else clean((1, 1, 999, 999)))
    with pytest.raises(InvalidParameter, match=reason):
        restored(source, Recipe(EXACT), (1, 1), **options)


def test_speckle_without_light_is_refused():
    with pytest.raises(InvalidParameter, match="light"):
        restored(Chunked(np.zeros((1, 1, 9, 9), np.float32)), Recipe(EXACT), (1, 1), noise=Speckle(4.0))


def test_few_photons_are_told(small_blocks):
    source = Chunked(noisy((1, 1, 67, 51), Poisson(1.0), scale=3.0))
    _, result = restored(source, Recipe(EXACT), (16, 16), noise=Poisson(1.0))
    assert "few photons" in result.reports[0]["warnings"][0]
    source = Chunked(noisy((1, 1, 67, 51), Poisson(1.0), scale=300.0))
    _, result = restored(source, Recipe(EXACT), (16, 16), noise=Poisson(1.0))
    assert not any("few photons" in warning for warning in result.reports[0]["warnings"])


def test_a_value_that_is_not_finite_is_told_with_its_place(small_blocks):
    values = noisy((1, 2, 131, 101), Gaussian(0.1))
    values[0, 1, 100, 77] = np.nan
    with pytest.raises(InvalidImage, match=r"in channel 1 at \(100, 77\)"):
        restored(Chunked(values), Recipe(EXACT), (16, 16), sigma=0.1)


def test_a_result_that_is_not_finite_is_told(box_mean, monkeypatch):
    monkeypatch.setattr(type(box_mean), "__call__", lambda self, noisy, sigma: noisy * np.float32(np.inf))
    with np.errstate(all="ignore"), pytest.raises(Diverged, match="box-mean"):
        restored(Chunked(clean((1, 1, 9, 9))), Recipe("box-mean"), (1, 1), sigma=0.1)


def test_planar_methods_are_those_that_take_planes():
    volume = noisy((1, 1, 3, 40, 40), Gaussian(0.1))[0]
    for name in PLANAR & set(LOCAL):
        denoiser = removal_in_parts._untiled(Recipe(EXACT if name == "score" else name).build_denoiser())
        planes = np.stack([denoiser(volume[:, number], 0.1) for number in range(3)], axis=1)
        np.testing.assert_allclose(denoiser(volume, 0.1), planes, atol=1e-6)


def test_windows_cover_a_region_once_and_grow_to_multiples_of_eight():
    space = (5, 37, 53)
    counted = np.zeros(space, int)
    for window in windows_in(tuple(slice(0, n) for n in space), (2, 16, 20)):
        counted[window] += 1
        larger = grown(window, (1, 9, 9), space)
        for part, around, margin, length in zip(window, larger, (1, 9, 9), space, strict=True):
            assert around.start <= max(0, part.start - margin)
            assert around.stop >= min(length, part.stop + margin)
        for around, length in zip(larger[1:], space[1:], strict=True):
            assert around.start % 8 == 0
            assert around.stop % 8 == 0 or around.stop == length
    assert (counted == 1).all()


def test_sides_are_multiples_of_the_least_ones():
    assert sides_that_fit((100, 70), (16, 16), lambda sides: sides[0] * sides[1] <= 4000) == (64, 48)
    assert sides_that_fit((100, 70), (16, 16), lambda sides: True) == (112, 80)
    assert sides_that_fit((100, 70), (16, 16), lambda sides: False) is None


def test_a_file_of_which_too_much_is_decoded_at_once_is_refused_before_it_is_read(monkeypatch):
    monkeypatch.setattr(Chunked, "chunk", (2**12, 2**12))
    monkeypatch.setattr(Chunked, "read", None)
    with pytest.raises(InvalidParameter, match=r"pieces of 4096 x 4096 pixels.*need 0\.125 GiB.*0\.12"):
        restored(Chunked(clean((1, 1, 9, 9))), Recipe(EXACT), (1, 1), sigma=0.1, memory=2**27 - 1)


def test_pieces_of_a_file_that_are_too_large_are_refused_with_what_they_need():
    needs = Needs(
        space=(9000, 9000),
        grid=(8192, 8192),
        reach=59,
        deep=False,
        tile=512,
        value_bytes=2,
        pixel_bytes=184,
        memory_bytes=2**30,
    )
    # A quarter of the memory holds four copies of a block with its surroundings, rounded up to multiples of 8.
    needed = 4 * 4 * 2 * (8192 + 2 * 59 + 2 * 8) ** 2 / 2**30
    with pytest.raises(
        InvalidParameter, match=f"8192 x 8192 and 59 pixels around it, needs {needed:.3g} GiB"
    ) as caught:
        pieces_for(needs)
    assert "1 may be used" in str(caught.value)
    assert pieces_for(replace(needs, memory_bytes=2**32)).block == (8192, 8192)


def test_the_error_is_predicted_from_the_sample():
    values = noisy((1, 1, 700, 700), Gaussian(0.1))
    result, report = restored(Chunked(values), Recipe("score", "tiny", predict=True), (64, 64), sigma=0.1, memory=2**27)
    true = float(np.mean(np.square(result - clean((1, 1, 700, 700)))))
    found = report.reports[0]["audit"]
    assert found["predicted_rmse"] ** 2 == pytest.approx(true, rel=0.3)  # waves alike everywhere, so windows suffice
