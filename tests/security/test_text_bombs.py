"""Checkpoints, recipes and the words for noise: long, deep, or with lengths that lie."""

import json
import struct

import numpy as np
import pytest

ROOM = 300
"""Megabytes."""


@pytest.fixture
def refused(limited, tmp_path):
    def check(kind, data, *, suffix, **limits):
        path = tmp_path / f"bomb{suffix}"
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        outcome = limited(kind, path, **{"megabytes": ROOM, **limits})
        assert outcome.in_a_line, outcome
        return outcome

    return check


def safetensors(header, content=b""):
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + content


CARD = {"channels": 1, "width": 16, "blocks": 16}


def tensor(*shape, start=0, end=0):
    return {"dtype": "F16", "shape": list(shape), "data_offsets": [start, end]}


CHECKPOINTS = {
    "header of gigabytes": struct.pack("<Q", 2**33) + b"{}" + bytes(100),
    "header of exabytes": struct.pack("<Q", 2**63) + b"{}" + bytes(100),
    "deep header": struct.pack("<Q", 200_000) + b"[" * 200_000,
    "tensor of exabytes": safetensors({"a": tensor(2**31, 2**31, 2)}),
    "tensor beyond the end": safetensors({"a": tensor(2**20, end=2**21)}),
    "tensor of nothing": safetensors({"a": tensor(2**62, 0)}),
    "card that is deep": safetensors(
        {"__metadata__": {"noiseless": "[" * 100_000, "noiseless-density": "[" * 100_000}}
    ),
    "network of a billion blocks": safetensors(
        {"__metadata__": {"noiseless": json.dumps({"shape": {**CARD, "blocks": 10**9}})}, "a": tensor(0)}
    ),
    "network as wide as a number": safetensors(
        {"__metadata__": {"noiseless": json.dumps({"shape": {**CARD, "width": 10**300}})}, "a": tensor(0)}
    ),
}


@pytest.mark.parametrize("kind", ["checkpoint", "density"])
@pytest.mark.parametrize("name", CHECKPOINTS)
def test_checkpoints(refused, kind, name):
    outcome = refused(kind, CHECKPOINTS[name], suffix=".safetensors", seconds=5.0)
    assert outcome.error == "IncompatibleCheckpoint"
    assert outcome.peak_mb < 50


@pytest.mark.parametrize("kind", ["checkpoint", "density"])
def test_a_checkpoint_of_gigabytes(limited, tmp_path, kind):
    """A file with a hole, which is read whole; so its size is looked at first."""
    path = tmp_path / "bomb.safetensors"
    with path.open("wb") as stream:
        stream.truncate(2**36)
    outcome = limited(kind, path, megabytes=ROOM)
    assert outcome.in_a_line, outcome
    assert outcome.peak_mb < 50


RECIPES = {
    "deep lists": "method = " + "[" * 60_000,
    "deep tables": "method = " + "{a=" * 20_000,
    "deep keys": ".".join(["a"] * 30_000) + " = 1",
    "a long number": "seed = " + "9" * 60_000,
    "many keys": "".join(f"k{number} = 1\n" for number in range(5_000)),
    "a long method": f'method = "{"a" * 60_000}"',
    "long noise": f'noise = "{"gaussian:1+" * 5000}"',
    "too long": "#" * 70_000,
}
"""All but the last are read by the parser."""


@pytest.mark.parametrize("name", RECIPES)
def test_recipes(refused, name):
    refused("recipe", RECIPES[name], suffix=".toml", seconds=5.0)


def test_a_recipe_of_gigabytes(limited, tmp_path):
    path = tmp_path / "bomb.toml"
    with path.open("wb") as stream:
        stream.truncate(2**36)
    outcome = limited("recipe", path, megabytes=ROOM)
    assert outcome.in_a_line, outcome
    assert outcome.peak_mb < 50


NOISE = {
    "many kinds": "+".join(["gaussian:sigma=1"] * 20_000),
    "many kinds that do not become one": "+".join(["speckle:looks=4", *["hot-pixels:density=0.001"] * 5000]),
    "many stripes": "+".join(["stripes:1,2"] * 5000),
    "many numbers": "gaussian:" + ",".join("1" * 100_000),
    "a long number": "gaussian:" + "9" * 5_000_000,
    "a wide kernel": "correlated:sigma=25,width=1e9",
    "a long kind": "g" * 5_000_000,
    "many commas": "gaussian:" + "," * 1_000_000,
    "plus signs": "+" * 100_000,
    "plus signs and blanks": "+" + " " * 200_000 + "1",
}


@pytest.mark.parametrize("name", NOISE)
def test_words_for_noise(limited, tmp_path, name):
    path = tmp_path / "noise.txt"
    path.write_text(NOISE[name])
    outcome = limited("noise", path, megabytes=ROOM, seconds=5.0)
    assert outcome.error == "" or outcome.in_a_line, (outcome.error, outcome.message[:300], len(outcome.message))


def test_a_checkpoint_is_read_within_these_bounds(limited, tmp_path):
    """Or the tests above would show nothing."""
    from noiseless.score import checkpoint, density_file

    path = tmp_path / "good.safetensors"
    checkpoint.save(checkpoint.load_shipped("base-gray"), path)
    assert limited("checkpoint", path, megabytes=ROOM).error == ""
    density_file.save_density(density_file.load_density(), path)
    assert limited("density", path, megabytes=ROOM).error == ""
    assert np.isfinite(density_file.load_density(path).basis).all()
