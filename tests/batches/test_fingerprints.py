"""Fingerprints: the same for the same, another for whatever changes a result."""

import hashlib
from dataclasses import replace

import pytest

from noiseless import Recipe, UnreadableFile
from noiseless.batches import content_hash, recipe_key
from noiseless.noise import Gaussian, Rician
from noiseless.score import shipped


def test_of_a_file_it_is_blake2b_of_128_bits(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    assert content_hash([path]) == hashlib.blake2b(b"abc", digest_size=16).hexdigest()


def test_of_a_store_names_and_contents_count_and_the_place_does_not(tmp_path):
    one, other = tmp_path / "one", tmp_path / "two" / "other"
    for folder in (one, other):
        (folder / "0").mkdir(parents=True)
        for name in ("zarr.json", "0/c1", "0/c0"):
            (folder / name).write_bytes(name.encode())
    assert content_hash([one]) == content_hash([other])
    (other / "0" / "c1").rename(other / "0" / "c2")
    assert content_hash([one]) != content_hash([other])
    (other / "0" / "c2").rename(other / "0" / "c1")
    (other / "0" / "c1").write_bytes(b"0/c2")
    assert content_hash([one]) != content_hash([other])


def test_of_a_series_the_order_counts(tmp_path):
    paths = [tmp_path / name for name in "ab"]
    for path in paths:
        path.write_bytes(path.name.encode())
    assert content_hash(paths) != content_hash(paths[::-1])
    assert content_hash(paths) != content_hash(paths[:1])


def test_what_is_missing_is_told(tmp_path):
    with pytest.raises(UnreadableFile, match=r"nothing\.png"):
        content_hash([tmp_path / "nothing.png"])


def test_whatever_changes_the_result_changes_the_key(monkeypatch):
    recipe = Recipe("heat")
    keys = [
        recipe_key(recipe),
        recipe_key(replace(recipe, strength=0.9)),
        recipe_key(replace(recipe, method="perona-malik")),
        recipe_key(recipe, Gaussian(3.0)),
        recipe_key(recipe, Gaussian(3.0000001)),
        recipe_key(recipe, Rician(3.0)),
        recipe_key(recipe, "rician"),
        recipe_key(recipe, codec="hevc", quality=None),
        recipe_key(recipe, codec="hevc", quality=3),
    ]
    monkeypatch.setattr("noiseless.batches.fingerprints.__version__", "0.0")
    keys.append(recipe_key(recipe))
    assert len(set(keys)) == len(keys)
    monkeypatch.undo()
    assert recipe_key(Recipe("heat"), Gaussian(3.0)) == keys[3]


def test_tiles_equal_the_whole_and_are_no_other_recipe():
    assert recipe_key(Recipe(tile=64)) == recipe_key(Recipe())


def test_other_shipped_weights_are_another_recipe(monkeypatch):
    first = recipe_key(Recipe())
    fewer = dict(list(shipped().items())[1:])
    monkeypatch.setattr("noiseless.score.shipped", lambda: fewer)
    assert recipe_key(Recipe()) != first


@pytest.mark.parametrize("form", ["model", "method", "member"])
def test_other_weights_in_the_same_file_are_another_recipe(tmp_path, monkeypatch, form):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "own.safetensors"
    path.write_bytes(shipped()["tiny-gray"].read_bytes())
    recipe = {
        "model": lambda: Recipe("score", model=str(path)),
        "method": lambda: Recipe("score:model=own.safetensors"),
        "member": lambda: Recipe("ensemble", members=("heat", "score:model=own.safetensors")),
    }[form]()
    first = recipe_key(recipe)
    assert recipe_key(recipe) == first
    path.write_bytes(shipped()["base-gray"].read_bytes())
    assert recipe_key(recipe) != first
