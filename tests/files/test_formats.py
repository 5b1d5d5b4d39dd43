"""The table of formats: by content, by suffix, and formats that share their first bytes."""

import re
from pathlib import Path

import pytest

from noiseless.errors import UnsupportedFormat
from noiseless.files import formats
from noiseless.files.formats import FORMATS, Format, format_for, format_of
from noiseless.names import Lazy, load


def test_no_suffix_is_claimed_twice():
    suffixes = [suffix for entry in FORMATS.values() for suffix in entry.suffixes]
    assert len(suffixes) == len(set(suffixes))
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in suffixes)


@pytest.mark.parametrize("name", FORMATS)
def test_readers_and_writers_can_be_loaded(name):
    assert callable(load(FORMATS[name].reader))
    assert callable(load(FORMATS[name].writer))


def test_suffixes_are_found_whatever_their_case():
    assert format_for(Path("A.TIFF")) is FORMATS["tiff"]


def raw(suffix, magic):
    nothing = Lazy("noiseless.files.tiff:read")
    return Format(name="new", suffixes=(suffix,), magic=re.compile(magic, re.DOTALL), reader=nothing, writer=nothing)


def test_the_suffix_decides_between_formats_that_begin_alike(tmp_path, monkeypatch):
    new = raw(".xyz", rb"II\x2a\x00")
    monkeypatch.setattr(formats, "FORMATS", {**FORMATS, "new": new})
    for suffix, expected in ((".xyz", new), (".tif", FORMATS["tiff"]), (".bin", FORMATS["tiff"])):
        path = tmp_path / f"a{suffix}"
        path.write_bytes(b"II\x2a\x00 and more")
        assert format_of(path) is expected


def test_the_longest_suffix_wins(monkeypatch):
    short, long = raw(".gz", b"x"), raw(".nii.gz", b"y")
    monkeypatch.setattr(formats, "FORMATS", {"short": short, "long": long})
    assert format_for(Path("brain.nii.gz")) is long
    with pytest.raises(UnsupportedFormat):
        format_for(Path("brain.png"))


def test_magic_may_lie_behind_the_start(tmp_path):
    (tmp_path / "IM0001").write_bytes(bytes(128) + b"DICM")
    assert format_of(tmp_path / "IM0001") is FORMATS["dicom"]
