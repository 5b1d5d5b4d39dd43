"""What stands in examples/ and in docs/robots.md runs, and does what is said there."""

import array
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest
from PIL import Image as Pillow

import noiseless
from noiseless.apps.cli import main

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / "examples" / "onnxruntime_tiny.py"
SNIPPETS = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "robots.md").read_text(encoding="utf-8"), re.DOTALL)


def test_the_script_for_onnxruntime_denoises_as_noiseless_does(tmp_path, rng):
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    y, x = np.mgrid[:61, :83]  # neither is even, and so both are padded
    clean = 110 + 60 * np.sin(x / 7) + 40 * (y > 30)
    noisy = np.clip(np.rint(clean + 15 * rng.standard_normal(clean.shape)), 0, 255).astype(np.uint8)
    Pillow.fromarray(noisy).save(tmp_path / "noisy.png")
    assert main(["export", "tiny-gray", "-o", str(tmp_path / "tiny.onnx")]) == 0
    files = [str(tmp_path / name) for name in ("tiny.onnx", "noisy.png", "clean.png")]
    subprocess.run([sys.executable, SCRIPT, *files, "15"], check=True, capture_output=True)
    result = np.asarray(Pillow.open(tmp_path / "clean.png")).astype(np.float32)
    expected = noiseless.denoise(noisy.astype(np.float32), sigma=15.0, model="tiny")
    # Half a grey level is that the script writes whole numbers, and expected has fractions; the other half is for
    # machines where noiseless computes in bfloat16, and for the order of sums.
    assert np.abs(result - expected).max() <= 1.0
    assert np.abs(result - clean).std() < 0.5 * 15


def test_the_script_needs_no_noiseless():
    assert not re.search(r"^\s*(import|from) noiseless", SCRIPT.read_text(encoding="utf-8"), re.MULTILINE)


class Halving:
    """Stands for the temporal denoiser, and keeps what it is given."""

    made: ClassVar[list] = []

    def __init__(self, **options):
        self.frames = []
        Halving.made.append(self)

    def push(self, frame):
        self.frames.append(frame)
        return frame / 2


@pytest.fixture
def stand_in(monkeypatch):
    monkeypatch.setattr(noiseless, "TemporalDenoiser", Halving, raising=False)
    monkeypatch.setattr(Halving, "made", [])


class Stamp:
    """Stands for times and durations of rclpy."""

    def __init__(self, seconds):
        self.seconds = seconds

    @staticmethod
    def from_msg(stamp):
        return Stamp(stamp)

    def __sub__(self, other):
        return Stamp(self.seconds - other.seconds)

    def __gt__(self, other):
        return self.seconds > other.seconds


class Node:
    """Stands for one of rclpy; its clock says 10 seconds."""

    def __init__(self, name):
        self.published, self.subscriptions = [], []

    def create_publisher(self, kind, topic, qos):
        return SimpleNamespace(publish=self.published.append)

    def create_subscription(self, kind, topic, callback, qos):
        self.subscriptions.append((topic, callback))

    def get_clock(self):
        return SimpleNamespace(now=lambda: Stamp(10.0))


@pytest.fixture
def rclpy(monkeypatch):
    policies = SimpleNamespace(KEEP_LAST=1, BEST_EFFORT=2)
    parts = {
        "rclpy": {},
        "rclpy.duration": {"Duration": Stamp},
        "rclpy.node": {"Node": Node},
        "rclpy.qos": {
            "HistoryPolicy": policies,
            "QoSProfile": lambda **options: options,
            "ReliabilityPolicy": policies,
        },
        "rclpy.time": {"Time": Stamp},
        "sensor_msgs": {},
        "sensor_msgs.msg": {"Image": SimpleNamespace},
    }
    for name, held in parts.items():
        module = ModuleType(name)
        vars(module).update(held)
        monkeypatch.setitem(sys.modules, name, module)


@pytest.mark.parametrize("encoding", ["mono8", "rgb8", "bgr8"])
def test_the_node_publishes_what_came_with_other_pixels(rclpy, stand_in, rng, encoding):
    (code,) = (snippet for snippet in SNIPPETS if "rclpy" in snippet)
    names = {"__name__": "node"}
    exec(compile(code, "docs/robots.md", "exec"), names)
    node = names["Denoised"]()
    ((topic, callback),) = node.subscriptions
    assert topic == "image"
    channels = 1 if encoding == "mono8" else 3
    pixels = rng.integers(0, 256, (4, 5, channels), np.uint8)
    padded = np.concatenate([pixels.reshape(4, -1), np.zeros((4, 3), np.uint8)], axis=1)
    header = SimpleNamespace(stamp=9.9)
    message = SimpleNamespace(
        header=header,
        height=4,
        width=5,
        encoding=encoding,
        step=padded.shape[1],
        data=array.array("B", padded.tobytes()),
    )
    callback(message)
    (published,) = node.published
    assert published.header is header
    assert isinstance(published.data, array.array)
    assert published.step == 5 * channels
    assert np.abs(np.asarray(published.data).reshape(4, 5, channels) - pixels / 2).max() <= 0.5 + 1e-4
    shown = pixels[..., ::-1] if encoding == "bgr8" else pixels
    (frame,) = Halving.made[0].frames
    assert np.allclose(np.moveaxis(frame, 0, -1) * 255, shown, atol=1e-3)
    callback(SimpleNamespace(header=SimpleNamespace(stamp=9.0)))
    assert len(node.published) == 1, "a late frame is dropped"


def test_the_recipe_for_bags_runs(stand_in, monkeypatch, tmp_path, rng, capsys):
    pytest.importorskip("rosbags")
    from rosbags.rosbag1 import Writer
    from rosbags.typesys import Stores, get_typestore

    store = get_typestore(Stores.ROS1_NOETIC)
    stamp = store.types["builtin_interfaces/msg/Time"](sec=1, nanosec=2)
    header = store.types["std_msgs/msg/Header"](seq=0, stamp=stamp, frame_id="lens")
    kind = "sensor_msgs/msg/Image"
    pixels = rng.integers(0, 256, (4, 6, 3), np.uint8)
    message = store.types[kind](header, 4, 6, "bgr8", 0, 18, pixels.ravel())
    monkeypatch.chdir(tmp_path)
    with Writer(Path("run.bag")) as writer:
        connection = writer.add_connection("/camera/image_raw", kind, typestore=store)
        writer.write(connection, 3, store.serialize_ros1(message, kind))
    (code,) = (snippet for snippet in SNIPPETS if "rewrite_bag" in snippet)
    exec(compile(code, "docs/robots.md", "exec"), {"__name__": "recipe"})
    assert capsys.readouterr().out == f"/camera/image_raw {kind} bgr8 1\n"
    with noiseless.files.open_bag("clean.bag") as bag:
        (clean,) = bag
    result = store.deserialize_ros1(clean.data, kind)
    assert np.abs(result.data - pixels.ravel() / 2).max() <= 0.5 + 1e-4
    assert result.header == message.header
