"""What comes back is what the library makes of the file, whichever way it was asked for."""

import json
from pathlib import Path

import numpy as np
import pytest

import noiseless
from noiseless.apps.viewer import pictures
from noiseless.apps.web.choices import options
from noiseless.apps.web.pyramids import levels_of, open_level, planes_of, write_pyramid
from noiseless.apps.web.tiles import Place, tile_of_picture, tile_of_removed, tile_of_structure

imagecodecs = pytest.importorskip("imagecodecs")


def image_of(content, tmp_path, suffix=".png"):
    path = tmp_path / f"answer{suffix}"
    path.write_bytes(content)
    return noiseless.read(path)


def finished(served, key, **settings):
    job = served.job(key, **settings)
    assert job.status_code == 202, job.text
    return served.wait(f"/api/jobs/{job.json()['id']}", "done", "failed")


def ready(served, content, name):
    key = served.upload(content, name).raise_for_status().json()["id"]
    return served.wait(f"/api/files/{key}", "ready", "failed")


def test_a_photograph_by_all_three_ways(working, png, tmp_path):
    content = png(96, 80)
    noisy = image_of(content, tmp_path)
    file = ready(working, content, "Bräcke 橋.png")
    assert (file["kind"], file["bytes"], file["name"]) == ("image", len(content), "Bräcke 橋.png")
    assert (file["picture"]["width"], file["picture"]["height"], file["picture"]["unit"]) == (80, 96, "grey levels")
    assert file["description"]["format"] == "PNG"
    estimate = noiseless.noise.estimate_image_noise(noisy)
    assert file["noise"]["sigma"] == pytest.approx(estimate.sigma)
    job = finished(working, file["id"], sigma=15.0, error=True, predict=True)
    expected = noiseless.restore_image(
        noisy, noiseless.Recipe(error=True, predict=True), noise=noiseless.noise.Gaussian(15.0)
    )
    answer = working.client.get(f"/api/jobs/{job['id']}/result")
    disposition = answer.headers["content-disposition"]
    assert disposition.endswith("filename*=UTF-8''Br%C3%A4cke%20%E6%A9%8B.denoised.png")
    assert len(answer.content) == job["result"]["bytes"]
    np.testing.assert_array_equal(image_of(answer.content, tmp_path).stored(), expected.image.stored())
    assert job["report"]["audit"]["predicted_psnr"] == pytest.approx(expected.report["audit"]["predicted_psnr"])
    assert job["findings"]
    assert "15" in job["headline"]
    assert working.client.get(f"/api/jobs/{job['id']}/report.json").json() == job["report"]
    page = working.client.get(f"/api/jobs/{job['id']}/report.html")
    assert page.headers["content-disposition"].startswith("attachment")
    assert page.text.startswith("<!doctype html>")
    for text in (json.dumps(job), page.text):
        assert "noiseless-serve-" not in text
    in_one = working.client.post(
        "/api/denoise", files={"file": ("a.png", content)}, data={"settings": '{"sigma": 15, "error": true}'}
    )
    np.testing.assert_array_equal(image_of(in_one.content, tmp_path).stored(), expected.image.stored())
    told = working.client.get(f"/api/jobs/{in_one.headers['noiseless-job']}").json()
    assert told["state"] == "done"
    assert told["report"]["parameters"] == {"sigma": 15.0}
    assert in_one.headers["link"] == f'</api/jobs/{told["id"]}>; rel="describedby"'


