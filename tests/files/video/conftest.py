"""Clips for every module. The modules of tests import av, or are skipped; this one does not."""

from fractions import Fraction

import pytest


@pytest.fixture(scope="session")
def clips(tmp_path_factory):
    """A folder for clips that several tests read."""
    return tmp_path_factory.mktemp("clips")


@pytest.fixture(scope="session")
def clip(clips):
    """H.264 in MP4, with sound, a variable rate, colour tags, rotation and metadata."""
    from .clips_made import VARIABLE, ColourTags, make

    return make(
        clips / "clip.mp4", times=VARIABLE, sound="aac", rotation=-90, aspect=Fraction(4, 3),
        tags=ColourTags(1, 1, 1, 1), metadata={"title": "a title", "creation_time": "2020-01-02T03:04:05.000000Z"},
    )  # fmt: skip


@pytest.fixture(scope="session")
def lossless(clips):
    """FFV1 of pictures each by itself, with checksums and sound."""
    from .clips_made import make

    return make(clips / "lossless.mkv", "ffv1", "yuv420p", sound="aac", encoder={"g": "1", "slicecrc": "1"})
