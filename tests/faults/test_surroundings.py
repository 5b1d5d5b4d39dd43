"""No home, no temporary folder, the locale C, closed streams, a folder that is gone: it works, or says one line."""

import os
import subprocess

import pytest

HEAT = ("--method", "heat", "--sigma", "20")
TINY = ("--model", "tiny", "--sigma", "20")
HOMES = ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR")
NAME = "größe 中文 🙂.png"

NOWHERE = {
    "none": {"HOME": None, "TMPDIR": None, "NUMBA_CACHE_DIR": None, **dict.fromkeys(HOMES)},
    "unwritable": {"HOME": "/proc", "TMPDIR": "/proc", "NUMBA_CACHE_DIR": "/proc/n",
                   **dict.fromkeys(HOMES, "relative/../..")},
}  # fmt: skip


@pytest.mark.parametrize("kind", NOWHERE)
def test_no_home_and_no_temporary_folder(noiseless_run, inputs, tmp_path, kind):
    # The network engine, a plot, and standard input by a temporary file: whatever likes to keep something at home.
    pytest.importorskip("matplotlib")
    with (inputs / "a.png").open("rb") as image:
        words = ("denoise", "-", "-o", "out.png", "--plot", "p.png", *TINY)
        said = noiseless_run(*words, cwd=tmp_path, env={**NOWHERE[kind], "MPLCONFIGDIR": None}, stdin=image)
    assert said.code == 0, said.err
    assert "openvino" not in said.err.lower(), "it keeps nothing and reports nothing"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.png", "p.png"]
    if kind == "unwritable":  # and what is compiled
        assert (
            noiseless_run("denoise", inputs / "a.png", "-o", "h.png", *HEAT, cwd=tmp_path, env=NOWHERE[kind]).code == 0
        )


def test_nothing_of_openvino_that_reports_is_loaded():
    program = "import sys, noiseless.score.engines.openvino_engine; print(sys.modules.get('openvino_telemetry'))"
    import sys

    assert subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout == b"None\n"


ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}


def test_the_locale_c_and_names_of_all_languages(noiseless_run, inputs, tmp_path):
    (tmp_path / NAME).write_bytes((inputs / "a.png").read_bytes())
    assert "Sigma" in noiseless_run("denoise", "--help", cwd=tmp_path, env=ASCII).out
    words = ("denoise", NAME, "-o", f"x{NAME}", "--report", f"{NAME}.html", "--save-recipe", f"{NAME}.toml", *HEAT)
    said = noiseless_run(*words, cwd=tmp_path, env=ASCII)
    assert said.code == 0, said.err
    for name in (f"x{NAME}", f"{NAME}.html", f"{NAME}.toml"):
        assert (tmp_path / name).is_file()
    said = noiseless_run("info", f"no {NAME}", cwd=tmp_path, env=ASCII)
    assert (said.code, said.err.count("\n")) == (1, 1)
    assert "does not exist" in said.err


def test_a_name_that_is_no_text_is_written_by_its_bytes(noiseless_run, inputs, tmp_path):
    (tmp_path / "bad\udcff.png").write_bytes((inputs / "a.png").read_bytes())
    said = noiseless_run("denoise", "bad\udcff.png", *HEAT, cwd=tmp_path, env={"PYTHONIOENCODING": "utf-8"})
    assert said.code == 0, said.err
    assert (tmp_path / "bad\udcff.denoised.png").is_file()
    assert said.out.startswith("bad\\udcff.denoised.png: ")


@pytest.mark.parametrize("closed", [[1], [0, 1, 2]])
def test_closed_streams_cost_no_result(noiseless_run, inputs, tmp_path, closed):
    said = noiseless_run("denoise", inputs / "a.png", "-o", "out.png", *HEAT, cwd=tmp_path, faults={"closed": closed})
    assert said.code == 0, said.err
    # What is opened first would have the number of a stream, and what is said would go into it.
    whole = (tmp_path / "out.png").read_bytes()
    assert whole.startswith(b"\x89PNG")
    assert whole.endswith(b"IEND\xaeB`\x82")


def test_closed_streams_that_are_needed_and_a_folder_by_several(noiseless_run, inputs, tmp_path):
    faults = {"closed": [0, 1]}
    said = noiseless_run("denoise", inputs / "a.png", "-o", "-", *HEAT, cwd=tmp_path, faults=faults)
    assert (said.code, said.err) == (1, "noiseless: standard output is closed; name a file with -o\n")
    said = noiseless_run("denoise", "-", "-o", "out.png", *HEAT, cwd=tmp_path, faults=faults)
    assert (said.code, said.err.count("\n"), "(0 bytes)" in said.err) == (1, 1, True), said.err
    words = ("denoise", inputs / "many", "-o", "out", "--jobs", "2", *HEAT)
    assert noiseless_run(*words, cwd=tmp_path, faults={"closed": [0, 1, 2]}).code == 0
    assert len(list((tmp_path / "out").glob("*.png"))) == 4


def test_a_reader_that_has_gone_costs_nothing_that_was_done(noiseless_run, inputs, tmp_path):
    words = ("denoise", inputs / "many", "-o", "out", *HEAT)
    reader, writer = os.pipe()
    os.close(reader)
    try:
        said = noiseless_run(*words, cwd=tmp_path, capture_output=False, stdout=writer, stderr=subprocess.PIPE)
    finally:
        os.close(writer)
    assert (said.code, "Traceback" in said.err) == (1, False)
    done = len(list((tmp_path / "out").glob("*.png")))
    assert done >= 1
    said = noiseless_run(*words, cwd=tmp_path)
    assert (said.code, f"{done} skipped" in said.err) == (0, True)


def test_a_working_folder_that_was_removed(noiseless_run, inputs, tmp_path):
    place = tmp_path / "place"
    for words, line in (
        (("denoise", "a.png"), "noiseless: the working directory was removed; go to another\n"),
        (("denoise", inputs / "a.png", "-o", tmp_path / "out.png"), None),
    ):
        place.mkdir()
        said = noiseless_run(*words, *HEAT, cwd=place, faults={"gone": True})
        assert (said.code, said.err.startswith(line or "")) == (int(line is not None), True), said.err
        assert "Traceback" not in said.err
    assert (tmp_path / "out.png").is_file()
