"""Parcels: weights go along with a function, and lie where it looks for them."""

import pickle
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from noiseless.restoration import Recipe, restore
from noiseless.score import shipped

pytest.importorskip("cloudpickle")

from noiseless.batches.parcel import FOLDER, packed


@pytest.fixture
def weights(tmp_path):
    """A checkpoint of the user, a copy of a shipped one."""
    path = tmp_path / "here" / "mine.safetensors"
    path.parent.mkdir()
    name = next(name for name in shipped() if "tiny" in name and "gray" in name)
    path.write_bytes(shipped()[name].read_bytes())
    return path


def test_a_function_without_weights_comes_back_as_it_is(tmp_path):
    parcel = packed(partial(max, 3))
    assert parcel.files == {}
    assert parcel.opened(tmp_path)(5) == 5
    assert list(tmp_path.iterdir()) == []


def test_local_functions_can_be_packed(tmp_path):
    offset = 7
    assert packed(lambda item: item + offset).opened(tmp_path)(1) == 8


@pytest.mark.parametrize("words", ["{}", "score:model={}", "score:precision=float32,model={}"])
def test_weights_lie_elsewhere_when_it_is_opened(words, weights, tmp_path):
    parcel = pickle.loads(pickle.dumps(packed(partial(lambda text, item: text, words.format(weights)))))
    content = weights.read_bytes()
    weights.unlink()
    there = tmp_path / "there"
    text = parcel.opened(there)(0)
    before, _, path = text.rpartition("=")
    assert text.startswith(before)
    assert (before + "=" if before else "") + "{}" == words
    assert Path(path).name == "mine.safetensors"
    assert Path(path).is_relative_to(there / FOLDER)
    assert Path(path).read_bytes() == content


def test_a_recipe_works_without_the_file_that_it_was_made_with(weights, tmp_path):
    noisy = np.random.default_rng(0).random((24, 24), np.float32)
    recipe = Recipe(model=str(weights))
    expected = restore(noisy, recipe, sigma=0.1).image
    function = partial(lambda recipe, item: restore(item, recipe, sigma=0.1).image, recipe)
    parcel = packed(function)
    weights.unlink()
    np.testing.assert_array_equal(parcel.opened(tmp_path / "there")(noisy), expected)


def test_the_same_weights_go_once_and_are_written_once(weights, tmp_path):
    twice = partial(lambda one, two, item: (one, two), str(weights), weights)
    parcel = packed(twice)
    assert len(parcel.files) == 1
    one, two = parcel.opened(tmp_path)(0)
    assert isinstance(one, str)
    assert isinstance(two, Path)
    assert Path(one) == two
    written = two.stat().st_mtime_ns
    parcel.opened(tmp_path)
    assert two.stat().st_mtime_ns == written
    assert [path.name for path in two.parent.iterdir()] == ["mine.safetensors"]


def test_other_weights_of_the_same_name_do_not_take_their_place(weights, tmp_path):
    first = packed(partial(lambda path, item: path, weights))
    weights.write_bytes(b"other")
    second = packed(partial(lambda path, item: path, weights))
    paths = [parcel.opened(tmp_path)(0) for parcel in (first, second)]
    assert paths[0] != paths[1]
    assert paths[1].read_bytes() == b"other"
    assert paths[0].read_bytes() != b"other"


def test_a_path_of_no_file_stays(tmp_path):
    missing = tmp_path / "missing.safetensors"
    parcel = packed(partial(lambda path, item: path, missing))
    assert parcel.files == {}
    assert parcel.opened(tmp_path)(0) == missing


def test_an_interrupted_writing_leaves_no_part(weights, tmp_path):
    parcel = packed(partial(lambda path, item: path, weights))
    (name,) = parcel.files
    broken = replace(parcel, files={name: None})
    with pytest.raises(TypeError):
        broken.opened(tmp_path)
    assert not (tmp_path / FOLDER / name).exists()
    assert parcel.opened(tmp_path)(0).is_file()
