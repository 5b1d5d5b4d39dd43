"""Reading and writing at the door: names, folders, and errors of one line that name the file and the remedy."""

import logging
import subprocess
import sys

import numpy as np
import pytest

from noiseless.errors import InvalidImage, UnreadableFile, UnsupportedFormat, UnwritableFile
from noiseless.files import read, write
from noiseless.image import from_array

IMAGE = from_array(np.arange(12, dtype=np.uint8).reshape(3, 4))


def test_a_missing_file_is_unreadable(tmp_path):
    with pytest.raises(UnreadableFile, match=r"none\.png' does not exist"):
        read(tmp_path / "none.png")


def test_a_folder_is_unreadable(tmp_path):
    with pytest.raises(UnreadableFile, match="is a folder"):
        read(tmp_path)


@pytest.mark.parametrize(("name", "said"), [("clip.mp4", "is a video"), ("run.bag", "is a bag of ROS")])
def test_videos_and_bags_are_no_images_and_told_apart(name, said, tmp_path):
    (tmp_path / name).write_bytes(b"#ROSBAG V2.0\n")
    with pytest.raises(UnsupportedFormat, match=said):
        read(tmp_path / name)


def test_an_empty_file_is_unreadable(tmp_path):
    (tmp_path / "empty.tif").touch()
    with pytest.raises(UnreadableFile, match="is empty"):
        read(tmp_path / "empty.tif")


def test_a_device_is_unreadable():
    with pytest.raises(UnreadableFile, match="not a regular file"):
        read("/dev/zero")


def test_a_name_that_no_system_allows_is_unreadable():
    with pytest.raises(UnreadableFile):
        read("a\0b.png")
    with pytest.raises(UnreadableFile):
        read("x" * 5000 + ".png")


def test_an_unknown_file_lists_the_known_suffixes(tmp_path):
    (tmp_path / "a.xyz").write_text("text")
    with pytest.raises(UnsupportedFormat, match=r"known suffixes: \.png, \.jpg"):
        read(tmp_path / "a.xyz")


def test_an_unknown_suffix_suggests_the_nearest(tmp_path):
    with pytest.raises(UnsupportedFormat, match=r"did you mean '\.jpeg'"):
        write(IMAGE, tmp_path / "a.jpegg")
    with pytest.raises(UnsupportedFormat, match="known suffixes"):
        write(IMAGE, tmp_path / "a")


def test_the_content_decides_which_reader(tmp_path):
    write(IMAGE, tmp_path / "a.png")
    (tmp_path / "a.png").rename(tmp_path / "a.jpg")
    assert read(tmp_path / "a.jpg").header["format"] == "png"


def test_paths_may_be_text(tmp_path):
    write(IMAGE, str(tmp_path / "a.png"))
    np.testing.assert_array_equal(read(str(tmp_path / "a.png")).stored(), IMAGE.stored())


def test_an_existing_file_stays_unless_told_otherwise(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"precious")
    with pytest.raises(UnwritableFile, match=r"--force \(overwrite=True\)"):
        write(IMAGE, path)
    assert path.read_bytes() == b"precious"
    write(IMAGE, path, overwrite=True)
    assert read(path).space == (3, 4)


def test_a_file_that_is_its_own_output_is_replaced(tmp_path):
    path = tmp_path / "a.tif"
    write(IMAGE, path)
    write(read(path), path, overwrite=True)
    np.testing.assert_array_equal(read(path).stored(), IMAGE.stored())


def test_not_a_number_is_refused_with_the_name(tmp_path):
    import tifffile

    tifffile.imwrite(tmp_path / "a.tif", np.full((4, 4), np.nan, np.float32))
    with pytest.raises(InvalidImage, match=r"a\.tif"):
        read(tmp_path / "a.tif")


def test_what_another_format_cannot_hold_is_logged_by_kind_and_not_by_value(tmp_path, caplog):
    import PIL.Image
    import PIL.PngImagePlugin

    text = PIL.PngImagePlugin.PngInfo()
    text.add_text("Patient", "Jane Doe")
    PIL.Image.new("L", (4, 4)).save(tmp_path / "a.png", pnginfo=text)
    with caplog.at_level(logging.DEBUG):
        write(read(tmp_path / "a.png"), tmp_path / "a.jpg")
    assert "png_chunks" in caplog.text
    assert "Jane" not in caplog.text


def test_import_loads_no_codec():
    codecs = "PIL", "tifffile", "imagecodecs", "av", "rosbags"
    code = f"import sys, noiseless.files; print([m for m in {codecs} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
