"""Help that teaches by example, completion in the shells, and Ctrl-C; all as a person meets them."""

import contextlib
import glob
import importlib.util
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import noiseless
from noiseless.apps.cli import completion, main
from noiseless.apps.cli.examples import EXAMPLES, GROUPS, OF_ALL
from noiseless.apps.cli.help_pages import WIDEST, command_of
from noiseless.apps.cli.verbs import VERBS, function_of

NARROW = 78
"""Columns of a line on a terminal of 80."""

CANNOT_RUN = ("camera:0", "rtsp://", "noiseless serve", "noiseless doctor")
"""Examples that need a camera, a network, or do not end; and the one that test_doctor_cli runs."""

SHORTER = {
    "tune": ["--budget", "1", "--side", "48"],
    "adapt": ["--budget", "1"],
    "train": ["--steps", "2", "--batch", "1", "--patch", "16", "--minutes", "inf"],
    "demo": ["--steps", "2"],
}
"""What is put after an example, so that a test takes seconds."""

PACKAGES = {
    ("noiseless adapt", "noiseless train"): "torch",
    ("noiseless export",): "onnx",
    ("noiseless demo",): "skimage",
    ("--plot",): "matplotlib",
    (".nii.gz",): "nibabel",
    (".mp4", "noiseless stream"): "av",
}
"""That examples with these words need."""

ALL = [*((verb, command) for verb, examples in EXAMPLES.items() for command, _ in examples)]
RUN = [(verb, command) for verb, command in ALL if not any(words in command for words in CANNOT_RUN)]


def page(verb, columns, monkeypatch, capfd):
    monkeypatch.setenv("COLUMNS", str(columns))
    assert main([*([verb] if verb else []), "--help"]) == 0
    return capfd.readouterr().out


def long_names(verb):
    return {name for parameter in command_of(verb).params for name in parameter.opts if name.startswith("--")}


# What the help says


def test_the_list_has_every_verb_under_a_heading(monkeypatch, capfd):
    text = page("", 80, monkeypatch, capfd)
    places = [text.index(f"\n  {name} ") for name in VERBS]
    assert places == sorted(places)
    for name, verb in VERBS.items():
        assert text.index(f"\n{verb.heading}:\n") < text.index(f"\n  {name} ")
        assert re.search(rf"^  {name} +{re.escape(verb.summary)}$", text, re.MULTILINE), "it fits in a line"
    for command, _ in OF_ALL:
        assert f"\n  {command}\n" in text
    assert max(map(len, text.splitlines())) <= NARROW


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_begins_with_its_sentence(verb):
    assert function_of(verb).__doc__.startswith(VERBS[verb].summary.rstrip("."))


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("verb", VERBS)
def test_a_page_is_a_sentence_examples_options_and_notes(verb, columns, monkeypatch, capfd):
    text = page(verb, columns, monkeypatch, capfd)
    assert max(map(len, text.splitlines())) <= min(columns, WIDEST) - 2 + 1
    assert text.startswith(f"Usage: noiseless {verb} ")
    headings = re.findall(r"^(\S.*):$", text, re.MULTILINE)
    assert headings[0] == "Examples"
    assert 2 <= len(EXAMPLES[verb]) <= 5
    for command, _ in EXAMPLES[verb]:
        assert f"\n  {command}\n" in text, "in one line, to be copied"
        assert len(command) + 2 <= NARROW
    assert [heading for heading in headings if heading in GROUPS.get(verb, {})] == list(GROUPS.get(verb, {}))
    for name in long_names(verb):
        assert re.search(rf"^  (-\w, )?(--\S+(,| /) )?{name}(?=[ ,]|$)", text, re.MULTILINE), name
    assert not re.search(r"<(list|int range|str)\b", text)


@pytest.mark.parametrize("verb", GROUPS)
def test_headings_hold_options_that_there_are_once_each(verb):
    listed = [name for names in GROUPS[verb].values() for name in names]
    assert len(set(listed)) == len(listed)
    assert set(listed) <= long_names(verb)
    assert long_names(verb) - set(listed) <= {"--max-pixels", "--from", "--help"}, "little stands under other options"


