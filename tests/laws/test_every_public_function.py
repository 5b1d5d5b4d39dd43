"""Every public function is in a property test, or it is said here why not."""

import ast
import importlib
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOMS = ("noise", "diffusion", "generation", "score", "restoration", "classical", "files", "streams", "batches")
TABLES = ("NOISE_MODELS", "FILTERS", "CLASSICAL", "SAMPLERS", "SCHEDULES", "DENSITIES", "LEARNED", "METHODS", "EXPORTS")

WORDS = "it holds what others made, and takes nothing of a caller's to compute with"
PATHS = "it takes a path or a name, and no array: tests/files and tests/apps give it all kinds"
COSTLY = "training, minutes each: its own tests in tests/score and tests/restoration"
ABSTRACT = "a protocol, or what others are made of"
PLUMBING = "work for many inputs, none of them an array: tests/batches"

NOT_HERE = {
    "adapt": COSTLY, "adapt_gains": COSTLY, "fit_experts": COSTLY, "train": COSTLY, "TrainingSettings": COSTLY,
    "TrainingState": COSTLY, "AdaptedNetwork": WORDS, "Adapted": WORDS, "Uniform": COSTLY, "Checkpoint": WORDS,
    "ResidualShape": WORDS, "Mixture": WORDS, "Restored": WORDS, "Tuned": WORDS, "RestoredByBlocks": WORDS,
    "Audit": WORDS, "RecipeFile": WORDS, "Risk": WORDS, "Evidence": WORDS, "NoiseEstimate": WORDS, "State": WORDS,
    "ErrorBars": WORDS,
    "Calibration": WORDS, "Components": WORDS, "PropagatedNoise": WORDS, "BagMessage": WORDS, "ImageTopic": WORDS,
    "Format": WORDS, "Effort": WORDS,
    "load": PATHS, "save": PATHS, "load_density": PATHS, "shipped": PATHS, "read_recipe": PATHS,
    "recipe_text": "it takes a recipe: tests/restoration", "preset_named": PATHS, "engine_description": PATHS,
    "Bag": PATHS, "open_bag": PATHS, "rewrite_bag": PATHS, "ChunkedImage": ABSTRACT, "ChunkedWriter": ABSTRACT,
    "allowing": PATHS, "create_video": PATHS, "format_for": PATHS, "gathered": PATHS, "is_known": PATHS,
    "is_store": PATHS, "readable_suffixes": PATHS, "replacing": PATHS, "suffix_of": PATHS,
    "suffix_of_result": PATHS,
    "suffix_of_video_result": PATHS, "write_movie": "frames of one kind: tests/files", "write_series": PATHS,
    "restore_by_blocks": "it takes a file in parts: tests/restoration", "open_sink": PATHS, "open_source": PATHS,
    "Sink": ABSTRACT, "Source": ABSTRACT, "Controller": "it takes seconds: tests/streams", "FrameQueue": ABSTRACT,
    "Denoiser": ABSTRACT, "LocalDenoiser": ABSTRACT, "DataStep": ABSTRACT, "Sampler": ABSTRACT, "Normal": ABSTRACT,
    "Evolution": ABSTRACT, "ramp_kernel": "it takes a number of pixels: tests/noise",
    "InstalledDenoiser": "an installed package: tests/classical",
    "toml_in": PATHS,
    "check_new": PATHS, "reason": PATHS,
    "model_names": PATHS,
    **dict.fromkeys(
        (
            "Attempt", "Cluster", "FolderRun", "InProcess", "Lost", "Manifest", "Once", "Outcome", "Processes",
            "Record", "Task", "Workers", "content_hash", "open_run", "recipe_key",
        ),
        PLUMBING,
    ),
}  # fmt: skip


def public():
    """The name of every public callable, and the thing."""
    found = {}
    for room in ("", *(f".{name}" for name in ROOMS)):
        module = importlib.import_module(f"noiseless{room}")
        for name in module.__all__:
            if name in NOT_HERE:
                continue
            thing = getattr(module, name)
            if callable(thing) and not (isinstance(thing, type) and issubclass(thing, Exception)):
                found[name] = thing
    return found


def in_property_tests():
    """Every name that a property test uses."""
    names = set()
    for path in Path(__file__).parent.glob("test_any_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Name):
                names.add(node.id)
            elif isinstance(node, ast.Attribute):
                names.add(node.attr)
    return names


def in_tables(names):
    """What is tried because the whole table is."""
    found = []
    for room in ROOMS:
        module = importlib.import_module(f"noiseless.{room}")
        for table in TABLES:
            entries = getattr(module, table, {}) if table in names else {}
            found += entries.values() if isinstance(entries, Mapping) else ()
    return found


def test_every_public_function_is_in_a_property_test_or_a_reason_says_why_not():
    pytest.importorskip("hypothesis")
    names = in_property_tests()
    tried = in_tables(names)
    assert sorted(name for name, thing in public().items() if name not in names and thing not in tried) == []


def test_no_reason_is_left_for_what_is_gone_or_tried():
    every = {name for room in ROOMS for name in importlib.import_module(f"noiseless.{room}").__all__}
    every |= set(importlib.import_module("noiseless").__all__)
    assert set(NOT_HERE) <= every
