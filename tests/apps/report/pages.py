"""Reports that are made of small pictures and runs, and what is read from their HTML."""

import base64
import hashlib
import io
import json
import re
from html.parser import HTMLParser

import numpy as np
from PIL import Image as Picture

import noiseless
from noiseless.apps import report

HOSTILE = "<img src=x onerror=alert(1)>\"'&\u202e.png"

VOID = {"meta", "img", "input", "link", "br"}


class Page(HTMLParser):
    """The elements of a page; that all are closed in their order is checked on the way."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.words = [], [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("script", "style"):
            self.words.append(data)

    @property
    def said(self):
        return re.sub(r"\s+", " ", " ".join(self.words))

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def scene(shape=(96, 112)):
    rows, columns = np.mgrid[0 : shape[0], 0 : shape[1]]
    return 120 + 50 * np.sin(rows / 15) * np.cos(columns / 19) + 30.0 * (columns > shape[1] // 2)


def noisy_image(rng, shape=(96, 112), *, dtype=np.uint8, scale=1.0, sigma=10.0, channels=None):
    clean = scene(shape)
    if channels:
        clean = np.stack([clean] * channels, axis=-1)
    values = scale * (clean + sigma * rng.standard_normal(clean.shape))
    if np.dtype(dtype).kind in "iu":
        values = np.clip(np.rint(values), np.iinfo(dtype).min, np.iinfo(dtype).max)
    return noiseless.from_array(values.astype(dtype), channel_axis=-1 if channels else None)


def made(noisy, name="scan.png", sources=(), outputs=(), recipe=None, **noise):
    restored = noiseless.restore_image(noisy, recipe or noiseless.Recipe(), **noise)
    return restored, report.image_report(noisy, restored, name=name, sources=sources, outputs=outputs)


def views_of(text):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text).group(1))["views"]


def bytes_of(uri):
    return base64.b64decode(uri.partition(",")[2])


def pixels_of(uri):
    return np.asarray(Picture.open(io.BytesIO(bytes_of(uri))))


def unpacked(view, side):
    both = pixels_of(view[side]["packed"]).astype(np.int64)
    high, low = np.split(both, 2)
    return view["packing"]["base"] + view["packing"]["step"] * (256 * high + low)


def check_policy(text):
    """Nothing is loaded from anywhere, and scripts and styles are those whose hashes are named."""
    page = Page(text)
    policy = next(meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert "unsafe" not in policy
    for kind, tag in (("style-src", "style"), ("script-src", "script")):
        allowed = set(re.search(rf"{kind} ([^;]*)", policy).group(1).split())
        inside = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        hashes = {f"'sha256-{base64.b64encode(hashlib.sha256(c.encode()).digest()).decode()}'" for c in inside}
        assert allowed == (hashes or {"'none'"})
    for tag, attributes in page.elements:
        assert not {name for name in attributes if name.startswith("on") or name in ("style", "srcset")}, (
            tag,
            attributes,
        )
        for name in ("src", "href", "xlink:href", "action", "data", "poster"):
            assert attributes.get(name, "data:").startswith(("data:", "#")), (tag, attributes)
    assert not [style for style in re.findall(r"url\((.)([^)]{0,6})", text) if style[1][:5] != "data:"]
    return page


def entries(rng, count=2):
    noisy = noisy_image(rng)
    restored = noiseless.restore_image(noisy, noiseless.Recipe(predict=True), sigma=10.0)
    window = report.window_of(noisy)
    small = report.thumbnail(noisy, window), report.thumbnail(restored.image, window)
    return [
        report.Entry({"input": f"folder/{n}-{HOSTILE}", "output": "x", **restored.report}, *small) for n in range(count)
    ]


def video_frames(rng, *, sigma=True):
    noisy = noisy_image(rng, (90, 160))
    small = report.thumbnail(noisy)
    return [report.Frame(12.5 * n, small, small, (3.0 + n, 4.0, 5.0) if sigma else ()) for n in range(4)]


VIDEO = {
    "input": "v.mp4", "output": "w.mp4", "frames": 40, "resumed_at": 10, "model": "tiny", "strength": 1.0,
    "seconds": 4.0, "frames_per_second": 7.5, "cuts": 1, "exposure_changes": 0,
    "warnings": ["the noise is below one grey level of 255"],
    "noise": {"kind": "gaussian", "sigma": [3.0, 4.0, 5.0], "estimated": True, "levels": 255.0},
    "video": {"width": 160, "height": 90, "bits": 8, "damaged": 2},
}  # fmt: skip
