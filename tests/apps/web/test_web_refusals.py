"""Bad input is refused with a status, a name and one line; and nothing of it stays on the disk."""

import builtins
import pathlib
import re
import struct
import zlib
from dataclasses import replace

import httpx
import numpy as np
import pytest

import noiseless
from noiseless.apps.web import tasks
from noiseless.apps.web.file_names import attachment, cleaned, known_suffix, name_of_result
from noiseless.apps.web.processes import Start

FORM = "multipart/form-data; boundary=x"


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_bomb(side=100_000):
    """A few hundred bytes that claim 10^10 pixels."""
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


def tiff_bomb(side=100_000):
    """One compressed strip that claims 10^10 pixels."""
    strip = zlib.compress(bytes(100_000))
    tags = [(256, 4, side), (257, 4, side), (258, 3, 8), (259, 3, 8), (262, 3, 1), (273, 4, 8), (277, 3, 1),
            (278, 4, side), (279, 4, len(strip))]  # fmt: skip
    start = 8 + len(strip) + len(strip) % 2
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    directory = struct.pack("<H", len(tags)) + entries + bytes(4)
    return b"II*\0" + struct.pack("<I", start) + strip + bytes(len(strip) % 2) + directory


@pytest.mark.parametrize(
    ("name", "content", "status", "error"),
    [
        ("notes.txt", b"dear diary", 415, "UnsupportedFormat"),
        ("page.html", b"<script>alert(1)</script>", 415, "UnsupportedFormat"),
        ("photo.png", b"", 422, "UnreadableFile"),
        ("photo.png", b"GIF89a, whatever its name says", 422, "UnreadableFile"),
        ("clip.mp4", b"", 422, "UnreadableFile"),
    ],
)
def test_what_no_reader_takes_is_refused_at_once(prompt, told, name, content, status, error):
    before = prompt.left()
    answer = prompt.upload(content, name)
    assert answer.status_code == status
    assert told(answer)[0] == error
    assert name in told(answer)[1]
    assert prompt.left() == before
    assert f'noiseless_refused_total{{reason="{error}"}} ' in prompt.client.get("/metrics").text


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("bomb.png", png_bomb()),
        ("bomb.tif", tiff_bomb()),
        ("cut.png", b"\x89PNG\r\n\x1a\n" + bytes(100)),
        ("noise.mp4", b"\0" * 5000),
        ("broken.bag", b"#ROSBAG V2.0\n" + b"\xff" * 100),
        ("broken.nii.gz", b"\x1f\x8b" + b"\xff" * 100),
    ],
)
def test_what_a_worker_cannot_read_fails_and_leaves_nothing(working, told, name, content):
    key = working.upload(content, name).raise_for_status().json()["id"]
    file = working.wait(f"/api/files/{key}", "failed")
    assert file["error"]["name"] in ("UnreadableFile", "UnsupportedFormat")
    assert name in file["error"]["message"]
    assert "noiseless-serve-" not in file["error"]["message"]
    assert key not in working.left()
    refused = working.job(key)
    assert refused.status_code == 409
    assert told(refused)[0] == "NotReady"
    in_one = working.client.post("/api/denoise", files={"file": (name, content)})
    assert in_one.status_code in (415, 422)
    assert told(in_one) == (file["error"]["name"], file["error"]["message"])


def test_a_picture_of_too_many_pixels_says_the_bound(working):
    key = working.upload(png_bomb(), "bomb.png").json()["id"]
    message = working.wait(f"/api/files/{key}", "failed")["error"]["message"]
    assert "100000 x 100000" in message
    assert "4000000" in message


def test_an_image_that_needs_too_much_memory_is_refused(tmp_path, png):
    path = tmp_path / "upload.png"
    path.write_bytes(png(48, 64))
    message = {"upload": str(path), "folder": str(tmp_path), "kind": "image", "name": "a.png"}
    needed = 48 * 64 * 64  # bytes a value
    start = Start(str(tmp_path), 1, memory_bytes=needed - 1, pixels=10**6, device="cpu")
    with pytest.raises(noiseless.InvalidImage, match=r"memory.*command line"):
        tasks.read(message, start, lambda share, text: None, lambda values: None)
    assert [item.name for item in tmp_path.iterdir()] == ["upload.png"]
    told = tasks.read(message, replace(start, memory_bytes=needed), lambda share, text: None, lambda values: None)
    assert told["picture"]["width"] == 64


def test_an_upload_that_says_it_is_too_large_is_refused(prompt, told):
    before = prompt.left()
    answer = prompt.upload(bytes(500_000))
    assert answer.status_code == 413
    assert told(answer)[0] == "TooLarge"
    assert prompt.left() == before


