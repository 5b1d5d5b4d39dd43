import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from noiseless.errors import IncompatibleCheckpoint, UnknownName, UnreadableFile, UnwritableFile
from noiseless.score import Checkpoint, load, load_model, save, shipped
from noiseless.score.checkpoint import CARD_KEY


def test_what_is_saved_is_loaded(checkpoint, model_file):
    loaded = load(model_file)
    assert loaded.shape == checkpoint.shape
    assert loaded.card["data"] == "none"
    assert loaded.digest == checkpoint.digest
    for name, kernel in checkpoint.kernels.items():
        np.testing.assert_array_equal(loaded.kernels[name], kernel)


def test_a_truncated_checkpoint_is_refused_at_any_length(model_file):
    content = model_file.read_bytes()
    for length in (0, 4, 100, len(content) // 2, len(content) - 1):
        model_file.write_bytes(content[:length])
        with pytest.raises(IncompatibleCheckpoint, match="damaged"):
            load(model_file)


def test_changed_weights_do_not_match_the_card(model_file):
    content = bytearray(model_file.read_bytes())
    content[-1] ^= 0x04  # one bit of the last weight
    model_file.write_bytes(content)
    with pytest.raises(IncompatibleCheckpoint, match="sha256"):
        load(model_file)


def test_a_foreign_safetensors_file_is_refused(tmp_path):
    path = tmp_path / "foreign.safetensors"
    save_file({"weight": np.zeros((2, 2), np.float32)}, path)
    with pytest.raises(IncompatibleCheckpoint, match="no noiseless card"):
        load(path)


def test_every_wrong_kernel_is_named_at_once(checkpoint, tmp_path):
    kernels = dict(checkpoint.kernels)
    del kernels["tail.weight"]
    kernels["extra.weight"] = np.zeros((1, 1, 1, 1), np.float32)
    kernels["body.0.first.weight"] = np.zeros((1, 1, 3, 3), np.float32)
    card = {"shape": vars(checkpoint.shape)}
    path = tmp_path / "wrong.safetensors"
    save_file(kernels, path, metadata={CARD_KEY: json.dumps(card)})
    with pytest.raises(IncompatibleCheckpoint) as caught:
        load(path)
    for name in ("tail.weight", "extra.weight", "body.0.first.weight"):
        assert name in str(caught.value)


def test_weights_that_are_not_finite_are_refused(checkpoint, tmp_path):
    kernels = {**checkpoint.kernels, "tail.weight": np.full_like(checkpoint.kernels["tail.weight"], np.inf)}
    path = tmp_path / "model.safetensors"
    save(Checkpoint(checkpoint.shape, kernels), path)
    with pytest.raises(IncompatibleCheckpoint, match="not finite"):
        load(path)


def test_a_missing_file_and_a_missing_folder_are_named(checkpoint, tmp_path):
    with pytest.raises(UnreadableFile, match="absent"):
        load(tmp_path / "absent.safetensors")
    with pytest.raises(UnwritableFile, match="folder"):
        save(checkpoint, tmp_path / "no" / "folder" / "model.safetensors")


def test_a_network_for_other_channels_is_refused(checkpoint, model_file):
    other = 4 - checkpoint.shape.channels
    with pytest.raises(IncompatibleCheckpoint, match="channel"):
        load_model(str(model_file), other)


def test_an_unknown_model_suggests_the_nearest():
    with pytest.raises(UnknownName, match="did you mean 'base'"):
        load_model("bse", 1)


@pytest.mark.parametrize("name", ["base-gray", "base-colour"])
def test_every_shipped_model_has_a_card_that_tells_its_origin(name):
    model, _, kind = name.partition("-")
    checkpoint = load_model(model, {"gray": 1, "colour": 3}[kind])
    assert name in shipped()
    assert checkpoint.card["data"]
    assert checkpoint.card["licence"]
    assert checkpoint.card["scores"]
    assert checkpoint.card["sha256"] == checkpoint.digest
