"""Bags of ROS from the command line. What is in them is tested with the files."""

import json

import numpy as np
import pytest

from noiseless.apps.cli import main

rosbag1 = pytest.importorskip("rosbags.rosbag1")
typesys = pytest.importorskip("rosbags.typesys")


@pytest.fixture
def bag(tmp_path, rng):
    """Two frames of 24x32 gray pixels."""
    store = typesys.get_typestore(typesys.Stores.ROS1_NOETIC)
    header = store.types["std_msgs/msg/Header"](0, store.types["builtin_interfaces/msg/Time"](1, 2), "camera")
    with rosbag1.Writer(tmp_path / "run.bag") as writer:
        connection = writer.add_connection("/camera", "sensor_msgs/msg/Image", typestore=store)
        for number in range(2):
            pixels = rng.integers(0, 255, 24 * 32, np.uint8)
            message = store.types["sensor_msgs/msg/Image"](header, 24, 32, "mono8", 0, 32, pixels)
            writer.write(connection, number, store.serialize_ros1(message, "sensor_msgs/msg/Image"))
    return tmp_path / "run.bag"


def test_a_bag_is_denoised_beside_itself(bag, capsys):
    assert main(["denoise", str(bag), "--sigma", "20", "--model", "tiny", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["topic"], report["frames"]) == ("/camera", 2)
    assert report["noise"]["sigma"] == pytest.approx([20 / 255])
    assert (bag.parent / "run.denoised.bag").is_file()
    assert main(["denoise", str(bag)]) == 1
    assert "exists" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--tile", "64"], "--tile is not for bags"),
        (["--error", "e.tif"], "--error is not for bags"),
        (["--noise", "poisson:gain=2"], "only gaussian"),
        (["--method", "heat"], "--method is not for bags"),
        (["--topic", "/lidar"], "/camera"),
        (["other.png"], "is a bag; give it alone"),
    ],
)
def test_what_does_not_go_with_a_bag_is_refused(bag, options, said, capsys):
    assert main(["denoise", str(bag), *options]) == 1
    assert said in capsys.readouterr().err
    assert not (bag.parent / "run.denoised.bag").exists()


def test_topics_are_of_bags(tmp_path, capsys):
    assert main(["denoise", str(tmp_path / "photo.png"), "--topic", "/camera"]) == 1
    assert "--topic is for bags" in capsys.readouterr().err
