from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from noiseless.errors import Diverged, IncompatibleCheckpoint, InvalidImage, InvalidParameter, UnknownName  # noqa: E402
from noiseless.score import NetworkDenoiser, TrainingSettings, load, load_model, train  # noqa: E402
from noiseless.score.architecture import ResidualShape  # noqa: E402
from noiseless.score.networks.residual import ResidualNetwork  # noqa: E402
from noiseless.score.objective import OBJECTIVES  # noqa: E402
from noiseless.score.patches import pack  # noqa: E402
from noiseless.score.training import Trainer  # noqa: E402

SETTINGS = TrainingSettings(
    steps=30, batch=4, patch=16, warmup=2, average=0.9, precision="float32", validate_every=10, seed=3
)


@pytest.fixture(autouse=True)
def one_thread():
    # Sums in a fixed order, so that two runs can be equal to the bit.
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def images(rng):
    """Soft random waves: structure that a network can tell from noise."""
    rows, columns = np.mgrid[0:48, 0:48]
    waves = [np.sin(rows * a + columns * b) for a, b in rng.uniform(0.05, 0.3, (21, 2))]
    return [np.uint8(np.rint(127.5 + 100 * wave))[np.newaxis] for wave in waves]


def test_training_learns_and_writes_a_model_that_denoises(images, tmp_path):
    output = tmp_path / "model.safetensors"
    settings = TrainingSettings(steps=150, batch=8, patch=32, warmup=5, average=0.8, validate_every=75)
    states = list(train(images, output, model="tiny", settings=settings, card={"licence": "none"}))
    assert [state.step for state in states] == list(range(1, 151))
    assert states[-1].progress == 1.0
    assert {state.step for state in states if state.psnr} == {75, 150}
    checkpoint = load(output)
    assert checkpoint.card["steps"] == 150
    assert [entry["step"] for entry in checkpoint.card["validation"]] == [75, 150]
    assert not (tmp_path / "model.safetensors.resume").exists()
    clean = images[0].astype(np.float32) / 255
    noisy = (clean + 0.1 * np.random.default_rng(9).standard_normal(clean.shape)).astype(np.float32)
    before, after = (np.mean((image - clean) ** 2) for image in (noisy, NetworkDenoiser(str(output))(noisy, 0.1)))
    assert after < before / 2


def test_a_stopped_run_goes_on_as_if_it_had_not_stopped(images, tmp_path, monkeypatch):
    straight = [state.loss for state in train(images, tmp_path / "a.safetensors", model="tiny", settings=SETTINGS)]
    monkeypatch.setattr("noiseless.score.trained_model.STORE_EVERY", 0.0)
    output = tmp_path / "b.safetensors"
    broken = []
    for state in train(images, output, model="tiny", settings=SETTINGS):
        broken.append(state.loss)
        if state.step == 12:
            break  # the generator is closed, which stores the run
    resumed = [state.loss for state in train(images, output, model="tiny", settings=SETTINGS)]
    assert broken == straight[:12]
    assert resumed == straight[12:]
    again, once = load(output), load(tmp_path / "a.safetensors")
    assert again.digest == once.digest
    assert again.card["validation"] == once.card["validation"]


def test_a_time_limit_ends_the_run(images, tmp_path):
    settings = TrainingSettings(steps=10**6, minutes=0.5 / 60, batch=2, patch=16, precision="float32")
    states = list(train(images, tmp_path / "m.safetensors", model="tiny", settings=settings))
    assert states[-1].progress == 1.0
    assert states[-1].elapsed >= 0.5
    assert states[-2].elapsed < 0.5


def test_training_starts_from_a_checkpoint(images, tmp_path):
    first = tmp_path / "first.safetensors"
    list(train(images, first, model="tiny", settings=SETTINGS))
    fresh = next(iter(train(images, tmp_path / "x.safetensors", model="tiny", settings=SETTINGS)))
    warm = next(iter(train(images, tmp_path / "y.safetensors", model="tiny", settings=SETTINGS, start=first)))
    assert warm.loss < fresh.loss
    with pytest.raises(IncompatibleCheckpoint, match="same size"):
        next(iter(train(images, tmp_path / "z.safetensors", model="base", settings=SETTINGS, start=first)))


def test_training_goes_on_from_a_shipped_network_at_its_own_size(images, tmp_path):
    output = tmp_path / "mine.safetensors"
    states = list(train(images, output, settings=SETTINGS, start="tiny"))
    fresh = next(iter(train(images, tmp_path / "x.safetensors", model="tiny", settings=SETTINGS)))
    assert states[0].loss < fresh.loss
    assert load(output).shape == load_model("tiny", load(output).shape.channels).shape
    assert load(output).card["recipe"]["start"] == "tiny"


def test_a_loss_that_is_not_finite_stops_the_run(images, tmp_path):
    settings = TrainingSettings(steps=40, batch=2, patch=16, warmup=1, muon_rate=1e30, precision="float32")
    with pytest.raises(Diverged, match="lower muon_rate"), np.errstate(all="ignore"):
        list(train(images, tmp_path / "m.safetensors", model="tiny", settings=settings))
    assert not (tmp_path / "m.safetensors").exists()


