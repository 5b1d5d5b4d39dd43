"""Outputs appear whole or not at all, with the permissions that a user expects."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from noiseless.atomic import replacing
from noiseless.errors import UnwritableFile


@pytest.fixture
def umask():
    old = os.umask(0o027)
    yield 0o027
    os.umask(old)


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_the_file_appears_at_the_end(tmp_path):
    path = tmp_path / "a.bin"
    with replacing(path) as temporary:
        temporary.write_bytes(b"whole")
        assert not path.exists()
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".bin"
    assert path.read_bytes() == b"whole"
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_file_has_the_permissions_of_any_new_file(tmp_path, umask):
    with replacing(tmp_path / "a.bin") as temporary:
        temporary.write_bytes(b"x")
    assert mode_of(tmp_path / "a.bin") == 0o666 & ~umask


def test_a_private_file_stays_private(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    path.chmod(0o600)
    with replacing(path, overwrite=True) as temporary:
        assert mode_of(temporary) == 0o600
        temporary.write_bytes(b"new")
    assert (path.read_bytes(), mode_of(path)) == (b"new", 0o600)


def test_a_symbolic_link_is_followed(tmp_path):
    target = tmp_path / "target.bin"
    target.write_bytes(b"old")
    link = tmp_path / "link.bin"
    link.symlink_to(target)
    with replacing(link, overwrite=True) as temporary:
        temporary.write_bytes(b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


def test_an_error_leaves_nothing(tmp_path):
    def fail():
        with replacing(tmp_path / "a.bin") as temporary:
            temporary.write_bytes(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_appears_meanwhile_is_kept(tmp_path):
    path = tmp_path / "a.bin"

    def write_while_another_does():
        with replacing(path) as temporary:
            temporary.write_bytes(b"ours")
            path.write_bytes(b"theirs")

    with pytest.raises(UnwritableFile, match="exists"):
        write_while_another_does()
    assert path.read_bytes() == b"theirs"
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_folder_is_unwritable(tmp_path):
    with pytest.raises(UnwritableFile, match="cannot write in the folder of"), replacing(tmp_path / "no" / "a.bin"):
        pass


def test_a_file_as_folder_is_unwritable(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UnwritableFile), replacing(tmp_path / "file" / "a.bin"):
        pass


def test_a_read_only_place_is_unwritable():
    # Tests may run as root, whom permission bits do not stop; the process file system stops everybody.
    with pytest.raises(UnwritableFile), replacing("/proc/a.bin"):
        pass


def test_a_folder_is_not_replaced(tmp_path):
    with pytest.raises(UnwritableFile, match="not a file"), replacing(tmp_path, overwrite=True):
        pass


def test_a_long_name_has_a_temporary_of_legal_length(tmp_path):
    path = tmp_path / ("n" * 250 + ".png")
    with replacing(path) as temporary:
        temporary.write_bytes(b"x")
    assert path.exists()


def test_writers_of_one_file_at_the_same_time_do_not_mix(tmp_path):
    path = tmp_path / "a.bin"

    def write_often(letter):
        for _ in range(60):
            with replacing(path, overwrite=True) as temporary:
                temporary.write_bytes(letter * 50_000)
            found = path.read_bytes()
            assert found == found[:1] * 50_000

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write_often, (b"a", b"b", b"c", b"d")))
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_writer_left_is_removed_by_the_next_and_what_another_writes_is_not(tmp_path):
    path = tmp_path / "a.bin"
    with replacing(path) as left:
        pass
    path.unlink()
    left.write_bytes(b"half")  # nobody holds it
    with replacing(path) as first:
        assert first == left
        assert first.read_bytes() == b""
        with replacing(path) as second:
            second.write_bytes(b"second")
        assert second != first
        assert first.exists()
        path.unlink()
        first.write_bytes(b"first")
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]