def test_tiles_show_what_the_library_says(working, png, tmp_path):
    content = png(96, 80, seed=3)
    noisy = image_of(content, tmp_path)
    file = ready(working, content, "a.png")
    job = finished(working, file["id"], sigma=15.0, error=True)
    restored = noiseless.restore_image(noisy, noiseless.Recipe(error=True), noise=noiseless.noise.Gaussian(15.0))

    def tile(path):
        answer = working.client.get(path)
        assert answer.headers["content-type"] == "image/png"
        return imagecodecs.png_decode(answer.content)

    np.testing.assert_array_equal(tile(f"/api/files/{file['id']}/tiles/noisy/0/0/0/0.png"), noisy.stored()[0])
    path = f"/api/jobs/{job['id']}/tiles"
    np.testing.assert_array_equal(tile(f"{path}/denoised/0/0/0/0.png"), restored.image.stored()[0])
    narrow = pictures.shown(restored.image.stored(), 100.0, 120.0)
    np.testing.assert_array_equal(tile(f"{path}/denoised/0/0/0/0.png?low=100&high=120"), narrow)
    removed = noisy.stored()[0].astype(np.float32) - restored.image.stored()[0]
    limit = job["pictures"]["removed_limit"]
    assert limit == pytest.approx(pictures.limit_of(removed))
    np.testing.assert_array_equal(tile(f"{path}/removed/0/0/0/0.png"), pictures.diverging(removed, limit))
    limit = job["pictures"]["error_limit"]
    expected = pictures.sequential(restored.error.half68[0], limit)
    # The error is a square root of a square here; the last bit may differ, and so a colour by one step.
    assert np.abs(tile(f"{path}/error/0/0/0/0.png").astype(int) - expected).max() <= 3
    structure = tile(f"{path}/structure/0/0/0/0.png")
    assert structure.shape == (96, 80, 3)
    z = restored.audit.structure.z
    limit = job["pictures"]["structure_limit"]
    assert limit == pytest.approx(2.0 * restored.audit.structure.limit)
    np.testing.assert_array_equal(structure[::16, ::16], pictures.sequential(z.astype(np.float32), limit))
    assert working.client.get(f"{path}/denoised/0/0/0/1.png").status_code == 404
    plain = finished(working, file["id"], sigma=15.0)
    assert plain["pictures"]["error"] is False
    assert working.client.get(f"/api/jobs/{plain['id']}/tiles/error/0/0/0/0.png").status_code == 404


def test_the_example_is_known(working):
    key = working.client.post("/api/files/example").json()["id"]
    file = working.wait(f"/api/files/{key}", "ready")
    assert file["clean_known"] is True
    assert file["noise"]["sigma"] == pytest.approx(25.0, rel=0.05)
    job = finished(working, key, predict=True)
    truth = job["true_psnr"]
    assert truth["noisy"] == pytest.approx(20.2, abs=0.3)  # 10 log10(255^2 / 25^2) = 20.17
    low, high = job["report"]["audit"]["predicted_psnr_interval"]
    assert low - 0.5 < truth["denoised"] < high + 0.5
    assert truth["denoised"] > truth["noisy"] + 12.0
    again = working.client.post("/api/files/example").json()["id"]
    working.wait(f"/api/files/{again}", "ready")
    path = "tiles/noisy/0/0/0/0.png"
    first, second = (working.client.get(f"/api/files/{each}/{path}").content for each in (key, again))
    assert first == second


def test_sixteen_bits_of_colour_stay_so(working, tmp_path):
    rng = np.random.default_rng(1)
    values = np.clip(30_000 + 900 * rng.standard_normal((40, 56, 3)), 0, 65_535).astype(np.uint16)
    path = tmp_path / "x.tif"
    noiseless.write(noiseless.from_array(values, channel_axis=-1), path)
    file = ready(working, path.read_bytes(), "scan.TIFF")
    assert file["picture"]["dtype"] == "uint16"
    assert file["picture"]["channels"] == 3
    low, high = file["picture"]["window"]
    assert 25_000 < low < high < 35_000
    job = finished(working, file["id"])
    assert job["result"]["name"] == "scan.denoised.TIFF" or job["result"]["name"] == "scan.denoised.tiff"
    answer = working.client.get(f"/api/jobs/{job['id']}/result")
    result = image_of(answer.content, tmp_path, ".tif")
    np.testing.assert_array_equal(result.stored(), noiseless.restore_image(noiseless.read(path)).image.stored())


