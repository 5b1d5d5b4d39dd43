import shutil

import numpy as np
import pytest

import noiseless
from noiseless.streams.filling_folder import FillingFolder


def picture(value, *, dtype=np.uint8, shape=(4, 6)):
    return noiseless.from_array(np.full(shape, value, dtype), channel_axis=-1 if len(shape) == 3 else None)


@pytest.fixture
def watch(tmp_path, clock):
    """Values of the pictures that come out, while a script of steps happens, one a look."""

    def run(*steps, follow=True, timeout_s=3.0):
        remaining = list(steps)

        def sleep(seconds):
            clock.sleep(seconds)
            if remaining:
                remaining.pop(0)()

        folder = FillingFolder(tmp_path, timeout_s=timeout_s, follow=follow, clock=clock, sleep=sleep)
        values = [int(found.pixels.flat[0]) for found in folder.pictures(timeout_s)]
        return values, folder

    return run


def test_what_is_there_comes_in_the_order_of_names_and_the_rest_when_it_comes(watch, tmp_path):
    noiseless.write(picture(2), tmp_path / "b.png")
    noiseless.write(picture(1), tmp_path / "a.png")
    values, folder = watch(
        lambda: None,
        lambda: noiseless.write(picture(4), tmp_path / "d.png"),
        lambda: noiseless.write(picture(3), tmp_path / "c.png"),
    )
    assert values == [1, 2, 3, 4]  # c came before d was known to be finished
    assert folder.corrupt == 0


def test_a_file_that_is_being_written_is_waited_for_and_holds_back_later_names(watch, tmp_path):
    whole, target = tmp_path / ".whole.png", tmp_path / "a.png"
    noiseless.write(picture(1), whole)
    noiseless.write(picture(2), tmp_path / "b.png")
    data = whole.read_bytes()
    target.write_bytes(data[:20])
    values, folder = watch(
        *[lambda end=end: target.write_bytes(data[:end]) for end in (30, 40, 50)],
        *[lambda: None] * 5,
        lambda: target.write_bytes(data),
    )
    assert values == [1, 2]
    assert folder.corrupt == 0


def test_a_name_that_is_no_image_yet_is_left_alone_until_it_is_renamed(watch, tmp_path):
    noiseless.write(picture(1), tmp_path / "a.png")
    shutil.copy(tmp_path / "a.png", tmp_path / "b.png.part")
    (tmp_path / "notes.txt").write_text("x")
    values, _ = watch(*[lambda: None] * 3, lambda: (tmp_path / "b.png.part").rename(tmp_path / "b.png"))
    assert values == [1, 1]


def test_a_damaged_file_is_skipped_after_a_second_and_counted(watch, tmp_path):
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n damaged")
    noiseless.write(picture(2), tmp_path / "b.png")
    values, folder = watch()
    assert (values, folder.corrupt) == ([2], 1)


def test_it_ends_after_the_time_without_a_new_file(watch, tmp_path, clock):
    noiseless.write(picture(1), tmp_path / "a.png")
    watch(timeout_s=3.0)
    assert 3.0 <= clock.now - 100.0 <= 3.5


def test_it_ends_at_once_where_a_file_named_stop_appears_and_takes_the_rest(watch, tmp_path, clock):
    def stop():
        noiseless.write(picture(2), tmp_path / "b.png")
        (tmp_path / "STOP").touch()

    noiseless.write(picture(1), tmp_path / "a.png")
    values, _ = watch(lambda: None, stop, timeout_s=1e6)
    assert values == [1, 2]


def test_without_following_it_gives_what_there_is(watch, tmp_path, clock):
    noiseless.write(picture(1), tmp_path / "a.png")
    values, _ = watch(follow=False)
    assert values == [1]
    assert clock.slept == []


def test_a_folder_into_which_nothing_comes_is_an_error(watch):
    with pytest.raises(noiseless.UnreadableFile, match=r"no image came into .* within 3 s"):
        watch()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_colour_and_dtype_are_those_of_the_files(tmp_path, dtype):
    noiseless.write(picture(7, dtype=dtype, shape=(4, 6, 3)), tmp_path / "a.png")
    (found,) = FillingFolder(tmp_path, timeout_s=1.0, follow=False).pictures(1.0)
    assert (found.pixels.shape, found.pixels.dtype) == ((4, 6, 3), dtype)
