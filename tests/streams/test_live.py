import threading

import numpy as np
import pytest

import noiseless
from noiseless import Stream
from noiseless.streams import Picture
from noiseless.streams.effort import EFFORTS

COSTS = {"base/flow": 0.080, "tiny/flow": 0.030, "tiny/none": 0.015, "none/none": 0.005}


@pytest.fixture
def cleaner(make_denoiser):
    return make_denoiser()


@pytest.mark.parametrize("shape", [(16, 24), (16, 24, 3)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_push_keeps_dtype_and_shape(cleaner, shape, dtype, rng):
    top = 1.0 if dtype == np.float32 else np.iinfo(dtype).max
    noisy = (top * rng.random(shape)).astype(dtype)
    clean = Stream(denoiser=cleaner).push(noisy)
    assert (clean.dtype, clean.shape) == (noisy.dtype, noisy.shape)
    np.testing.assert_array_equal(clean, noisy)
    assert cleaner.shapes == [(3 if len(shape) == 3 else 1, 16, 24)]


def test_frames_of_an_iterable_come_in_order_with_their_times(cleaner, frames, clock):
    found = list(Stream(iter(frames), denoiser=cleaner, clock=clock))
    assert [frame.index for frame in found] == [0, 1, 2, 3, 4]
    assert [frame.time for frame in found] == [0.0] * 5  # no time passes on this clock
    for frame, noisy in zip(found, frames, strict=True):
        np.testing.assert_array_equal(frame.pixels, noisy)


def test_a_loop_that_fills_one_buffer_again_and_again_is_understood(cleaner, frames):
    def refilled():
        buffer = np.empty_like(frames[0])
        for frame in frames:
            buffer[:] = frame
            yield buffer

    found = [frame.pixels for frame in Stream(refilled(), denoiser=cleaner)]
    np.testing.assert_array_equal(found, frames)


def test_the_effort_of_pushed_frames_follows_the_budget(make_denoiser, frames, clock):
    cleaner = make_denoiser(clock, COSTS.get)
    stream = Stream(denoiser=cleaner, budget_ms=20.0, clock=clock)
    for number in range(100):
        stream.push(frames[number % 5])
    assert cleaner.efforts[0] == "base/flow"
    assert set(cleaner.efforts[10:]) == {"tiny/none"}
    report = stream.report()
    assert report["effort"] == "tiny/none"
    assert sum(report["efforts"].values()) == report["frames"] == 100
    assert report["latency_ms"]["p50"] == pytest.approx(15.0)
    assert report["latency_ms"]["p95"] == pytest.approx(15.0)
    assert report["latency_ms"]["p99"] > 70.0


def test_without_a_budget_the_effort_is_the_best(make_denoiser, frames, clock):
    cleaner = make_denoiser(clock, COSTS.get)
    stream = Stream(denoiser=cleaner, model="auto", motion="flow", clock=clock)
    for frame in frames:
        stream.push(frame)
    assert cleaner.efforts == [str(EFFORTS[0])] * 5


def test_a_denoiser_that_was_brought_keeps_its_settings(make_denoiser, frames):
    cleaner = make_denoiser()
    cleaner.model, cleaner.motion = "tiny", "none"
    stream = Stream(denoiser=cleaner)
    stream.push(frames[0])
    assert cleaner.efforts == ["tiny/none"]
    assert stream.report()["effort"] == "tiny/none"


def test_the_usual_denoiser_gets_sigma_as_a_share_of_the_full_range(monkeypatch, make_denoiser, frames):
    asked = []

    def build(**options):
        asked.append(options)
        return make_denoiser()

    monkeypatch.setattr(noiseless.restoration, "TemporalDenoiser", build, raising=False)
    stream = Stream(sigma=25.5, model="tiny", strength=0.7)
    stream.push(frames[0])
    assert asked == [{"sigma": pytest.approx(0.1), "model": "tiny", "motion": "flow", "strength": 0.7}]
    assert stream.report()["sigma"] == pytest.approx(25.5)


def test_the_report_says_everything_in_plain_values(make_denoiser, frames, clock):
    stream = Stream(frames, denoiser=make_denoiser(clock, lambda effort: 0.010), clock=clock)
    assert stream.report()["latency_ms"] == {"p50": None, "p95": None, "p99": None}
    assert (stream.report()["fps"], stream.report()["effort"]) == (None, None)
    list(stream)
    assert stream.report() == {
        "frames": 5,
        "dropped": 0,
        "corrupt": 0,
        "reconnects": 0,
        "size_changes": 0,
        "fps": pytest.approx(100.0),
        "latency_ms": pytest.approx({"p50": 10.0, "p95": 10.0, "p99": 10.0}),
        "effort": "base/flow",
        "efforts": {"base/flow": 5},
        "sigma": pytest.approx(25.5),
    }


def test_another_size_begins_anew_and_is_counted(cleaner, rng):
    small, large = np.zeros((8, 8), np.uint8), np.zeros((8, 16), np.uint8)
    colour = np.zeros((8, 16, 3), np.uint8)
    found = list(Stream([small, small, large, large, colour], denoiser=cleaner))
    assert [frame.pixels.shape for frame in found] == [(8, 8), (8, 8), (8, 16), (8, 16), (8, 16, 3)]
    assert cleaner.resets == 2


@pytest.mark.parametrize("sigma", [None, 20.0])
def test_gray_and_colour_may_follow_each_other(sigma, rng):
    noisy = 128.0 + 20.0 * rng.standard_normal((6, 32, 48, 3))
    stored = noisy.clip(0, 255).astype(np.uint8)
    given = [stored[0], stored[1, :, :, 0], stored[2, :, :, 0], stored[3], stored[4].astype(np.uint16) * 257]
    stream = Stream(given, sigma=sigma, model="none", motion="none")
    assert [frame.pixels.shape for frame in stream] == [frame.shape for frame in given]
    assert stream.report()["size_changes"] == 3


def test_the_usual_denoiser_takes_the_noise_of_a_still_scene(rng):
    scene = np.linspace(60, 190, 64 * 64).reshape(64, 64)
    noisy = [(scene + 15.0 * rng.standard_normal(scene.shape)).clip(0, 255).astype(np.uint8) for _ in range(16)]
    stream = Stream(noisy, model="none", motion="none")
    *_, last = stream
    # The mean of sixteen leaves a quarter; half is asked for, as some pixels are taken for changed.
    assert np.std(last.pixels - scene) < 15.0 / 2.0
    assert np.mean(stream.report()["sigma"]) == pytest.approx(15.0, rel=0.15)


class Flood:
    """A live source that gives five more frames while the first one is being denoised."""

    live, corrupt, rate, name, closed = True, 0, None, "fake://flood", False

    def __init__(self):
        self.denoising, self.flooded = threading.Event(), threading.Event()

    def pictures(self, within_s):
        yield Picture(np.full((4, 4), 0, np.uint8))
        self.denoising.wait(10.0)
        for number in range(1, 6):
            yield Picture(np.full((4, 4), number, np.uint8))
        self.flooded.set()

    def close(self):
        self.closed = True

    def push(self, frame):
        self.denoising.set()
        self.flooded.wait(10.0)
        return frame

    model, motion = "base", "flow"

    def reset(self):
        pass

    def report(self):
        return {"noise": {"sigma": []}}


@pytest.mark.parametrize(("drop", "kept"), [("auto", [0, 4, 5]), ("oldest", [0, 4, 5]), ("newest", [0, 1, 2])])
def test_frames_that_come_too_fast_are_dropped_by_the_policy(drop, kept):
    flood = Flood()
    stream = Stream(flood, denoiser=flood, drop=drop, reconnect=False)
    found = list(stream)
    assert [frame.index for frame in found] == kept
    assert [frame.pixels[0, 0] for frame in found] == kept
    assert stream.report()["dropped"] == 3
    assert stream.report()["sigma"] is None


def test_a_frame_that_waited_too_long_gives_way_to_a_fresher_one(clock):
    flood = Flood()
    push = flood.push

    def slow(frame):
        result = push(frame)
        clock.sleep(1.0)
        return result

    flood.push = slow
    stream = Stream(flood, denoiser=flood, budget_ms=500.0, reconnect=False, clock=clock)
    assert [frame.index for frame in stream] == [0, 5]
    assert stream.report()["dropped"] == 4


def test_after_a_loss_the_stream_goes_on_with_a_denoiser_that_forgot(make_source, make_denoiser, clock, frames):
    lost = noiseless.UnreadableFile("lost")
    cleaner = make_denoiser()
    source = make_source([*frames, lost], [lost], frames)
    stream = Stream(source, denoiser=cleaner, drop="none", timeout_s=60.0, clock=clock, sleep=clock.sleep)
    found = []
    with pytest.raises(noiseless.UnreadableFile, match="did not come back within 60 s"):
        found.extend(frame.index for frame in stream)
    assert len(cleaner.shapes) == 10
    assert cleaner.resets == 1
    assert stream.report()["reconnects"] == 1


def test_without_reconnecting_a_loss_ends_the_stream(make_source, cleaner, frames):
    source = make_source([*frames, noiseless.UnreadableFile("lost")], frames)
    stream = Stream(source, denoiser=cleaner, drop="none", reconnect=False)
    with pytest.raises(noiseless.UnreadableFile, match="lost"):
        list(stream)
    assert stream.report()["frames"] == 5


def test_times_go_on_after_a_reconnection(make_source, cleaner, clock, frames):
    timed = [Picture(frame, number / 10.0) for number, frame in enumerate(frames)]
    source = make_source(timed, timed)
    stream = Stream(source, denoiser=cleaner, drop="none", timeout_s=60.0, clock=clock, sleep=clock.sleep)
    times = []
    for frame in stream:
        times.append(frame.time)
        if len(times) == 10:
            break
    assert times[:5] == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4])
    assert times[5:] == pytest.approx([0.5, 0.6, 0.7, 0.8, 0.9])  # half a second passed until it was back