def test_volumes_are_seen_slice_by_slice(working, tmp_path):
    nibabel = pytest.importorskip("nibabel")
    rng = np.random.default_rng(2)
    values = (1000 + 50 * rng.standard_normal((40, 44, 5))).astype(np.int16)
    path = tmp_path / "brain.nii.gz"
    nibabel.Nifti1Image(values, np.diag([1.0, 1.0, 2.0, 1.0])).to_filename(path)
    file = ready(working, path.read_bytes(), "brain.nii.gz")
    assert file["picture"]["slices"] == 5
    image = noiseless.read(path)
    job = finished(working, file["id"], sigma=50.0)
    assert job["result"]["name"] == "brain.denoised.nii.gz"
    low, high = file["picture"]["window"]
    for number in (0, 4):
        answer = working.client.get(f"/api/files/{file['id']}/tiles/noisy/{number}/0/0/0.png")
        expected = pictures.shown(image.stored()[:, number], low, high)
        np.testing.assert_array_equal(imagecodecs.png_decode(answer.content), expected)
    assert working.client.get(f"/api/jobs/{job['id']}/tiles/denoised/5/0/0/0.png").status_code == 404
    for kind in ("removed", "structure"):
        assert working.client.get(f"/api/jobs/{job['id']}/tiles/{kind}/4/0/0/0.png").status_code == 200


def test_slices_of_a_scanner_are_in_its_units(working, tmp_path):
    pydicom = pytest.importorskip("pydicom")
    path = Path(pydicom.data.get_testdata_file("CT_small.dcm"))
    file = ready(working, path.read_bytes(), "IM1.dcm")
    assert file["picture"]["unit"] == "HU"
    assert file["picture"]["range"] == [-896.0, 1167.0]
    assert "CompressedSamples" not in json.dumps(file)  # who it is stays in the file
    job = finished(working, file["id"], preset="ct")
    assert "HU" in job["headline"]
    answer = working.client.get(f"/api/jobs/{job['id']}/result")
    result = image_of(answer.content, tmp_path, ".dcm")
    expected = noiseless.restoration.preset_named("ct")
    restored = noiseless.restore_image(noiseless.read(path), expected.recipe, noise=expected.noise)
    np.testing.assert_array_equal(result.stored(), restored.image.stored())


def test_files_without_a_name_are_known_by_their_bytes(working, png):
    file = ready(working, png(), "IM000001")
    assert file["description"]["format"] == "PNG"
    assert finished(working, file["id"], sigma=15.0)["result"]["name"] == "IM000001.denoised.png"


def test_videos_come_back_as_videos(working, tmp_path):
    av = pytest.importorskip("av")
    path = tmp_path / "clip.mp4"
    rng = np.random.default_rng(0)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(4):
            frame = np.clip(128 + 10 * rng.standard_normal((48, 64, 3)), 0, 255).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame)))
        container.mux(stream.encode())
    file = ready(working, path.read_bytes(), "clip.mp4")
    assert file["kind"] == "video"
    assert "picture" not in file
    assert working.client.get(f"/api/files/{file['id']}/tiles/noisy/0/0/0/0.png").status_code == 404
    for wrong in ({"error": True}, {"method": "heat"}, {"noise": "rician"}, {"steps": 3}):
        assert working.job(file["id"], **wrong).status_code == 422
    job = finished(working, file["id"], model="tiny")
    assert job["state"] == "done", job
    assert job["result"]["name"] == "clip.denoised.mp4"
    assert "noiseless-serve-" not in json.dumps(job)
    result = tmp_path / "result.mp4"
    result.write_bytes(working.client.get(f"/api/jobs/{job['id']}/result").content)
    with noiseless.files.open_video(result) as video:
        assert len(list(video)) == 4


def test_bags_come_back_as_bags(working, tmp_path):
    pytest.importorskip("rosbags")
    path = _bag(tmp_path)
    file = ready(working, path.read_bytes(), "run.bag")
    assert file["kind"] == "bag"
    assert file["description"]["topics"][0]["name"] == "/camera"
    job = finished(working, file["id"], model="tiny")
    assert job["state"] == "done", job
    assert job["result"]["name"] == "run.denoised.bag"
    result = tmp_path / "result.bag"
    result.write_bytes(working.client.get(f"/api/jobs/{job['id']}/result").content)
    with noiseless.files.open_bag(result) as bag:
        assert bag.topics[0].count == 3


