"""The reports of folders and of videos: a row for each input, frames with their times."""

import io

import numpy as np
import pytest
from PIL import Image as Picture

import noiseless
from noiseless.apps import report
from noiseless.apps.report.sheets import clock

from .pages import HOSTILE, VIDEO, check_policy, entries, video_frames, views_of


def test_a_thumbnail_is_small_and_in_the_window_given():
    values = np.linspace(0, 4000, 500 * 700).reshape(500, 700).astype(np.uint16)
    image = noiseless.from_array(values)
    small = np.asarray(Picture.open(io.BytesIO(report.thumbnail(image, (0.0, 8000.0)))))
    assert small.shape == (229, 320)
    assert 120 < small.max() < 135
    volume = noiseless.from_array(np.stack([values * 0, values, values * 0]))
    low, high = report.window_of(volume)
    assert (low, high) == pytest.approx((4.0, 3996.0), abs=1.0)
    assert Picture.open(io.BytesIO(report.thumbnail(volume))).size == (320, 229)


def test_a_folder_has_a_row_for_each_input_and_names_failures_first(rng):
    rows = [
        *entries(rng),
        report.Entry({"input": "folder/broken.png"}, error="cannot read 'broken.png': <truncated>"),
        report.Entry({"input": "folder/old.png", "state": "skipped"}),
    ]
    text = report.folder_report(iter(rows), title="folder & <b>more</b>")
    page = check_policy(text)
    assert "4 inputs: 2 denoised, 1 skipped, 1 failed." in page.said
    assert len(page.all("tr")) == 5
    assert page.said.index("broken.png") < page.said.index("All inputs")
    assert "cannot read 'broken.png': <truncated>" in page.said
    assert len(page.all("img")) == 4
    assert "gaussian, sigma 10" in page.said
    assert " dB (" in page.said
    assert not page.all("script")


def test_an_empty_folder_and_reports_of_other_kinds_have_rows():
    video = {"input": "a.mp4", "video": {"width": 9, "height": 9}, "noise": {"kind": "gaussian", "sigma": [3.0]}}
    text = report.folder_report([report.Entry(video)], title="x")
    assert "gaussian, sigma 3" in check_policy(text).said
    assert "0 inputs: nothing was done." in check_policy(report.folder_report([], title="x")).said


def test_many_small_pictures_are_left_out_and_counted(rng, monkeypatch):
    some = entries(rng, 3)
    need = len(some[0].before) + len(some[0].after)
    monkeypatch.setattr(report.sheets, "ROOM", 2 * need)
    page = check_policy(report.folder_report(some, title="x"))
    assert len(page.all("img")) == 4
    assert "1 inputs have no small picture here" in page.said


def test_a_video_has_frames_with_times_and_its_noise_over_time(rng):
    text = report.video_report(VIDEO, video_frames(rng), name=HOSTILE)
    page = check_policy(text)
    assert "was removed from 40 frames" in page.said
    assert "0:37.5" in page.said
    assert "The noise is below one grey level of 255." in page.said
    assert "the first 10 frames are of an earlier run" in page.said
    assert text.count("<polyline") == 3
    assert len(views_of(text)) == 4
    assert "<polyline" not in report.video_report(VIDEO, video_frames(rng, sigma=False), name="x")
    check_policy(report.video_report(VIDEO, [], name="x"))


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "0:00.0"), (59.96, "1:00.0"), (83.25, "1:23.2"), (3723.0, "1:02:03.0")]
)
def test_times_are_told_as_on_a_clock(seconds, said):
    assert clock(seconds) == said
