"""Outputs and temporaries: whose they are, who may read them, and what a link in their place does."""

import os
import stat
import sys
from pathlib import Path

import numpy as np
import pytest

from noiseless.apps.cli import main
from noiseless.atomic import replacing, replacing_folder
from noiseless.errors import UnwritableFile
from noiseless.files import write
from noiseless.image import from_array

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="permissions of Unix")


@pytest.fixture
def umask():
    """``umask(mask)`` for the time of the test."""
    kept = os.umask(0o022)
    yield os.umask
    os.umask(kept)


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


def beside(path):
    """What lies in the folder of ``path``, but for it."""
    return [each for each in path.parent.iterdir() if each != path]


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_outputs_have_the_permissions_of_any_new_file(tmp_path, umask, mask):
    umask(mask)
    (tmp_path / "usual").write_bytes(b"")
    write(from_array(np.zeros((8, 8), np.uint8)), tmp_path / "clean.png")
    assert mode_of(tmp_path / "clean.png") == mode_of(tmp_path / "usual") == 0o666 & ~mask


def test_a_private_file_stays_private_while_it_is_replaced(tmp_path, umask):
    umask(0o022)
    path = tmp_path / "scan.png"
    path.write_bytes(b"old")
    path.chmod(0o600)
    with replacing(path, overwrite=True) as temporary:
        assert mode_of(temporary) == 0o600  # before anything is in it
        temporary.write_bytes(b"new")
    assert mode_of(path) == 0o600
    assert path.read_bytes() == b"new"


def test_temporaries_lie_beside_the_output_and_no_two_writers_share_one(tmp_path):
    path = tmp_path / "clean.png"
    with replacing(path, overwrite=True) as first:
        with replacing(path, overwrite=True) as second:
            assert set(beside(path)) == {first, second}
            first.write_bytes(b"first")
            second.write_bytes(b"second")
        assert path.read_bytes() == b"second"
    assert path.read_bytes() == b"first"
    assert beside(path) == []


@pytest.mark.parametrize("dangling", [False, True])
def test_a_link_in_the_place_of_a_temporary_is_not_followed(tmp_path, dangling):
    """In a folder of all, another may put one there: what it leads to stays as it is, and the output is written."""
    path, victim = tmp_path / "clean.png", tmp_path / "victim"
    with replacing(path) as usual:
        pass
    path.unlink()
    if not dangling:
        victim.write_bytes(b"precious")
    usual.symlink_to(victim)
    with replacing(path) as temporary:
        assert temporary != usual
        temporary.write_bytes(b"pixels")
    assert path.read_bytes() == b"pixels"
    assert not path.is_symlink()
    assert victim.exists() is not dangling
    assert dangling or victim.read_bytes() == b"precious"


def test_a_link_in_the_place_of_a_temporary_folder_is_not_followed(tmp_path):
    path, victim = tmp_path / "clean.zarr", tmp_path / "home"
    kind = {"kind": "zarr store", "is_kind": lambda _: True}
    with replacing_folder(path, **kind) as usual:
        pass
    path.rmdir()
    victim.mkdir()
    (victim / "letter").write_text("precious")
    usual.symlink_to(victim)
    with replacing_folder(path, **kind) as temporary:
        assert temporary != usual
    assert not path.is_symlink()
    assert (victim / "letter").read_text() == "precious"


def test_a_link_in_the_place_of_an_output_is_followed_only_with_force(tmp_path):
    """As a shell does it; the link stays, and what it leads to is replaced whole."""
    (tmp_path / "elsewhere").mkdir()
    victim, link = tmp_path / "elsewhere" / "scan.png", tmp_path / "clean.png"
    victim.write_bytes(b"precious")
    link.symlink_to(victim)
    with pytest.raises(UnwritableFile, match="exists"), replacing(link):
        pass
    assert victim.read_bytes() == b"precious"
    with replacing(link, overwrite=True) as temporary:
        assert temporary.parent == victim.parent
        temporary.write_bytes(b"new")
    assert link.is_symlink()
    assert victim.read_bytes() == b"new"