def _bag(folder):
    from rosbags.rosbag1 import Writer
    from rosbags.typesys import Stores, get_typestore

    store = get_typestore(Stores.ROS1_NOETIC)
    image, header, stamp = (
        store.types[name] for name in ("sensor_msgs/msg/Image", "std_msgs/msg/Header", "builtin_interfaces/msg/Time")
    )
    rng = np.random.default_rng(0)
    path = Path(folder) / "run.bag"
    with Writer(path) as writer:
        connection = writer.add_connection("/camera", image.__msgtype__, typestore=store)
        for number in range(3):
            frame = np.clip(128 + 10 * rng.standard_normal((32, 48)), 0, 255).astype(np.uint8)
            message = image(header(number, stamp(number, 0), "c"), 32, 48, "mono8", 0, 48, frame.reshape(-1))
            writer.write(connection, number * 10**9, store.serialize_ros1(message, image.__msgtype__))
    return path


def test_every_choice_is_explained():
    told = options()
    for kind in ("methods", "models", "presets", "noises"):
        for choice in told[kind]:
            assert choice["help"].endswith("."), choice
    assert [model["name"] for model in told["models"]] == ["base", "tiny", "camera"]
    assert {method["name"] for method in told["methods"]} == {"auto", *noiseless.METHODS}
    assert {preset["name"] for preset in told["presets"]} == set(noiseless.PRESETS)


@pytest.mark.parametrize(("height", "width", "levels"), [(1, 1, 1), (512, 512, 1), (513, 1, 2), (1024, 3000, 4)])
def test_pyramids_end_where_one_tile_holds_all(height, width, levels):
    assert levels_of(height, width) == levels


def test_tiles_of_a_pyramid_make_up_the_whole(tmp_path):
    rng = np.random.default_rng(0)
    noisy = rng.integers(0, 4000, (1, 600, 1100)).astype(np.uint16)
    clean = noisy - rng.integers(0, 5, noisy.shape).astype(np.uint16) * (noisy > 5)
    for name, array in (("noisy", noisy), ("clean", clean)):
        write_pyramid(planes_of(array), tmp_path / name)
    assert open_level(tmp_path / "noisy", 0).dtype == np.uint16
    for level in range(3):
        height, width = -(-600 // 2**level), -(-1100 // 2**level)
        whole = np.zeros((height, width), np.uint8)
        for row in range(-(-height // 512)):
            for column in range(-(-width // 512)):
                place = Place(0, level, row, column)
                part = imagecodecs.png_decode(tile_of_picture(tmp_path / "noisy", 3, place, (0.0, 4000.0)))
                whole[row * 512 : row * 512 + 512, column * 512 : column * 512 + 512] = part
        np.testing.assert_array_equal(whole, pictures.shown(pictures.reduced(noisy, level), 0.0, 4000.0))
    place = Place(0, 1, 0, 1)
    removed = pictures.reduced(noisy.astype(np.float32) - clean, 1)[0, :512, 512:1024]
    tile = imagecodecs.png_decode(tile_of_removed(tmp_path / "noisy", tmp_path / "clean", 3, place, 5.0))
    assert np.abs(tile.astype(int) - pictures.diverging(removed, 5.0)).max() <= 2


def test_scores_of_squares_lie_where_the_squares_are(tmp_path):
    write_pyramid(np.zeros((1, 1, 600, 1100), np.uint8), tmp_path / "noisy")
    z = np.zeros((1, 600 // 16, 1100 // 16), np.float32)
    z[0, 36, 67] = 1.0
    np.save(tmp_path / "z.npy", z)
    dark, light = (pictures.sequential(np.full((1, 1), value), 1.0)[0, 0] for value in (0.0, 1.0))
    for level, block in ((0, 16), (1, 8), (2, 4)):
        row, column = 36 * block, 67 * block
        place = Place(0, level, row // 512, column // 512)
        tile = imagecodecs.png_decode(tile_of_structure(tmp_path / "z.npy", tmp_path / "noisy", 3, place, 1.0))
        found = np.argwhere((tile == light).all(axis=-1)) + np.array([place.row * 512, place.column * 512])
        assert found.min(axis=0).tolist() == [row, column]
        assert found.max(axis=0).tolist() == [row + block - 1, column + block - 1]
        assert (tile == dark).all(axis=-1).sum() == tile.shape[0] * tile.shape[1] - block**2
