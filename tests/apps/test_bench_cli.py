"""``noiseless bench``: methods side by side, what is kept of it, and whether it notices what became worse."""

import importlib.util
import itertools
import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import noiseless
from noiseless.apps.cli import benchmark_run, main
from noiseless.apps.cli.benchmark_memory import peak_growth
from noiseless.apps.cli.benchmark_methods import contender, named_methods
from noiseless.apps.cli.benchmark_page import page_of
from noiseless.apps.cli.benchmark_plot import Point, frontier, quality_against_cost
from noiseless.apps.cli.benchmark_record import changes, commit, machine_facts, record_of
from noiseless.apps.cli.benchmark_run import MOST_RUNS, Plan, Row

TINY = "score:model=tiny"


def scene(height=40, width=48):
    y, x = np.mgrid[:height, :width]
    return np.uint8(120 + 60 * np.sin(y / 9) * np.cos(x / 7))


@pytest.fixture
def sets(tmp_path, monkeypatch):
    monkeypatch.setattr(benchmark_run, "LONG_S", 0.001)  # no test looks at how long something takes
    for number in range(2):
        for name, pixels in (
            ("gray", scene()),
            ("colour", np.stack([scene(), scene().T[:40, :40].repeat(2, 1)[:, :48], scene()], axis=-1)),
        ):
            (tmp_path / "sets" / name).mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.roll(pixels, 5 * number, axis=0)).save(tmp_path / "sets" / name / f"{number}.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capfd, *arguments):
    code = main(["bench", "sets", *map(str, arguments)])
    return code, *capfd.readouterr()


def quick(capfd, *more):
    return run(capfd, "--sets", "gray", "--sigmas", "15,25", "--methods", "heat,perona-malik", "--only-quality", *more)


# What is measured


def test_rows_hold_quality_and_time_of_each_method(sets, capfd):
    code, out, _ = run(
        capfd, "--sets", "gray,colour", "--sigmas", 25, "--methods", "heat,score", "--model", "tiny", "--json"
    )
    rows = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [(row["set"], row["method"]) for row in rows] == [
        ("gray", "heat"), ("gray", "score"), ("colour", "heat"), ("colour", "score"),
    ]  # fmt: skip
    for heat, score in (rows[:2], rows[2:]):
        assert min(heat["psnr"], score["psnr"]) > 25.0, "noise of 25 alone has 20.2 dB"
        assert score["ratio"] == 1.0
        assert heat["ratio"] == pytest.approx(heat["seconds"] / score["seconds"])
        assert heat["products"] / score["products"] == pytest.approx(heat["ratio"])


def test_the_protocol_is_the_one_that_is_told(sets, capfd):
    _, out, _ = quick(capfd, "--json")
    rows = [json.loads(line) for line in out.splitlines()]
    expected = []
    for path in sorted((sets / "sets" / "gray").iterdir()):
        clean = np.asarray(Image.open(path), np.float64)
        noisy = clean + 15.0 * np.random.default_rng(0).standard_normal(clean.shape)
        denoised = noiseless.denoise(noisy, sigma=15.0, method="heat").clip(0, 255)
        expected.append(10 * np.log10(255**2 / np.mean((denoised - clean) ** 2)))
    assert rows[0]["psnr"] == pytest.approx(np.mean(expected), abs=1e-9)
    assert rows[0]["seconds"] is None


@pytest.mark.parametrize("method", ["heat", "skimage-wavelet", "opencv-bilateral"])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_method_takes_and_gives_grey_levels(method, channels):
    for module in getattr(noiseless.classical.INSTALLED.get(method), "modules", ()):
        pytest.importorskip(module)
    clean = scene().astype(np.float64)
    clean = clean if channels == 1 else np.stack([clean, 255 - clean, clean / 2], axis=-1)
    noisy = clean + 25.0 * np.random.default_rng(0).standard_normal(clean.shape)
    denoised = contender(method, "base")(noisy, 25.0)
    assert denoised.shape == clean.shape
    assert noiseless.psnr(denoised, clean) > noiseless.psnr(noisy, clean) + 3.0


def test_a_list_of_methods_is_read_with_parameters_and_peers(monkeypatch):
    assert named_methods("heat, non-local-means:patch=3,search=9,score") == (
        "heat", "non-local-means:patch=3,search=9", "score",
    )  # fmt: skip
    for denoiser in noiseless.classical.INSTALLED.values():
        for module in denoiser.modules:
            monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(noiseless.MissingExtra, match=r"none of the peers is installed.*pip install scikit-image"):
        named_methods("heat,peers")
    with pytest.raises(noiseless.MissingExtra, match="pip install SimpleITK"):
        named_methods("itk-gradient")
    monkeypatch.setitem(sys.modules, "cv2", np)  # anything that can be imported
    assert named_methods("heat,peers,heat") == ("heat", "opencv-nlm", "opencv-bilateral")


def test_short_calls_are_repeated_and_the_least_time_counts(monkeypatch):
    def least(duration):
        clock = iter(itertools.accumulate(itertools.chain.from_iterable((0.0, next(duration)) for _ in range(20))))
        monkeypatch.setattr(benchmark_run.time, "perf_counter", lambda: next(clock))
        calls = []
        return benchmark_run._least(lambda: calls.append(1) or len(calls))

    assert least(iter([0.02, 0.01, *[0.03] * 18])) == (MOST_RUNS, pytest.approx(0.01))
    assert least(iter([0.3] * 20)) == (1, pytest.approx(0.3))
    assert least(iter([0.15] * 20)) == (2, pytest.approx(0.15))


def test_memory_is_what_a_process_of_its_own_grows_by():
    if not Path("/proc/self/clear_refs").exists():
        pytest.skip("only Linux begins a peak anew")
    grown = peak_growth("heat", "base", scene().astype(np.float64), 25.0)
    # float64 in and out, float32 between: the result alone takes 8 bytes a pixel; 25 arrays of that would be a leak.
    assert 8e6 / 2**20 * 0.9 < grown < 25 * 8e6 / 2**20


# The record, and a check against it


def test_a_record_holds_what_its_figures_depend_on(sets, capfd):
    assert quick(capfd, "--record", "was.json")[0] == 0
    record = json.loads((sets / "was.json").read_text())
    assert record["options"]["methods"] == ["heat", "perona-malik"]
    assert record["noiseless"] == noiseless.__version__
    assert record["versions"]["numpy"] == np.__version__
    assert {"processor", "cores", "threads", "memory_gib"} <= set(record["machine"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", record["date"])
    assert len(record["rows"]) == 4
    code, _, err = quick(capfd, "--record", "was.json")
    assert (code, "--force" in err) == (1, True)
    assert quick(capfd, "--record", "was.json", "--force")[0] == 0


def test_a_check_passes_on_itself_and_fails_where_it_was_better(sets, capfd):
    assert quick(capfd, "--record", "was.json")[0] == 0
    code, out, _ = run(capfd, "--check", "was.json", "--only-quality")
    assert code == 0
    assert "4 rows held against the record: 0 figures moved, 0 of them worse" in out

    def checked(difference):
        record = json.loads((sets / "was.json").read_text())
        record["rows"][3]["psnr"] += difference
        (sets / "edited.json").write_text(json.dumps(record))
        return run(capfd, "--check", "edited.json", "--only-quality")

    code, out, _ = checked(0.05)
    assert code == 1
    assert re.search(r"gray +perona-malik +sigma 25 +PSNR: .* WORSE", out)
    code, out, _ = checked(0.02)
    assert code == 0, "it fell, and by no more than may be"
    assert "1 figures moved, 0 of them worse" in out
    code, out, _ = checked(-0.05)
    assert code == 0, "it rose"
    assert "1 figures moved, 0 of them worse" in out


def row(method="heat", **values):
    return Row(**{"set": "a", "method": method, "sigma": 25.0, "psnr": 30.0, "ssim": 0.9, **values})


@pytest.mark.parametrize(
    ("method", "products", "ratio", "worse"),
    [
        ("heat", 1.2, 1.2, True),
        ("heat", 1.2, 1.0, None),  # the product was disturbed
        ("heat", 1.0, 1.3, None),  # score became faster
        ("heat", 0.8, 0.8, False),
        ("heat", 1.14, 1.14, None),
        ("score", 1.2, 1.0, True),
        ("score", 0.8, 1.0, False),
    ],
)
def test_a_method_is_slower_where_both_references_say_so(method, products, ratio, worse):
    before = [row(method, seconds=1.0, products=10.0, ratio=1.0 if method == "score" else 0.5)]
    after = [replace(before[0], products=10.0 * products, ratio=before[0].ratio * ratio)]
    found = changes(before, after, timed=True)
    assert [change.worse for change in found] == ([] if worse is None else [worse])
    assert changes(before, after, timed=False) == []


def test_what_contradicts_or_is_no_record_is_refused_before_the_work(sets, capfd):
    (sets / "no.json").write_text("[]")
    (sets / "old.json").write_text('{"form": 0, "options": {"sets": [], "sigmas": [], "methods": []}, "rows": []}')
    for arguments, words in (
        (("--check", "no.json"), "no record of noiseless bench"),
        (("--check", "absent.json"), "absent.json"),
        (("--check", "old.json"), "form 0"),
        (("--check", "old.json", "--sigmas", "15"), "--sigmas contradicts --check"),
        (("--sigmas", "0"), "above 0"),
        (("--sigmas", "much"), "not a noise level"),
        (("--methods", "perona-malk"), "did you mean 'perona-malik'"),
        (("--page", "page.txt"), ".html"),
        (("--record", "no/where.json"), "no folder"),
        (("--sets", "absent"), "absent"),
    ):
        code, out, err = run(capfd, *arguments)
        assert (code, words in err, err.count("\n")) == (1, True, 1), (arguments, out, err)


@pytest.mark.skipif(not (Path(noiseless.__file__).parents[2] / ".git").exists(), reason="no checkout")
def test_the_commit_is_that_of_the_package_and_of_nothing_else(monkeypatch, tmp_path):
    folder = Path(noiseless.__file__).parent
    head = subprocess.run(["git", "-C", folder, "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    assert head.stdout.startswith(commit().removesuffix("-dirty"))
    (tmp_path / "__init__.py").touch()
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    monkeypatch.setattr(noiseless, "__file__", str(tmp_path / "__init__.py"))
    assert commit() == "unknown", "the checkout there does not know the package"


# The page


def mocked(methods):
    plan = Plan(("gray",), (15.0, 25.0), tuple(methods))
    rows = [
        Row("gray", method, sigma, 28.0 + 0.3 * number, 0.8, 0.01 * 2.0**number, 2.0 ** (number - 4), 1.0, 50.0)
        for number, method in enumerate(methods)
        for sigma in plan.sigmas
    ]
    return record_of(plan, rows), rows


def test_the_page_holds_every_method_and_asks_nobody(sets, capfd):
    methods = ["heat", TINY, *(["skimage-wavelet"] if importlib.util.find_spec("pywt") else [])]
    arguments = ("--sets", "gray", "--sigmas", "25", "--methods", ",".join(methods), "--page", "page.html")
    assert run(capfd, *arguments)[0] == 0
    text = (sets / "page.html").read_text(encoding="utf-8")
    for method in methods:
        assert text.count(method.replace(":", ":<wbr>")) >= 1
        assert f">{method}</text>" in text
    assert machine_facts()["processor"] in text
    assert not re.search(r"""(src|href)=["'](?!data:)|url\(["']?http""", text)
    assert run(capfd, *arguments)[0] == 1


def test_the_page_is_read_on_a_phone_and_in_the_dark(browser, tmp_path):
    record, rows = mocked(["heat", "score", TINY, *noiseless.classical.INSTALLED])
    (tmp_path / "page.html").write_text(page_of(record, rows, []), encoding="utf-8")
    page = browser((tmp_path / "page.html").as_uri(), width=360, dark=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    boxes = page.evaluate(
        """() => [...document.querySelectorAll('svg')].map(svg => [...svg.querySelectorAll('text')].map(
            t => { const b = t.getBoundingClientRect(), s = svg.getBoundingClientRect();
                   return [b.left - s.left, b.top - s.top, s.right - b.right, s.bottom - b.bottom] }))"""
    )
    assert len(boxes) == 2
    assert min(distance for svg in boxes for box in svg for distance in box) > -1.0, "no name is cut"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 21, 23)"


def test_names_in_a_drawing_do_not_cover_each_other():
    rng = np.random.default_rng(0)
    points = [Point(f"method-{n}", 10.0 ** rng.uniform(-2, 1), rng.uniform(26, 31), n % 2 == 0) for n in range(16)]
    svg = quality_against_cost(points, "a & b")
    assert "a &amp; b" in svg
    assert (svg.count("<circle"), svg.count("<rect")) == (8, 8)
    places = [
        (float(x), float(y), len(name))
        for x, y, name in re.findall(r'<text x="([\d.]+)" y="([\d.]+)" font-size="10"[^>]*>(.*?)</text>', svg)
    ]
    assert len(places) == 16
    for (x, y, n), (u, v, m) in itertools.combinations(places, 2):
        assert abs(y - v) >= 9 or x + 5.9 * n <= u or u + 5.9 * m <= x


def test_the_frontier_is_what_nothing_betters_at_its_cost():
    a, b, c, d = (Point(n, s, p, True) for n, s, p in (("a", 1, 30), ("b", 2, 29), ("c", 3, 32), ("d", 1, 28)))
    assert frontier([d, c, b, a]) == [a, c]
