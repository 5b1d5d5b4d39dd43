"""Ctrl-C, and a reader that has gone."""

import os
import signal
import subprocess
import sys

import pytest


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