def test_an_outlying_gradient_is_cut_to_the_usual_length(images):
    network = ResidualNetwork(ResidualShape(channels=1, width=4, blocks=1))
    trainer = Trainer(network, pack([torch.from_numpy(image) for image in images], size=16), SETTINGS)

    def clipped(length):
        parameters = list(network.parameters())
        for parameter in parameters:
            parameter.grad = torch.ones_like(parameter)
        scale = length / torch.nn.utils.get_total_norm([parameter.grad for parameter in parameters])
        for parameter in parameters:
            parameter.grad *= scale
        trainer._clip_gradients()
        return float(torch.nn.utils.get_total_norm([parameter.grad for parameter in parameters]))

    assert clipped(0.0) == 0.0  # and is no measure of what comes
    assert clipped(2.0) == pytest.approx(2.0, rel=1e-5)
    assert clipped(2.5) == pytest.approx(2.5, rel=1e-5)
    usual = trainer.usual_length
    assert clipped(1000.0) == pytest.approx(SETTINGS.clip * usual, rel=1e-5)
    assert usual < trainer.usual_length < 1.0051 * usual
    for _ in range(1000):  # gradients that are longer from now on are not outliers for long
        clipped(10.0)
    assert clipped(10.0) == pytest.approx(10.0, rel=1e-5)


def test_averaged_weights_look_back_on_a_twentieth_of_the_run(images):
    network = ResidualNetwork(ResidualShape(channels=1, width=4, blocks=1))
    settings = replace(SETTINGS, average=0.99)
    trainer = Trainer(network, pack([torch.from_numpy(image) for image in images], size=16), settings)
    kernel, averaged = network.head.weight, trainer.averaged_network().head.weight
    counted = 3000
    with torch.no_grad():
        for step in range(counted):
            kernel.fill_(float(step))
            trainer.averaged.update_parameters(network)
            if step == 200:
                # A mean age of 1 + 200 / 20 steps and a little less: it was shorter before.
                assert 5 < step - float(averaged.detach().mean()) < 11
    assert counted - float(averaged.detach().mean()) == pytest.approx(100, rel=0.02)  # 1 / (1 - 0.99)


def test_a_damaged_resume_file_is_named(images, tmp_path):
    (tmp_path / "m.safetensors.resume").write_bytes(b"not a state")
    with pytest.raises(IncompatibleCheckpoint, match="delete it"):
        next(iter(train(images, tmp_path / "m.safetensors", model="tiny", settings=SETTINGS)))


def test_images_that_do_not_fit_together_are_refused(images, tmp_path):
    mixed = [*images, np.zeros((3, 48, 48), np.uint8)]
    with pytest.raises(InvalidImage, match="only gray or only colour"):
        next(iter(train(mixed, tmp_path / "m.safetensors", settings=SETTINGS)))
    with pytest.raises(UnknownName, match="did you mean 'tiny'"):
        next(iter(train(images, tmp_path / "m.safetensors", model="tine", settings=SETTINGS)))


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"batch": -1}, {"average": 1.0}, {"precision": "half"}, {"clip": 1.0}])
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(InvalidParameter):
        TrainingSettings(**wrong)


@pytest.mark.parametrize("objective", ["sure", "noise2score", "recorrupt", "noise2noise", "blind-spot"])
def test_noisy_images_alone_teach_a_network_to_denoise(images, tmp_path, objective):
    rng = np.random.default_rng(4)
    sigma, frames = 0.15, OBJECTIVES[objective].frames
    clean = [image.astype(np.float32) / 255 for image in images]
    noisy = [
        np.concatenate([image + sigma * rng.standard_normal(image.shape, np.float32) for _ in range(frames)])
        for image in clean
    ]
    settings = TrainingSettings(
        steps=250, batch=8, patch=32, warmup=5, average=0.8, validate_every=250, objective=objective
    )
    output = tmp_path / "model.safetensors"
    states = list(train(noisy, output, model="tiny", settings=settings, sigma=sigma))
    denoised = NetworkDenoiser(str(output))(noisy[0][:1], sigma)
    gain = np.mean((noisy[0][:1] - clean[0]) ** 2) / np.mean((denoised - clean[0]) ** 2)
    assert gain > 2
    # What the run predicts without a clean image: two held-back images of 48x48, an error of 2 sigma^2 / sqrt(pixels).
    held = np.mean([(NetworkDenoiser(str(output))(noisy[k][:1], sigma) - clean[k]) ** 2 for k in (0, 20)])
    predicted = 10 ** (-states[-1].psnr["predicted"] / 10)
    assert abs(predicted - held) < 4 * 2 * sigma**2 / (2 * 48 * 48) ** 0.5


def test_the_noise_of_training_images_is_estimated_where_it_is_not_given(images, tmp_path):
    rng = np.random.default_rng(5)
    noisy = [np.float32(image / 255 + 0.1 * rng.standard_normal(image.shape)) for image in images]
    settings = TrainingSettings(steps=1, batch=2, patch=16, objective="sure", precision="float32")
    (state,) = train(noisy, tmp_path / "m.safetensors", model="tiny", settings=settings)
    assert np.isfinite(state.loss)


@pytest.mark.parametrize("sigma", [0.0, -1.0, [0.1, 0.2], float("nan")])
def test_a_noise_level_that_does_not_fit_is_refused(images, tmp_path, sigma):
    noisy = [np.float32(image / 255) for image in images]
    with pytest.raises(InvalidParameter, match="a number above 0"):
        next(iter(train(noisy, tmp_path / "m.safetensors", settings=replace(SETTINGS, objective="sure"), sigma=sigma)))


def test_a_noise_level_for_clean_images_is_refused(images, tmp_path):
    with pytest.raises(InvalidParameter, match="adds noise to clean images"):
        next(iter(train(images, tmp_path / "m.safetensors", settings=SETTINGS, sigma=0.1)))
