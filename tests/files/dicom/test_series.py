"""Files of slices that are one volume: gathered, read, written, whole or not at all."""

import numpy as np
import pytest

import noiseless
from noiseless.errors import UnsupportedFormat, UnwritableFile
from noiseless.files import gathered, read_series, write_series

pytest.importorskip("pydicom")
import pydicom
import pydicom.data

from .headers import header, saved


def series(folder, rng, count=4, **changes):
    folder.mkdir()
    volume = rng.integers(0, 4000, (count, 10, 12)).astype(np.uint16)
    order = rng.permutation(count)
    for number in order:
        data = header(volume[number], stored=12, SOPInstanceUID=f"1.2.3.4.{number}", **changes)
        data.ImagePositionPatient = [0, 0, 2.5 * number]
        # Names that say nothing of the order, and have no suffix.
        saved(data, folder / f"IM{(7 * number) % 10}")
    return volume


def test_a_series_is_a_volume_in_the_order_of_its_slices(tmp_path, rng):
    volume = series(tmp_path / "scan", rng, RescaleSlope=1, RescaleIntercept=-1024)
    paths = sorted((tmp_path / "scan").iterdir())
    (together,) = gathered(paths)
    image = read_series(together)
    assert np.array_equal(image.stored()[0], volume.astype(int) - 1024)
    assert image.spacing == (2.5, 0.5, 0.7)
    assert image.volumes == 1
    targets = [tmp_path / f"{path.name}.dcm" for path in together]
    write_series(image, targets)
    written = [pydicom.dcmread(path) for path in targets]
    assert np.array_equal([data.pixel_array for data in written], volume)
    assert len({data.SeriesInstanceUID for data in written}) == 1
    assert len({data.SOPInstanceUID for data in written}) == len(written)


def test_slices_of_different_slope_meet_in_modality_units(tmp_path, rng):
    volume = series(tmp_path / "pet", rng)
    paths = sorted((tmp_path / "pet").iterdir())
    for number, path in enumerate(paths):
        data = pydicom.dcmread(path)
        data.RescaleSlope, data.RescaleIntercept = 1 + number, 0
        data.save_as(path)
    (together,) = gathered(paths)
    image = read_series(together)
    slopes = np.array([1 + paths.index(path) for path in together]).reshape(-1, 1, 1)
    np.testing.assert_allclose(image.stored()[0], volume * slopes, rtol=1e-6)


def test_what_does_not_belong_together_is_apart(tmp_path, rng):
    series(tmp_path / "scan", rng, 3)
    folder = tmp_path / "scan"
    saved(header(np.zeros((5, 5), np.uint16), stored=12), folder / "small.dcm")
    (folder / "broken.dcm").write_bytes(bytes(128) + b"DICM and then nothing")
    (folder / "note.txt").write_text("no image")
    found = gathered(sorted(folder.iterdir()))
    assert sorted(map(len, found)) == [1, 1, 1, 3]
    # Two files at one height are no volume.
    again = pydicom.dcmread(folder / "IM0")
    again.SOPInstanceUID = "1.2.3.4.99"
    again.save_as(folder / "copy.dcm")
    assert max(map(len, gathered(sorted(folder.iterdir())))) == 1


def test_a_series_appears_whole_or_not_at_all(tmp_path, rng):
    series(tmp_path / "scan", rng, 3)
    (together,) = gathered(sorted((tmp_path / "scan").iterdir()))
    image = read_series(together)
    targets = [tmp_path / f"{number}.dcm" for number in range(3)]
    targets[2].write_text("mine")
    with pytest.raises(UnwritableFile, match="exists"):
        write_series(image, targets)
    assert not targets[0].exists()
    assert not targets[1].exists()
    assert targets[2].read_text() == "mine"
    with pytest.raises(UnsupportedFormat, match="series of 3"):
        write_series(image, targets[:2])
    with pytest.raises(UnsupportedFormat, match="series of 3"):
        noiseless.write(image, tmp_path / "one.dcm")