def test_an_upload_that_does_not_say_so_is_refused_on_the_way(prompt, told):
    before = prompt.left()
    taken = 0

    def endless():
        nonlocal taken
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
        for _ in range(1000):
            taken += 100_000
            yield bytes(100_000)

    headers = {"Content-Type": FORM}
    try:
        answer = prompt.client.post("/api/files", content=endless(), headers=headers)
    except httpx.HTTPError:  # the connection is closed while the client still sends; most hear the answer first
        answer = None
    assert taken < 80_000_000
    if answer is not None:
        assert answer.status_code == 413
        assert told(answer)[0] == "TooLarge"
    assert prompt.left() == before


def test_json_that_is_too_large_is_refused(prompt, told):
    for body in (b'{"file": "' + bytes(100_000) + b'"}', iter([b"[" * 50_000, b"[" * 50_000])):
        answer = prompt.client.post("/api/jobs", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 413
        assert told(answer)[0] == "TooLarge"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", FORM),
        (b"--x--\r\n", FORM),
        (b"nonsense", FORM),
        (b"nonsense", "multipart/form-data"),
        (b"nonsense", f"multipart/form-data; boundary={'x' * 80}"),
        (b"nonsense", "application/octet-stream"),
        (b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\nabc', FORM),
        (b'--x\r\nContent-Disposition: form-data; name="other"\r\n\r\nabc\r\n--x--\r\n', FORM),
        (b"--x\r\n" + b"A: b\r\n" * 50 + b"\r\nabc\r\n--x--\r\n", FORM),
    ],
)  # fmt: skip
def test_a_form_that_is_none_is_refused(prompt, told, body, kind):
    before = prompt.left()
    answer = prompt.client.post("/api/files", content=body, headers={"Content-Type": kind})
    assert answer.status_code == 422
    assert told(answer)[0] == "InvalidRequest"
    assert prompt.left() == before


def test_one_file_is_taken_at_a_time(prompt, told, png):
    before = prompt.left()
    answer = prompt.client.post("/api/files", files=[("file", ("a.png", png())), ("file", ("b.png", png()))])
    assert answer.status_code == 422
    assert "several" in told(answer)[1]
    assert prompt.left() == before


TRICKS = [
    ("../../etc/passwd.png", "passwd.png"),
    ("..\\..\\windows\\system.png", "system.png"),
    ("/etc/cron.d/x.png", "x.png"),
    ("C:\\x.png", "x.png"),
    ("a\0b.png", "ab.png"),
    ("a\r\nSet-Cookie: x.png", "aSet-Cookie_ x.png"),
    ('a"; filename="b.png', "a_; filename=_b.png"),
    ("cat‮gnp.exe.png", "catgnp.exe.png"),  # it turns the direction of the text
    ("Bräcke 橋.png", "Bräcke 橋.png"),
    ("a" * 3000 + ".png", "a" * 116 + ".png"),
    (".png", "image.png"),
    ("..", "image"),
    ("", "image"),
]


@pytest.mark.parametrize(("given", "kept"), TRICKS)
def test_names_lose_what_could_do_harm(given, kept):
    assert cleaned(given) == kept
    assert cleaned(cleaned(given)) == kept
    offered = attachment(name_of_result(kept, known_suffix(kept)))
    assert offered.isascii()
    assert offered.isprintable()
    assert re.fullmatch(r"attachment; filename=\"[^\"\\]*\"; filename\*=UTF-8''[^ \";]*", offered)


@pytest.mark.parametrize("name", [given for given, _ in TRICKS if given and "\0" not in given and "\r" not in given])
def test_no_name_of_an_upload_is_a_path(prompt, png, name, tmp_path):
    before = prompt.left()
    encoded = name.replace("\\", "\\\\").replace('"', '\\"').encode()
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="' + encoded + b'"\r\n\r\n'
    body = head + png() + b"\r\n--x--\r\n"
    headers = {"Content-Type": FORM}
    answer = prompt.client.post("/api/files", content=body, headers=headers)
    assert answer.status_code == 202, answer.text
    (folder,) = set(prompt.left()) - set(before)
    assert {path.name for path in (prompt.root / folder).iterdir()} - {"noisy"} in ({"upload.png"}, {"upload"})


@pytest.mark.parametrize(
    "settings",
    [
        {"model": "/etc/passwd"},
        {"model": "../base.safetensors"},
        {"model": "base-gray"},
        {"method": "experts:path=/etc/passwd"},
        {"method": "experts:path=passwd"},
        {"method": "experts", "model": "tiny"},
        {"method": "score:model=/etc/passwd"},
        {"method": "score:model=x.safetensors"},
        {"method": "score:model=tiny,model=/etc/passwd"},
        {"method": "non-local-means:patch=/etc/passwd"},
        {"method": "score:precision=../x"},
        {"preset": "../../etc/passwd"},
        {"noise": "/etc/passwd"},
        {"sampler": "/etc/passwd"},
    ],
)
def test_no_setting_reaches_a_file(prompt, told, monkeypatch, png, settings):
    key = prompt.ready_file(png())
    monkeypatch.chdir(prompt.root)
    opened = []
    for place, name in ((builtins, "open"), (pathlib.Path, "open"), (pathlib.Path, "read_bytes")):
        kept = getattr(place, name)

        def noting(path, *rest, kept=kept, **named):
            opened.append(str(path))
            return kept(path, *rest, **named)

        monkeypatch.setattr(place, name, noting)
    answer = prompt.job(key, **settings)
    assert answer.status_code == 422
    assert told(answer)[0] in ("UnknownName", "InvalidParameter")
    assert not [path for path in opened if "passwd" in path or "x.safetensors" in path]