def test_an_error_of_the_iterable_is_raised_after_the_frames_before_it(cleaner, frames):
    def broken():
        yield frames[0]
        raise RuntimeError("unplugged")

    found = []
    with pytest.raises(RuntimeError, match="unplugged"):
        found.extend(Stream(broken(), denoiser=cleaner))
    assert len(found) == 1


def test_leaving_the_loop_stops_the_reading(cleaner):
    def endless():
        while True:
            yield np.zeros((4, 4), np.uint8)

    with Stream(endless(), denoiser=cleaner) as stream:
        for frame in stream:
            if frame.index == 3:
                break
    assert "noiseless-stream" not in [thread.name for thread in threading.enumerate()]
    assert stream.report()["frames"] == 4
    stream.close()


def test_an_interruption_from_the_keyboard_passes_and_the_report_stands(frames, make_denoiser):
    cleaner = make_denoiser()
    push = cleaner.push

    def interrupted(frame):
        if len(cleaner.shapes) == 3:
            raise KeyboardInterrupt
        return push(frame)

    cleaner.push = interrupted
    stream = Stream(frames, denoiser=cleaner)
    with pytest.raises(KeyboardInterrupt):
        list(stream)
    assert stream.report()["frames"] == 3
    assert "noiseless-stream" not in [thread.name for thread in threading.enumerate()]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"drop": "random"}, "drop is 'random'; use auto, oldest, newest, none"),
        ({"motion": "fast"}, "motion is 'fast'"),
        ({"sigma": -1.0}, "sigma is -1; give the noise in the units of the frames"),
        ({"sigma": 5.0, "denoiser": object()}, "give it to the one that you bring"),
        ({"source": 3}, "a int is no source"),
        ({"source": [], "timeout_s": 0.0}, "timeout_s is 0"),
        ({"source": "-"}, "give raw"),
        ({"source": "gopher://host"}, "'gopher://host' is no source; use rtsp"),
    ],
)
def test_what_makes_no_stream_is_refused(options, said):
    with pytest.raises(noiseless.InvalidParameter, match=said):
        Stream(**options)


def test_a_stream_is_read_once_and_pushed_to_only_without_a_source(cleaner, frames):
    stream = Stream(frames, denoiser=cleaner)
    list(stream)
    with pytest.raises(noiseless.InvalidParameter, match="read once"):
        iter(stream)
    with pytest.raises(noiseless.InvalidParameter, match="without a source"):
        stream.push(frames[0])
    with pytest.raises(noiseless.InvalidParameter, match="no source to iterate over"):
        iter(Stream(denoiser=cleaner))
