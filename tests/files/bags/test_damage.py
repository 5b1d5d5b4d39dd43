"""Bags that are damaged, not closed, or none at all: told in one line, and nothing is left."""

import dataclasses
import sqlite3
import sys

import numpy as np
import pytest

from noiseless.errors import MissingExtra, UnreadableFile, UnsupportedFormat
from noiseless.files import is_bag, rewrite_bag

from .recordings import KINDS, Packed, coded, identity, left_in, like, make, never, raw


def damaged(path, how):
    """Truncated by a third, or with every byte of the middle turned over; the largest file where there are several."""
    file = path if path.is_file() else max(path.glob("run*"), key=lambda item: item.stat().st_size)
    data = bytearray(file.read_bytes())
    if how == "truncated":
        data = data[: len(data) * 2 // 3]
    elif how == "empty":
        data = b""
    else:
        for place in range(len(data) // 4, len(data) * 3 // 4):
            data[place] ^= 0xFF
    file.write_bytes(data)


@pytest.mark.parametrize("how", ["truncated", "turned over", "empty"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_bag_is_told_in_one_line(tmp_path, kind, how, contents):
    bag = make(tmp_path, kind, contents)
    damaged(bag, how)
    with pytest.raises((UnreadableFile, UnsupportedFormat), match="run") as told:
        rewrite_bag(bag, like(bag), identity)
    assert "\n" not in str(told.value)
    assert left_in(tmp_path) == [bag.name]


def test_what_is_no_bag_is_told(tmp_path):
    (tmp_path / "photo.png").write_bytes(b"\x89PNG")
    (tmp_path / "folder").mkdir()
    (tmp_path / "false.bag").write_bytes(b"something else")
    for name, told in (("photo.png", "is not a bag"), ("folder", "is not a bag"), ("none.bag", "no such file")):
        with pytest.raises(UnreadableFile, match=told):
            rewrite_bag(tmp_path / name, tmp_path / "clean.bag", never)
        assert not is_bag(tmp_path / name)
    with pytest.raises(UnreadableFile, match=r"false\.bag"):
        rewrite_bag(tmp_path / "false.bag", tmp_path / "clean.bag", never)


def test_metadata_that_cannot_be_read_is_told(tmp_path, contents):
    bag = make(tmp_path, "sqlite", contents)
    (bag / "metadata.yaml").write_text("rosbag2_bagfile_information: [")
    with pytest.raises(UnreadableFile, match=r"^[^\n]*$"):
        rewrite_bag(bag, like(bag), never)
    (bag / "metadata.yaml").write_text("something: else")
    with pytest.raises(UnreadableFile, match="run"):
        rewrite_bag(bag, like(bag), never)


def test_a_recording_that_was_not_closed_is_refused(tmp_path, contents):
    bag = make(tmp_path, "sqlite", contents)
    database = sqlite3.connect(bag / "run.db3")
    database.execute("PRAGMA journal_mode = wal")
    database.execute("INSERT INTO messages (topic_id, timestamp, data) VALUES (1, 1, x'00')")
    database.commit()
    with pytest.raises(UnreadableFile, match=r"was not closed.*run: sqlite3 .*wal_checkpoint"):
        rewrite_bag(bag, like(bag), never)
    database.close()


@pytest.mark.parametrize(
    "change", [{"step": 4}, {"data": b"few"}, {"height": 900_000, "width": 900_000, "step": 900_000}]
)
def test_a_message_whose_numbers_do_not_fit_is_damaged(tmp_path, change):
    good = raw(np.zeros((6, 8), np.uint8))
    bag = make(tmp_path, "ros1", [("/cam", good), ("/cam", dataclasses.replace(good, **change))])
    with pytest.raises(UnreadableFile, match=r"a message of /cam in .* is damaged"):
        rewrite_bag(bag, like(bag), identity)
    assert left_in(tmp_path) == [bag.name]


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_truncated_picture_is_damaged(tmp_path, random, kind):
    data = coded(random((40, 40, 3)), kind)
    bag = make(tmp_path, "ros1", [("/cam", Packed(data[: len(data) // 2]))])
    with pytest.raises(UnreadableFile, match=f"/cam in .* its {kind} cannot be decoded"):
        rewrite_bag(bag, like(bag), identity)


def test_without_rosbags_the_extra_is_named(tmp_path, contents, monkeypatch):
    bag = make(tmp_path, "ros1", contents)
    for name in [name for name in sys.modules if name.split(".")[0] == "rosbags"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "rosbags", None)
    assert is_bag(bag)
    with pytest.raises(MissingExtra, match=r"reading bags needs 'rosbags': pip install 'noiseless\[ros\]'"):
        rewrite_bag(bag, like(bag), never)