@pytest.mark.parametrize(
    "settings",
    [
        {"strength": 5.0},
        {"strength": "1"},
        {"strength": None, "steps": 0},
        {"steps": 10**9},
        {"steps": 1.5},
        {"samples": 1},
        {"seed": -1},
        {"bound": 0.0},
        {"sigma": -1.0},
        {"sigma": 1e300},
        {"error": 1},
        {"colour": "red"},
        {"budget_s": 10.0},
        {"tile": 8},
    ],
)
def test_settings_out_of_range_are_refused_with_their_name(prompt, told, png, settings):
    key = prompt.ready_file(png())
    answer = prompt.job(key, **settings)
    assert answer.status_code == 422
    name, message = told(answer)
    assert name == "InvalidRequest"
    assert any(word in message for word in settings)


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_are_not_finite_are_refused(prompt, told, png, text):
    body = f'{{"file": "{prompt.ready_file(png())}", "settings": {{"sigma": {text}}}}}'
    answer = prompt.client.post("/api/jobs", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert told(answer)[0] == "InvalidRequest"


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"sigma": 5.0, "noise": "rician"}, "InvalidParameter", "contradict"),
        ({"noise": "correlated:25,1e9"}, "InvalidParameter", "width"),
        ({"noise": "snow"}, "UnknownName", "snow"),
        ({"method": "magic"}, "UnknownName", "magic"),
        ({"preset": "foto"}, "UnknownName", "photo"),
        ({"model": "camera"}, "InvalidParameter", "gray"),
        ({"sampler": "fast"}, "UnknownName", "fast"),
    ],
)
def test_settings_that_make_no_sense_are_refused_as_by_the_library(prompt, told, png, settings, error, words):
    answer = prompt.job(prompt.ready_file(png()), **settings)
    assert answer.status_code == 422
    assert told(answer)[0] == error
    assert words in told(answer)[1]


def test_settings_in_a_form_are_checked_too(serving, told, png):
    served = serving()
    for text in ("{", '{"colour": 1}', '{"sigma": NaN}', "[" * 60_000):
        worker = served.crew[0]
        before = len(worker.asked)
        answer = served.client.post("/api/denoise", files={"file": ("a.png", png())}, data={"settings": text})
        assert answer.status_code == 422, text[:20]
        assert told(answer)[0] == "InvalidRequest"
        assert len(worker.asked) == before or not worker.alive
    assert served.left() == []


def test_tiles_that_are_not_there_are_not_found(working, told, png):
    key = working.upload(png()).json()["id"]
    working.wait(f"/api/files/{key}", "ready")
    good = f"/api/files/{key}/tiles/noisy/0/0/0/0.png"
    assert working.client.get(good).status_code == 200
    for place in ("1/0/0/0", "0/1/0/0", "0/0/1/0", "0/0/0/1", f"0/0/0/{2**31 - 1}"):
        answer = working.client.get(f"/api/files/{key}/tiles/noisy/{place}.png")
        assert answer.status_code == 404
        assert told(answer)[0] == "NotFound"
    for query in ("low=nan", "low=5&high=5", "low=5&high=1", "low=x", "high=-inf"):
        assert working.client.get(f"{good}?{query}").status_code == 422
    for place in ("-1/0/0/0", "a/0/0/0", f"{2**40}/0/0/0"):
        assert working.client.get(f"/api/files/{key}/tiles/noisy/{place}.png").status_code == 422


def test_unknown_ids_and_paths_are_not_found(prompt, told):
    key = "a" * 32
    paths = ("/api/files/x", f"/api/files/{key}", f"/api/jobs/{key}", "/api/jobs", "/nothing", "/assets/x")
    for path in (*paths, "/assets/..%2f..%2fservice.py", "/api/files/..%2flock"):
        answer = prompt.client.get(path)
        assert answer.status_code in (404, 405)
        assert told(answer)[0] in ("NotFound", "MethodNotAllowed")
    assert prompt.client.get("/docs").status_code == 404


def test_nothing_lists_what_there_is(prompt, png):
    key = prompt.ready_file(png())
    for path in ("/", "/api/options", "/healthz", "/metrics", "/openapi.json"):
        assert key not in prompt.client.get(path).text
    assert len(np.unique([prompt.ready_file(png()) for _ in range(3)])) == 3
