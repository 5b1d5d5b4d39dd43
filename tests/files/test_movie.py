import numpy as np
import pytest
from PIL import Image, ImageSequence

from noiseless.errors import UnsupportedFormat, UnwritableFile
from noiseless.files import write_movie


@pytest.fixture(params=[(20, 31), (20, 31, 3)], ids=["gray", "colour"])
def frames(request):
    ramp = np.broadcast_to(np.arange(31, dtype=np.uint8) * 8, (20, 31))
    ramp = ramp if len(request.param) == 2 else np.stack([ramp, ramp[::-1], 255 - ramp], axis=-1)
    return [np.ascontiguousarray(np.roll(ramp, shift, axis=1)) for shift in range(6)]


def test_a_gif_shows_the_frames_in_order_and_rests_on_the_last(tmp_path, frames):
    write_movie(frames, tmp_path / "out.gif", rate=10)
    with Image.open(tmp_path / "out.gif") as movie:
        shown = [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(movie)]
        durations = [frame.info["duration"] for frame in ImageSequence.Iterator(movie)]
    assert sum(durations) == 100 * (len(frames) + 19)
    for frame, given in zip(shown, frames, strict=False):
        colour = given if given.ndim == 3 else np.repeat(given[:, :, None], 3, axis=2)
        assert np.abs(frame.astype(int) - colour).mean() < 4  # 256 colours


def test_an_mp4_shows_the_frames_in_order_and_rests_on_the_last(tmp_path, frames):
    av = pytest.importorskip("av")
    write_movie(frames, tmp_path / "out.mp4", rate=10)
    with av.open(str(tmp_path / "out.mp4")) as movie:
        assert movie.streams.video[0].average_rate == 10
        shown = [frame.to_ndarray(format="rgb24") for frame in movie.decode(video=0)]
    assert len(shown) == len(frames) + 19
    assert shown[0].shape == (20, 32, 3)  # even sides
    for frame, given in zip(shown, frames, strict=False):
        colour = given if given.ndim == 3 else np.repeat(given[:, :, None], 3, axis=2)
        difference = np.abs(frame[:, :31].astype(int) - colour)
        assert difference.mean() < (25 if given.ndim == 3 else 12)  # colour has half the resolution


def test_other_suffixes_and_existing_files_are_refused(tmp_path, frames):
    with pytest.raises(UnsupportedFormat, match=r"end its name in \.gif or \.mp4"):
        write_movie(frames, tmp_path / "out.avi")
    (tmp_path / "out.gif").write_bytes(b"mine")
    with pytest.raises(UnwritableFile, match="exists"):
        write_movie(frames, tmp_path / "out.gif")
    assert (tmp_path / "out.gif").read_bytes() == b"mine"
    write_movie(frames, tmp_path / "out.gif", overwrite=True)
    assert (tmp_path / "out.gif").read_bytes()[:4] == b"GIF8"
