"""Texts, weights and notes that noiseless writes, and reads again."""

import io
import json
import tempfile
from functools import cache
from pathlib import Path

import numpy as np

from fuzzing.mutation import Case
from fuzzing.picture_seeds import of

NOTATIONS = (
    "gaussian:25", "gaussian:sigma=25", "poisson:gain=2", "poisson-gaussian:gain=0.5,sigma=2", "rician:sigma=20",
    "poisson-gaussian:gain=4,sigma=10+hot-pixels:density=0.005,low=300,high=600", "non-central-chi:sigma=15,coils=4",
    "speckle:looks=10", "salt-and-pepper:density=0.2,low=0,high=255", "correlated:sigma=25,width=1",
    "stripes:stripe=15,sigma=10", "gaussian:3+quantisation:step=1e+1", "random-impulses:density=0.1,low=0,high=1",
    "gaussian:1+correlated:sigma=2,width=1+stripes:stripe=3,sigma=1",
)  # fmt: skip
NOISE_WORDS = (
    *(part.split(":")[0] for part in NOTATIONS), ":", "=", ",", "+", "-", "0", "1e9", "1e308", "1e-320", "nan", "inf",
    "-inf", "sigma", "width", "gain", "coils", "density", "low", "high", "step", "looks", "9" * 400, "1_0", " ", "\t",
    "width=1e6", "coils=1e9", "é", "\0", "²",
)  # fmt: skip
RECIPE_WORDS = (
    "method", "model", "strength", "steps", "sampler", "seed", "tile", "samples", "error", "predict", "bound",
    "members", "budget_s", "noise", "tuning", "[tuning]", "[[members]]", " = ", "\n", '"', "[", "]", "{", "}", "true",
    "false", "inf", "nan", "-1", "0", "1e400", "9" * 30, "0x10", "1979-05-27", "07:32:00", "auto", "score", "ensemble",
    "non-local-means:patch=7", "non-local-means:patch=", "a = 1\n", "[" * 2000, "a." * 300, "\\u0000", "\r", "#",
)  # fmt: skip


@cache
def notations() -> list[Case]:
    return of("noise.txt", [text.encode() for text in NOTATIONS])


@cache
def recipes() -> list[Case]:
    from noiseless.noise import parse_noise
    from noiseless.restoration.recipe import Recipe
    from noiseless.restoration.recipe_file import recipe_text

    texts = [
        recipe_text(Recipe()),
        recipe_text(Recipe("non-local-means", strength=0.8, bound=3.0), parse_noise("gaussian:25")),
        recipe_text(Recipe("ensemble", members=("score", "non-local-means:patch=7"), seed=3), "poisson"),
        recipe_text(Recipe("score", samples=4, steps=12), tuning={"trials": 3, "best": {"strength": 1.0}}),
    ]
    return of("recipe.toml", [text.encode() for text in texts])


@cache
def manifests() -> list[Case]:
    lines = [
        {
            "input": f"../in/{n}.png", "output": [f"{n}.png"], "state": "failed" if n == 1 else "done",
            "source": f"{n:064x}", "recipe": "ab" * 32, "result": [None if n == 1 else f"{n:064x}"], "seconds": 0.5,
        }
        for n in range(4)
    ]  # fmt: skip
    whole = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    return of("manifest.jsonl", [whole, whole[:-20], whole.replace(b"\n", b"\r\n")])


def manifest_rewritten(data: bytes, chance: object) -> bytes:
    """A manifest with a value in one of its lines changed."""
    from fuzzing.mutation import json_rewritten

    lines = data.split(b"\n")
    number = chance.randrange(len(lines))  # type: ignore[attr-defined]
    lines[number] = json_rewritten(lines[number], chance)  # type: ignore[arg-type]
    return b"\n".join(lines)


@cache
def checkpoints() -> list[Case]:
    from noiseless.score.architecture import ResidualShape
    from noiseless.score.checkpoint import Checkpoint, save
    from noiseless.score.density_file import Mixture, save_density

    rng = np.random.default_rng(0)
    made: list[Case] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a"
        for channels in (1, 3):
            shape = ResidualShape(channels=channels, width=8, blocks=1)
            kernels = {
                name: rng.standard_normal(size).astype(np.float32) for name, size in shape.kernel_shapes().items()
            }
            save(Checkpoint(shape, kernels, {"steps": 3, "recipe": {"objective": "camera"}, "images": [1]}), path)
            made.append({"network.safetensors": path.read_bytes()})
        basis, _ = np.linalg.qr(np.column_stack([np.ones(9), rng.standard_normal((9, 8))]))
        mixture = Mixture(
            np.ascontiguousarray(basis.T, np.float32),
            np.full(3, 1 / 3, np.float32),
            np.ones((3, 8), np.float32),
            {"data": "none"},
        )
        save_density(mixture, path)
        made.append({"density.safetensors": path.read_bytes()})
    return made


@cache
def resumes() -> list[Case]:
    from safetensors.torch import save

    from fuzzing.trainer import trainer

    content = save(trainer().state(), {"validation": json.dumps([{"step": 1, "sigma25": 30.0}])})
    return of("a.safetensors.resume", [content])


@cache
def parts() -> list[Case]:
    state = io.BytesIO()
    np.savez(state, mean=np.zeros((4, 5), np.float32), count=np.asarray(3))
    folder = ".a.mkv.parts"
    names = {"job.json": b'{"a": 1}', "000000.mkv": b"video", "000000.json": b'{"times": [0, 1, 2]}'}
    names |= {"000001.mkv": b"video", "000001.json": b'{"times": [3]}', "000001.npz": state.getvalue()}
    return [{f"{folder}/{name}": content for name, content in names.items()}]
