"""Every message comes back byte for byte, but for the pixels of pictures."""

import logging
import shutil

import numpy as np
import pytest

from noiseless.files import is_bag, open_bag, rewrite_bag

pytest.importorskip("rosbags")
from rosbags import rosbag2
from rosbags.rosbag2 import StoragePlugin

from .recordings import (
    IMAGE,
    KINDS,
    STORES,
    TEXT,
    Raw,
    held_by,
    identity,
    inverted,
    like,
    make,
    never,
    pixels_of,
    raw,
    read_back,
    serialised,
)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_changes_where_no_pixel_does(tmp_path, kind, contents):
    bag = make(tmp_path, kind, contents)
    assert [topic.name for topic in rewrite_bag(bag, like(bag), identity)] == ["/left", "/right"]
    assert held_by(like(bag)) == held_by(bag)
    files = [bag] if bag.is_file() else sorted(bag.iterdir())
    for file in files:
        if file.suffix in {".bag", ".mcap", ".yaml", ".db3"}:
            copy = like(bag) if bag.is_file() else like(bag) / file.name
            assert copy.read_bytes()[100:] == file.read_bytes()[100:], "SQLite counts changes in its header"


@pytest.mark.parametrize("kind", KINDS)
def test_the_pixels_change_and_nothing_else(tmp_path, kind, contents):
    bag = make(tmp_path, kind, contents)
    rewrite_bag(bag, like(bag), inverted)
    before, after = held_by(bag), held_by(like(bag))
    assert [(t, k, time, *rest) for t, k, time, _, *rest in after] == [
        (t, k, time, *rest) for t, k, time, _, *rest in before
    ]
    assert [data for t, _, _, data, *_ in after if t == "/talk"] == [
        data for t, _, _, data, *_ in before if t == "/talk"
    ]
    for topic, channels in (("/left", ()), ("/right", (3,))):
        pairs = list(zip(read_back(bag, topic), read_back(like(bag), topic), strict=True))
        assert len(pairs) == 6
        for old, new in pairs:
            assert new.header == old.header
            assert np.array_equal(pixels_of(new, np.uint8, channels), 255 - pixels_of(old, np.uint8, channels))
            used = old.width * 3 if channels else old.width
            assert np.array_equal(
                new.data.reshape(old.height, -1)[:, used:], old.data.reshape(old.height, -1)[:, used:]
            )


@pytest.mark.parametrize("kind", KINDS)
def test_the_result_is_compressed_as_the_source(tmp_path, kind, contents):
    bag = make(tmp_path, kind, contents)
    rewrite_bag(bag, like(bag), inverted)
    if bag.is_file():
        compression = {"ros1": b"none", "ros1-bz2": b"bz2", "ros1-lz4": b"lz4"}[kind]
        assert like(bag).read_bytes().count(b"compression=" + compression) == bag.read_bytes().count(b"compression=")
        return
    assert sorted(item.name for item in like(bag).iterdir()) == sorted(item.name for item in bag.iterdir())
    with rosbag2.Reader(bag) as old, rosbag2.Reader(like(bag)) as new:
        assert (new.compression_mode, new.compression_format) == (old.compression_mode, old.compression_format)
        assert type(new.storage.storages[0]) is type(old.storage.storages[0])
        if kind == "mcap-chunk":
            assert {chunk.compression for chunk in new.storage.storages[0].chunks} == {"zstd"}


def test_a_bag_of_several_files_keeps_them(tmp_path, random):
    parts = [
        make(tmp_path, "sqlite", [("/left", raw(random((5, 7)))), ("/right", raw(random((5, 7))))], name)
        for name in ("run", "more")
    ]
    shutil.copyfile(parts[1] / "more.db3", parts[0] / "run_1.db3")
    metadata = (parts[0] / "metadata.yaml").read_text()
    metadata = metadata.replace("  - run.db3\n", "  - run.db3\n  - run_1.db3\n")
    (parts[0] / "metadata.yaml").write_text(metadata)
    (parts[0] / "notes").mkdir()
    (parts[0] / "notes" / "where.txt").write_text("in the yard")
    rewrite_bag(parts[0], tmp_path / "clean", inverted)
    assert (tmp_path / "clean" / "metadata.yaml").read_text() == metadata
    assert (tmp_path / "clean" / "notes" / "where.txt").read_text() == "in the yard"
    old, new = read_back(parts[0], "/right"), read_back(tmp_path / "clean", "/right")
    assert [(255 - each.data).tolist() for each in new] == [each.data.tolist() for each in old]
    assert len(new) == 2