def test_help_starts_in_no_time_and_imports_nothing_heavy():
    heavy = ("numpy", "torch", "openvino", "numba", "scipy", "rich", "dask", "fastapi", "noiseless.restoration")
    code = (
        "import sys\nfrom noiseless.apps.cli import main\nassert main(['--help']) == 0\n"
        f"assert not [name for name in {heavy!r} if name in sys.modules]"
    )
    seconds = []
    for _ in range(3):
        before = os.times()
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
        after = os.times()  # of the processor: other work on the machine does not count
        seconds.append(after.children_user - before.children_user + after.children_system - before.children_system)
    assert min(seconds) < 0.3


def test_the_name_is_the_same_however_it_is_started():
    finished = subprocess.run([sys.executable, "-m", "noiseless", "-h"], capture_output=True, text=True, check=True)
    assert finished.stdout.startswith("Usage: noiseless [OPTIONS] VERB")


# Whether the examples are true


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """All that the examples name, small."""
    where, rng = tmp_path_factory.mktemp("examples"), np.random.default_rng(0)
    rows, columns = np.mgrid[0:64, 0:72]
    clean = 120 + 60 * np.sin(rows / 11) * np.cos(columns / 13)
    noisy = np.uint8(np.clip(clean + 20 * rng.standard_normal(clean.shape), 0, 255))
    Image.fromarray(np.uint8(clean)).save(where / "clean.png")
    Image.fromarray(noisy).save(where / "noisy.png")
    Image.fromarray(np.stack([noisy, noisy[::-1], noisy], axis=-1)).save(where / "photo.jpg", quality=95)
    for name in ("scans", "frames", "sets/Set12", "photos"):
        (where / name).mkdir(parents=True)
        for number in range(2):
            Image.fromarray(noisy).save(where / name / f"{number}.png")
    (where / "frames.raw").write_bytes(noisy[:48, :64].tobytes() * 3)
    (where / "recipe.toml").write_text('method = "heat"\n')
    shutil.copy(_network(), where / "mine.safetensors")
    with contextlib.suppress(noiseless.MissingExtra):
        volume = np.stack([noisy[:40, :40]] * 4).astype(np.float32)
        noiseless.write(noiseless.from_array(volume), where / "head.nii.gz")
    if importlib.util.find_spec("av") is not None:
        _write_video(where / "night.mp4", np.stack([noisy] * 3))
    return where


@pytest.fixture
def folder(made, tmp_path, monkeypatch):
    """The same for one example, which finds what others wrote of it only if it is in ``made``."""
    shutil.copytree(made, tmp_path / "work")
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


def _network():
    return Path(noiseless.__file__).parent / "score" / "weights" / "tiny-gray.safetensors"


def _write_video(path, frames):
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = frames.shape[2], frames.shape[1], "yuv420p"
        for pixels in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.stack([pixels] * 3, axis=-1), format="rgb24")))
        container.mux(stream.encode())


def _words(command):
    """As a shell hands them over: patterns are replaced by the files that match."""
    words = shlex.split(command)[1:]
    found = [name for word in words for name in (sorted(glob.glob(word)) if "*" in word else [word])]
    return [*found, *SHORTER.get(words[0], [])]


@pytest.mark.parametrize("command", dict.fromkeys([*(command for _, command in RUN), *(one for one, _ in OF_ALL[:-1])]))
def test_examples_work(command, folder, with_shim, monkeypatch, capfd):
    for words, package in PACKAGES.items():
        if any(word in command for word in words):
            pytest.importorskip(package)
    if output := re.search(r" -o (\S+)", command):
        Path(output[1]).unlink(missing_ok=True)  # what another example is to find there
    if "|" in command:
        finished = subprocess.run(command, shell=True, capture_output=True, text=True, env=with_shim)
        assert finished.returncode == 0, finished.stderr
        return
    if command == "noiseless demo":
        from skimage import data

        small = data.astronaut()[:96, 160:256]
        monkeypatch.setattr(data, "astronaut", lambda: small)
    code = main(_words(command))
    assert code == 0, capfd.readouterr().err
    if output:
        assert Path(output[1]).exists() or "--dry-run" in command


@pytest.mark.parametrize(("verb", "command"), [pair for pair in ALL if pair not in RUN])
def test_options_of_examples_that_cannot_run_are_there(verb, command):
    assert set(re.findall(r"(?<= )--[a-z-]+", command)) <= long_names(verb)


# Completion


