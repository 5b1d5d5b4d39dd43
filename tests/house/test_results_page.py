"""A page of results shows what was promised and measured, and asks nothing of others."""

import importlib.util
import json
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
if not (BENCHMARKS / "results_page.py").exists():
    pytest.skip("no benchmarks beside these tests", allow_module_level=True)
VOID = {"meta"}


@pytest.fixture(scope="module")
def pages():
    for name in ("results_plots", "results_page"):
        spec = importlib.util.spec_from_file_location(name, BENCHMARKS / f"{name}.py")
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules["results_page"]


class Elements(HTMLParser):
    """All that opens is closed, in its order."""

    def __init__(self):
        super().__init__()
        self.open, self.seen = [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def promise(**changes):
    usual = {
        "name": "gain", "issue": 7, "says": "It `gains`.", "command": "python say.py", "recorded": {"gain": 30.0},
        "date": "2026-11-28", "machine": "", "unit": "dB", "bars": {"gain": 31.0}, "quick": "", "quick_recorded": {},
        "test": [], "verdict": "held", "values": {"gain": 30.01}, "why": "", "was_quick": False,
    }  # fmt: skip
    return {**usual, **changes}


def file_of(folder, name, *promises, **content):
    path = folder / name
    path.write_text(json.dumps({"promises": promises, **content}))
    return path


@pytest.fixture
def page(pages, tmp_path):
    def page(*files):
        output = tmp_path / "page.html"
        assert pages.main([*map(str, files), "-o", str(output), "--force"]) == 0
        text = output.read_text()
        elements = Elements()
        elements.feed(text)
        assert elements.open == []
        return text, elements.seen

    return page


def test_a_promise_has_its_figures_and_what_falls_short_comes_first(page, tmp_path):
    missed = promise(name="loss", says="It does not lose.", verdict="known miss", why="no <time>", issue=8)
    text, _ = page(file_of(tmp_path, "a.json", promise(), missed, date="2026-11-28", commit="0123456789abcdef"))
    assert "It <code>gains</code>." in text
    assert "<td>gain</td><td>30.01</td><td>30.00</td><td>31</td>" in text
    assert "no &lt;time&gt;" in text
    assert text.index("What falls short") < text.index("It does not lose.") < text.index("It <code>gains")
    assert "commit 0123456789ab" in text


def test_it_asks_nothing_of_others_and_runs_nothing(page, tmp_path):
    text, elements = page(file_of(tmp_path, "a.json", promise(says="<script>alert(1)</script>.")))
    assert not {tag for tag, _ in elements} & {"script", "link", "img", "iframe"}
    assert not [name for _, given in elements for name in given if name in ("src", "href") or name.startswith("on")]
    assert "url(" not in text
    assert "prefers-color-scheme: dark" in text


def test_a_later_measurement_replaces_an_earlier_one_and_no_measurement_does_not(page, tmp_path):
    first = file_of(tmp_path, "a.json", promise(values={"gain": 30.11}))
    second = file_of(tmp_path, "b.json", promise(values={"gain": 30.22}))
    third = file_of(tmp_path, "c.json", promise(values={}, verdict="not run", why="takes 9 minutes"))
    text, _ = page(first, second, third)
    assert "30.22" in text
    assert "30.11" not in text
    assert "takes 9 minutes" not in text


def test_plots_are_drawn_from_records_and_outputs(page, tmp_path):
    rows = [
        {"set": "BSD68", "method": method, "sigma": sigma, "psnr": psnr - sigma / 10, "ssim": 0.8, "seconds": seconds}
        for method, psnr, seconds in (("heat", 29.0, 0.1), ("score", 31.5, 1.0), ("skimage-nlm", 30.0, 2.0))
        for sigma in (15.0, 25.0)
    ]
    bench = file_of(tmp_path, "bench.json", rows=rows)
    outputs = {
        "scaling.txt": "   320    240       0.08    0.075                0.940\n"
        "  1920   1080       2.07    2.000                0.970\n"
        "  --jobs 1, 2 threads each:    20.0 s, 0.50 images a second, 1.00 times as fast; once more\n"
        "  --jobs 2, 1 threads each:    16.0 s, 0.60 images a second, 1.19 times as fast; once more\n",
        "coverage.txt": "BSD68 15 68.3  68.6/67.2/69.2  70.1/66.4/68.6 95.1  95.0/95.2/95.2  95.8/94.6/94.9 0.5\n",
        "predicted.txt": "  test001, sigma 15: predicted 31.123 dB (30.9 to 31.3), true 31.200 dB\n"
        "  test002, sigma 25: predicted 29.123 dB (28.9 to 29.3), true 29.200 dB\n",
    }
    for name, text in outputs.items():
        (tmp_path / name).write_text(text)
    text, elements = page(bench, *(tmp_path / name for name in outputs))
    drawn = [given["aria-label"] for tag, given in elements if tag == "svg"]
    assert drawn == [
        "BSD68, sigma 25",
        "time against pixels",
        "images a second against processes",
        "intervals: all pixels, and thirds",
        "predicted PSNR, sigma known",
    ]
    assert "skimage-nlm: 27.50 dB, 2 s a megapixel" in text
    assert "BSD68, sigma 15: 95.1 %; flat, medium, textured 95.0/95.2/95.2 %" in text
    assert "test002, sigma 25: 29.12 (28.90 to 29.30) predicted, 29.20 true" in text


def test_a_page_that_exists_is_kept(pages, tmp_path):
    import noiseless

    (tmp_path / "page.html").write_text("mine")
    with pytest.raises(noiseless.UnwritableFile, match="exists"):
        pages.main([str(file_of(tmp_path, "a.json", promise())), "-o", str(tmp_path / "page.html")])
    assert (tmp_path / "page.html").read_text() == "mine"