@pytest.mark.parametrize("suffix", [".mcap", ".db3"])
def test_a_file_without_its_folder_is_a_bag(tmp_path, suffix, contents):
    bag = make(tmp_path, "mcap" if suffix == ".mcap" else "sqlite", contents)
    alone = tmp_path / f"alone{suffix}"
    shutil.copyfile(bag / f"run{suffix}", alone)
    assert is_bag(alone)
    rewrite_bag(alone, tmp_path / f"clean{suffix}", inverted)
    assert held_by(tmp_path / f"clean{suffix}") != held_by(alone)
    rewrite_bag(tmp_path / f"clean{suffix}", tmp_path / f"again{suffix}", inverted)
    assert held_by(tmp_path / f"again{suffix}") == held_by(alone)


def test_a_file_in_its_folder_stands_for_the_bag(tmp_path, contents):
    bag = make(tmp_path, "mcap", contents)
    assert is_bag(bag / "run.mcap")
    rewrite_bag(bag / "run.mcap", tmp_path / "clean", inverted)
    assert is_bag(tmp_path / "clean")


@pytest.mark.parametrize("kind", KINDS)
def test_an_open_bag_tells_its_topics_and_gives_all_messages(tmp_path, kind, contents):
    bag = make(tmp_path, kind, contents)
    with open_bag(bag) as opened:
        assert [(each.name, each.type, each.encoding, each.count) for each in opened.topics] == [
            ("/left", IMAGE, "mono8", 6),
            ("/right", IMAGE, "bgr8", 6),
        ]
        got = [(each.topic, each.type, each.time, each.data) for each in opened]
        assert opened.types["/talk"] == TEXT
        assert {each.topic for each in opened.messages(["/talk"])} == {"/talk"}
        assert list(opened.messages([])) == []
    assert got == [held[:4] for held in held_by(bag)]


def test_progress_goes_to_one(tmp_path, contents):
    bag, shares = make(tmp_path, "mcap", contents), []
    rewrite_bag(bag, like(bag), identity, progress=shares.append)
    assert shares == pytest.approx([(number + 1) / 12 for number in range(12)])


def test_messages_out_of_order_are_told(tmp_path, random, caplog):
    writer = rosbag2.Writer(tmp_path / "run", version=9, storage_plugin=StoragePlugin.MCAP)
    with writer:
        connection = writer.add_connection("/cam", IMAGE, typestore=STORES[False])
        for time in (5, 9, 7, 6):
            writer.write(connection, time, serialised(raw(random((4, 4))), is_ros1=False)[1])
    with caplog.at_level(logging.WARNING):
        rewrite_bag(tmp_path / "run", tmp_path / "clean", identity)
    (record,) = caplog.records
    assert "/cam are not in the order of time" in record.getMessage()


def test_an_empty_picture_is_copied(tmp_path):
    bag = make(tmp_path, "ros1", [("/cam", Raw(b"", height=0, width=0, step=0))])
    rewrite_bag(bag, like(bag), never)
    assert held_by(like(bag)) == held_by(bag)


@pytest.mark.shared
@pytest.mark.parametrize("name", ["vtest10_ros1.bag", "vtest10_ros2"])
def test_bags_of_a_street(shared_data, tmp_path, name):
    source = shared_data / "domain" / "rosbag" / name
    if not source.exists():
        pytest.skip(f"no {name} in the shared data")
    same, clean = (tmp_path / f"{word}{source.suffix}" for word in ("same", "clean"))
    rewrite_bag(source, same, identity)
    assert held_by(same) == held_by(source)
    done = rewrite_bag(source, clean, inverted)
    for topic in done:
        dtype, channels = (np.uint16, ()) if topic.encoding == "mono16" else (np.uint8, (3,))
        for old, new in zip(read_back(source, topic.name), read_back(clean, topic.name), strict=True):
            full = np.iinfo(dtype).max
            assert new.header == old.header
            assert np.array_equal(pixels_of(new, dtype, channels), full - pixels_of(old, dtype, channels))
