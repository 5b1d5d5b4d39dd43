"""Small clips of every kind, made with PyAV, and what is found in them."""

from fractions import Fraction

import numpy as np
import pytest

from noiseless.files import create_video, open_video

pytest.importorskip("av")
import av

from noiseless.files.video.conversion import FrameMaker
from noiseless.files.video.layout import ColourTags, layout_of

HEIGHT, WIDTH, COUNT = 48, 64, 24
RATE, TICK = Fraction(30000, 1001), Fraction(1, 90000)
VARIABLE = [0, 3000, 6100, 9000, 15007, 18000, 21011, 30000, 90000, 93000, 96000, 200000]
BT2020_HDR = ColourTags(range=1, primaries=9, transfer=16, matrix=9)


def picture(number, height=HEIGHT, width=WIDTH):
    rows, columns = np.mgrid[:height, :width]
    return np.stack([40 + 2 * columns + 3 * number, 60 + 3 * rows, 128 + 40 * np.sin(columns / 9)], axis=-1).clip(
        0, 255
    )


def make(path, codec="libx264", form="yuv420p", times=None, size=(HEIGHT, WIDTH), tags=None, **options):
    """A clip; ``options`` noise, sound, aspect, rotation, metadata, tick, encoder and container."""
    times = [round(number / RATE / TICK) for number in range(COUNT)] if times is None else times
    tick, tags = options.get("tick", TICK), tags or ColourTags()
    layout = layout_of(form)
    maker = FrameMaker(form, layout, tags, height=size[0], size=size)
    with av.open(str(path), "w", format=options.get("format"), container_options=options.get("container", {})) as out:
        out.metadata.update(options.get("metadata", {}))
        stream = out.add_stream(codec, rate=RATE, options=options.get("encoder", {"g": "8"}))
        context = stream.codec_context
        context.width, context.height, context.pix_fmt, context.time_base = size[1], size[0], form, tick
        context.color_range, context.color_primaries = tags.range, tags.primaries
        context.color_trc, context.colorspace = tags.transfer, tags.matrix
        context.sample_aspect_ratio = options.get("aspect", Fraction(1))
        if "rotation" in options:
            stream.set_display_rotation(options["rotation"])
        sound = out.add_stream(options["sound"], rate=48000) if "sound" in options else None
        if sound:
            sound.layout = "mono"
        for number, time in enumerate(times):
            frame = maker.frame(pixels_for(layout, number, size, options.get("noise", 0.0)))
            frame.pts, frame.time_base = time, tick
            frame.color_primaries, frame.color_trc = tags.primaries, tags.transfer
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
        if sound:
            for number in range(40):
                wave = 8000 * np.sin(2 * np.pi * 440 * (np.arange(1024) + 1024 * number) / 48000)
                tone = av.AudioFrame.from_ndarray(wave.astype(np.int16)[None], format="s16", layout="mono")
                tone.sample_rate, tone.pts = 48000, 1024 * number
                out.mux(sound.encode(tone))
            out.mux(sound.encode())
    return path


def pixels_for(layout, number, size, noise=0.0):
    values = picture(number, *size)
    values = (values + noise * np.random.default_rng(number).standard_normal(values.shape)).clip(0, 255)
    values = np.rint(values).astype(np.uint8) if layout.bits == 8 else np.rint(values * 257).astype(np.uint16)
    return values[..., 1] if layout.kind == "gray" else values


def copied(source, target, **options):
    """The frames of a clip that was written as it is, and the clip."""
    with open_video(source) as video, create_video(target, video, **options) as writer:
        frames = list(video)
        for frame in frames:
            writer.write(frame.pixels, frame.time)
    return frames, open_video(target)


def sound_of(path):
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


class Stopped(Exception):
    """What breaks off a run."""


def broken_off(source, target, count, error):
    with open_video(source) as video, create_video(target, video) as writer:
        for number, frame in enumerate(video):
            if number == count:
                raise error
            writer.write(frame.pixels, frame.time)