def completed(shell, line, *, action="get-args"):
    """What is proposed at the end of a line, by the protocol of a shell."""
    words = shlex.split(line) + ([""] if line.endswith(" ") else [])
    protocol = {
        "bash": {"COMP_WORDS": "\n".join(words), "COMP_CWORD": str(len(words) - 1)},
        "zsh": {"_TYPER_COMPLETE_ARGS": line},
        "fish": {"_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_FISH_ACTION": action},
    }[shell]
    environment = {**os.environ, **protocol, "_NOISELESS_COMPLETE": f"complete_{shell}"}
    command = [sys.executable, "-m", "noiseless"]
    finished = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert finished.stderr == ""
    return finished


def proposed(line):
    return completed("bash", line).stdout.split()


COMPLETED = {
    "noiseless denoise --method ": completion.methods,
    "noiseless denoise photo.jpg -m ": completion.methods,
    "noiseless denoise --model ": completion.models,
    "noiseless denoise --preset ": completion.presets,
    "noiseless denoise --noise ": completion.noises,
    "noiseless denoise --sampler ": completion.samplers,
    "noiseless denoise --device ": completion.devices,
    "noiseless denoise --codec ": completion.codecs,
    "noiseless tune -m ": completion.methods,
    "noiseless tune --risk ": completion.risks,
    "noiseless noise --noise ": completion.noise_models,
    "noiseless diffuse -k ": completion.filters,
    "noiseless diffuse --stepping ": completion.steppings,
    "noiseless export ": completion.networks,
    "noiseless export --format ": completion.formats,
    "noiseless stream --model ": completion.efforts,
    "noiseless stream --drop ": completion.drops,
    "noiseless train --model ": completion.sizes,
    "noiseless train --objective ": completion.objectives,
    "noiseless train --start ": completion.models,
}


@pytest.mark.parametrize("line", COMPLETED)
def test_values_are_proposed(line):
    _, verb, *words = line.split()
    context = command_of(verb).make_context(verb, [], resilient_parsing=True)
    wanted = words[-1] if words else "model"
    (parameter,) = (one for one in command_of(verb).params if wanted in (*one.opts, one.name))
    assert [item.value for item in parameter.shell_complete(context, "")] == COMPLETED[line]()


def test_what_is_typed_narrows_what_is_proposed():
    assert proposed("noiseless de") == ["denoise", "demo"]
    assert proposed("noiseless denoise photo.jpg -m he") == ["heat"]
    assert proposed("noiseless diffuse -k c") == ["charbonnier", "coherence-enhancing"]
    assert "--method" in proposed("noiseless denoise --me")
    assert proposed("noiseless denoise pho") == [], "the shell goes on with names of files"
    assert proposed("noiseless denoise --output ") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_is_understood(shell):
    for name in ("tune", "train"):
        assert name in completed(shell, "noiseless t").stdout
    assert "perona-malik" in completed(shell, "noiseless diffuse -k p").stdout
    if shell == "zsh":
        assert completed(shell, "noiseless info pho").stdout == "_files\n"
    if shell == "fish":
        assert completed(shell, "noiseless diffuse -k ", action="is-args").returncode == 0
        assert completed(shell, "noiseless info ", action="is-args").returncode == 1, "then fish shows files"


def test_what_is_proposed_works():
    for kind in completion.methods():
        noiseless.Recipe(method=kind)
    for name in completion.models():
        assert any(noiseless.score.load_shipped(full) for full in completion.networks() if full.startswith(name))
    for name in completion.samplers():
        noiseless.Recipe(sampler=name, steps=2)
    for name in completion.steppings():
        with contextlib.suppress(noiseless.InvalidParameter):
            noiseless.diffusion.filter_named("perona-malik", stepping=name)
    pytest.importorskip("torch")
    assert completion.objectives() == list(noiseless.score.OBJECTIVES)


