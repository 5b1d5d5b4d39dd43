"""What is refused of a good bag: encodings, topics, targets; before anything is done, and leaving nothing."""

import numpy as np
import pytest

from noiseless.errors import InvalidImage, InvalidParameter, UnreadableFile, UnsupportedFormat, UnwritableFile
from noiseless.files import open_bag, rewrite_bag

from .recordings import held_by, identity, inverted, left_in, like, make, never, raw


@pytest.mark.parametrize("kind", ["ros1", "sqlite", "mcap"])
def test_an_unknown_encoding_is_refused_before_anything_is_done(tmp_path, kind, contents):
    bag = make(tmp_path, kind, [*contents, ("/flow", raw(np.ones((4, 4, 2), np.float32), "32FC2"))])
    with pytest.raises(
        UnsupportedFormat, match=r"/flow in .*'32FC2' is not known here; known are mono8, .*bayer_"
    ) as told:
        rewrite_bag(bag, like(bag), never)
    assert "\n" not in str(told.value)
    assert left_in(tmp_path) == [bag.name]
    rewrite_bag(bag, like(bag), inverted, topics=["/left"])
    assert [m for m in held_by(like(bag)) if m[0] != "/left"] == [m for m in held_by(bag) if m[0] != "/left"]


@pytest.mark.parametrize("kind", ["ros1", "sqlite-file", "mcap"])
def test_an_unknown_encoding_later_on_leaves_nothing(tmp_path, kind, contents):
    bag = make(tmp_path, kind, [*contents, ("/left", raw(np.ones((4, 4, 2), np.float32), "32FC2"))])
    with pytest.raises(UnsupportedFormat, match="/left"):
        rewrite_bag(bag, like(bag), identity)
    assert left_in(tmp_path) == [bag.name]


@pytest.mark.parametrize("kind", ["ros1", "sqlite", "mcap-chunk"])
def test_an_error_of_the_function_is_passed_on_and_leaves_nothing(tmp_path, kind, contents):
    bag = make(tmp_path, kind, contents)
    with pytest.raises(ZeroDivisionError):
        rewrite_bag(bag, like(bag), lambda topic, frame: 1 // 0)
    with pytest.raises(InvalidImage, match=r"/left is \(17, 23\) uint8, and the function gave \(17, 23\) float32"):
        rewrite_bag(bag, like(bag), lambda topic, frame: frame.astype(np.float32))
    assert left_in(tmp_path) == [bag.name]


def test_a_bag_without_pictures_says_what_it_has(tmp_path):
    bag = make(tmp_path, "ros1", [("/talk", "hello")])
    with pytest.raises(UnreadableFile, match=r"has no image topics; it has /talk \(std_msgs/msg/String\)"):
        rewrite_bag(bag, like(bag), never)
    with open_bag(bag) as opened:
        assert opened.topics == ()


@pytest.mark.parametrize("name", ["/nowhere", "/talk"])
def test_a_topic_that_is_not_there_is_refused(tmp_path, contents, name):
    bag = make(tmp_path, "sqlite", contents)
    with pytest.raises(InvalidParameter, match=rf"no image topic '{name}' in .*; there are /left, /right"):
        rewrite_bag(bag, like(bag), never, topics=["/left", name])


@pytest.mark.parametrize("kind", ["ros1", "sqlite", "mcap"])
def test_a_target_is_replaced_only_when_told(tmp_path, kind, contents):
    bag = make(tmp_path, kind, contents)
    target = make(tmp_path, kind, contents[:3], "clean")
    before = held_by(target)
    with pytest.raises(UnwritableFile, match=r"exists; replace it with --force \(overwrite=True\)"):
        rewrite_bag(bag, target, never)
    assert held_by(target) == before
    rewrite_bag(bag, target, identity, overwrite=True)
    assert held_by(target) == held_by(bag)
    assert left_in(tmp_path) == sorted([bag.name, target.name])


def test_something_that_is_no_bag_is_not_replaced(tmp_path, contents):
    bag = make(tmp_path, "sqlite", contents)
    (tmp_path / "clean").mkdir()
    (tmp_path / "clean" / "thesis.txt").write_text("years of work")
    with pytest.raises(UnwritableFile, match="is no ROS 2 bag"):
        rewrite_bag(bag, tmp_path / "clean", never, overwrite=True)


def test_a_target_of_another_kind_or_within_the_source_is_refused(tmp_path, contents):
    ros1, ros2 = make(tmp_path, "ros1", contents), make(tmp_path, "sqlite", contents)
    with pytest.raises(UnsupportedFormat, match=r"end .*clean.* in \.bag"):
        rewrite_bag(ros1, tmp_path / "clean", never)
    with pytest.raises(UnsupportedFormat, match="name it 'clean'"):
        rewrite_bag(ros2, tmp_path / "clean.mcap", never)
    for target in (ros2, ros2 / "clean"):
        with pytest.raises(UnwritableFile, match="lies within its source"):
            rewrite_bag(ros2, target, never, overwrite=True)
    with pytest.raises(UnwritableFile, match="lies within its source"):
        rewrite_bag(ros1, ros1, never, overwrite=True)