@pytest.mark.parametrize("name", ["nul\0.png", "\0"])
def test_names_with_a_nul_are_refused_in_a_line(tmp_path, name):
    with pytest.raises(UnwritableFile, match="null"), replacing(tmp_path / name):
        pass


def test_a_link_in_the_place_of_a_folder_is_replaced_only_where_it_leads_to_the_same_kind(tmp_path):
    victim = tmp_path / "home"
    victim.mkdir()
    (victim / "letter").write_text("precious")
    (tmp_path / "clean.zarr").symlink_to(victim)
    with (
        pytest.raises(UnwritableFile, match="no zarr store"),
        replacing_folder(tmp_path / "clean.zarr", overwrite=True, kind="zarr store", is_kind=lambda _: False),
    ):
        pass
    assert (victim / "letter").read_text() == "precious"


def test_a_link_in_the_place_of_the_parts_of_a_video_is_not_followed(tmp_path):
    """Whose name must be known for a later run to find them: in a folder of all, anyone can put a link there."""
    pytest.importorskip("av")
    from noiseless.files.video.parts import PartsFolder

    victim = tmp_path / "home"
    victim.mkdir()
    (victim / "letter").write_text("precious")
    (tmp_path / ".clean.mkv.parts").symlink_to(victim)
    with pytest.raises(UnwritableFile, match="is a link"):
        PartsFolder(tmp_path / "clean.mkv", ".mkv", {"a": 1}, resume=False)
    assert [path.name for path in victim.iterdir()] == ["letter"]


def test_the_parts_of_a_video_are_for_their_owner_alone(tmp_path, umask):
    pytest.importorskip("av")
    from noiseless.files.video.parts import PartsFolder

    umask(0o022)
    parts = PartsFolder(tmp_path / "clean.mkv", ".mkv", {"a": 1}, resume=False)
    assert mode_of(parts.path) == 0o700
    parts.discard()


def test_what_passes_through_standard_streams_is_for_its_owner_alone(tmp_path, umask, monkeypatch):
    from noiseless.apps.cli.standard_streams import as_files
    from noiseless.apps.work import STANDARD, Job

    umask(0)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    job = Job((Path("x.png"),), (STANDARD,))
    with as_files(job) as changed:
        folder = changed.targets[0].parent
        assert mode_of(folder) == 0o700
        assert folder.parent == tmp_path
        changed.targets[0].write_bytes(b"")
        assert len({folder.name}) == 1
        assert folder.name.startswith("noiseless-")
    assert not folder.exists()


def test_the_folder_of_the_service_is_for_its_owner_alone(tmp_path, umask, monkeypatch):
    pytest.importorskip("fastapi")
    from noiseless.apps.web.store import Store

    umask(0)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    store = Store(limit=2**20)
    try:
        key = store.new_folder()
        assert mode_of(store.root) == mode_of(store.folder(key)) == 0o700
        assert len(key) == 32
    finally:
        store.close()


def test_a_folder_of_another_that_looks_like_one_of_a_service_is_left_alone(tmp_path, monkeypatch):
    pytest.importorskip("fastapi")
    from noiseless.apps.web import store

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    victim = tmp_path / "home"
    victim.mkdir()
    (victim / "letter").write_text("precious")
    os.utime(victim, (0, 0))
    (tmp_path / f"{store.PREFIX}linked").symlink_to(victim)
    assert store.sweep() == 0
    assert (victim / "letter").exists()


def test_denoise_leaves_nothing_beside_its_output(tmp_path, umask):
    umask(0o077)
    rng = np.random.default_rng(0)
    noisy = np.clip(128 + 20 * rng.standard_normal((48, 48)), 0, 255).astype(np.uint8)
    write(from_array(noisy), tmp_path / "noisy.png")
    assert main(["denoise", str(tmp_path / "noisy.png"), "-o", str(tmp_path / "clean.png"), "--sigma", "20"]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clean.png", "noisy.png"]
    assert mode_of(tmp_path / "clean.png") == 0o600