@pytest.fixture
def with_shim(tmp_path):
    """An environment in which ``noiseless`` can be called, and a folder with one picture."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "noiseless").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m noiseless "$@"\n')
    (tmp_path / "bin" / "noiseless").chmod(0o755)
    (tmp_path / "fresh.png").touch()
    return {**os.environ, "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}", "HOME": str(tmp_path)}


def script_of(shell, environment):
    asked = {**environment, "_NOISELESS_COMPLETE": f"source_{shell}"}
    return subprocess.run(["noiseless"], env=asked, capture_output=True, text=True, check=True).stdout


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
def test_bash_completes(with_shim, tmp_path):
    (tmp_path / "noiseless.bash").write_text(script_of("bash", with_shim))
    code = (
        "source noiseless.bash; complete -p noiseless; COMP_WORDS=(noiseless diffuse -k co); COMP_CWORD=3; "
        '_noiseless_completion noiseless; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    finished = subprocess.run(["bash", "-c", code], cwd=tmp_path, env=with_shim, capture_output=True, text=True)
    declared, *found = finished.stdout.splitlines()
    assert "-o default" in declared, "files where there is nothing to propose"
    assert found == ["coherence-enhancing"]


@pytest.mark.skipif(shutil.which("fish") is None, reason="no fish")
def test_fish_completes(with_shim, tmp_path):
    (tmp_path / "noiseless.fish").write_text(script_of("fish", with_shim))
    for line, expected in (("diffuse -k co", "coherence-enhancing"), ("info fre", "fresh.png")):
        code = f"source noiseless.fish; complete -C 'noiseless {line}'"
        finished = subprocess.run(["fish", "-c", code], cwd=tmp_path, env=with_shim, capture_output=True, text=True)
        assert finished.stdout.split() == [expected]


def test_completion_is_installed_for_the_shell_in_use(with_shim, tmp_path):
    if shutil.which("bash") is None:
        pytest.skip("no bash")
    (tmp_path / ".bashrc").write_text("# mine\n")
    shown = subprocess.run(
        ["bash", "-c", "noiseless --show-completion; true"], env=with_shim, capture_output=True, text=True
    )
    assert "complete_bash" in shown.stdout
    done = subprocess.run(
        ["bash", "-c", "noiseless --install-completion; true"], env=with_shim, capture_output=True, text=True
    )
    assert "bash completion installed" in done.stdout
    assert "# mine" in (tmp_path / ".bashrc").read_text()
    assert "complete_bash" in (tmp_path / ".bash_completions" / "noiseless.sh").read_text()


# Ctrl-C, and a reader that has gone


def started(*arguments):
    """A verb in a process of its own, which a shell in the background would have made deaf to Ctrl-C."""
    code = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from noiseless.apps.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signal")
def test_ctrl_c_is_told_in_one_line(tmp_path):
    os.mkfifo(tmp_path / "endless.toml")  # nobody writes it, so reading waits
    process = started("denoise", "photo.jpg", "--recipe", str(tmp_path / "endless.toml"))
    with (tmp_path / "endless.toml").open("w"):  # returns when it is read
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (out, err, process.returncode) == ("", "noiseless: interrupted\n", 130)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such pipe")
def test_a_reader_that_has_gone_ends_it_without_a_word():
    process = started("models", "--json")
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait(timeout=60) == 1


# The same meaning in every verb


def test_options_of_one_name_are_of_one_kind():
    shorts = {}
    for verb in VERBS:
        for parameter in command_of(verb).params:
            if parameter.param_type_name == "option":
                for name in parameter.opts:
                    if not name.startswith("--"):
                        shorts.setdefault(name, set()).add(parameter.opts[-1])
    assert shorts == {
        "-o": {"--output"}, "-s": {"--sigma"}, "-m": {"--method"}, "-k": {"--kind"}, "-p": {"--parameter"},
    }  # fmt: skip
    for flag in ("--force", "--json", "--dry-run"):
        for verb in VERBS:
            for parameter in command_of(verb).params:
                assert flag not in parameter.opts or parameter.is_flag
    for verb, names in {verb: long_names(verb) for verb in VERBS}.items():
        assert "--output" not in names or "--force" in names, verb


def test_models_goes_past_a_bad_file_and_says_so(capfd, made, tmp_path):
    (tmp_path / "bad.safetensors").write_bytes(b"no model")
    files = [str(tmp_path / "bad.safetensors"), str(made / "mine.safetensors")]
    assert main(["models", *files]) == 3
    out, err = capfd.readouterr()
    assert "mine.safetensors" in out
    assert "bad.safetensors" in err
    assert "1 of 2 models were refused" in err
    assert main(["models", files[0], "--json"]) == 1
    assert main(["models", files[0], files[0], "--json"]) == 1
    assert capfd.readouterr().out.count('"error"') == 2


def test_demo_refuses_before_the_work_and_has_words_for_programs(folder, capfd):
    assert main(["demo", "clean.png", "-o", "steps.xyz"]) == 1
    assert ".png" in capfd.readouterr().err
    assert main(["demo", "clean.png", "-o", "steps.png", "--steps", "2", "--json"]) == 0
    found = json.loads(capfd.readouterr().out)
    assert found["output"] == "steps.png"
    psnr = [step["psnr"] for step in found["steps"].values()]
    assert len(psnr) == 4
    assert psnr[0] < min(psnr[1:])
