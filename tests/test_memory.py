import os

import pytest

from noiseless import memory

pytestmark = pytest.mark.skipif(not hasattr(os, "sysconf"), reason="this system does not say it")

MACHINE = 2**30


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A machine of 1 GiB, of which 700 MiB are free; returns where its container would write a bound."""
    monkeypatch.setattr(os, "sysconf", {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": MACHINE // 4096}.__getitem__)
    monkeypatch.setattr(memory, "_CONTAINER", (tmp_path / "none", tmp_path / "bound"))
    (tmp_path / "meminfo").write_text(f"MemTotal: {2**20} kB\nMemAvailable: {700 * 1024} kB\n")
    monkeypatch.setattr(memory, "_FREE", tmp_path / "meminfo")
    return tmp_path / "bound"


def test_without_a_container_the_machine_is_the_bound(machine):
    assert memory.usable_memory() == MACHINE
    assert memory.free_memory() == 700 * 2**20


@pytest.mark.parametrize(
    ("said", "usable", "free"),
    [("max\n", MACHINE, 700), ("536870912\n", 2**29, 512), ("9223372036854771712\n", MACHINE, 700)],
)
def test_a_container_bounds_both(machine, said, usable, free):
    machine.write_text(said)
    assert memory.usable_memory() == usable
    assert memory.free_memory() == free * 2**20


def test_a_system_that_does_not_tell(machine, monkeypatch):
    monkeypatch.delattr(os, "sysconf")
    assert memory.usable_memory() is None
    assert memory.free_memory() is None


def test_a_machine_that_does_not_say_what_is_free(machine, monkeypatch, tmp_path):
    monkeypatch.setattr(memory, "_FREE", tmp_path / "none")
    assert memory.free_memory() == MACHINE
