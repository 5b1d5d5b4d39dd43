import numpy as np
import pytest
from PIL import Image as PillowImage

from noiseless.files import history, read, with_history, write
from noiseless.image import from_array


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
def test_a_history_grows_and_survives_the_file(suffix, tmp_path, rng):
    path = tmp_path / f"image{suffix}"
    image = from_array(rng.integers(0, 255, (16, 20), dtype=np.uint8))
    assert history(image) == []
    write(with_history(with_history(image, "first"), "second: a=1"), path)
    assert history(read(path)) == ["first", "second: a=1"]


def test_the_other_exif_tags_stay(tmp_path):
    exif = PillowImage.Exif()
    exif[0x010F] = "Camera"
    exif.get_ifd(0x8769)[0x829A] = 0.01
    PillowImage.new("L", (8, 8)).save(tmp_path / "in.jpg", exif=exif)
    write(with_history(read(tmp_path / "in.jpg"), "noise added"), tmp_path / "out.png")
    with PillowImage.open(tmp_path / "out.png") as written:
        back = written.getexif()
        assert back[0x010F] == "Camera"
        assert float(back.get_ifd(0x8769)[0x829A]) == 0.01
        assert back.get_ifd(0x8769)[0x9213] == "noise added"


def test_a_damaged_block_is_replaced_with_a_warning(caplog):
    image = from_array(np.zeros((8, 8), np.uint8))
    damaged = type(image)(image.pixels, header={"exif": b"II*\0\xff\xff\xff\xff"})
    assert history(with_history(damaged, "line")) == ["line"]
    assert "damaged" in caplog.text
