"""Completion in the shells: what is proposed, and that it works."""

import contextlib
import os
import shlex
import shutil
import subprocess
import sys

import pytest

import noiseless
from noiseless.apps.cli import completion
from noiseless.apps.cli.help_pages import command_of


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
