"""What the service does with requests that are long, deep, many or slow; more is in tests/apps/web."""

import asyncio
import json
import os
import re
import socket
import subprocess
import sys
import time
from contextlib import closing

import pytest

pytest.importorskip("fastapi")
httpx = pytest.importorskip("httpx")

from noiseless.apps.web import guarding  # noqa: E402  the packages may be absent
from noiseless.apps.web.file_names import cleaned  # noqa: E402
from noiseless.apps.web.limits import Limits  # noqa: E402
from noiseless.apps.web.service import Service  # noqa: E402

FORM = "multipart/form-data; boundary=x"
PATIENCE = 60.0


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """``noiseless serve``, as it is configured for everybody: (host, port)."""
    environment = {**os.environ, "TMPDIR": str(tmp_path_factory.mktemp("service")), "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        [sys.executable, "-m", "noiseless", "serve", "--port", "0"], stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        host, port = re.search(r"http://([^:]+):(\d+)", process.stdout.readline()).groups()
        yield host, int(port)
        process.terminate()
        process.wait(PATIENCE)


@pytest.fixture(scope="module")
def client(server):
    with httpx.Client(base_url=f"http://{server[0]}:{server[1]}", timeout=PATIENCE) as made:
        yield made


def answered(server, *pieces):
    """The first line of what the server says to these bytes; "" where it only closes the connection."""
    with closing(socket.create_connection(server, timeout=PATIENCE)) as connection:
        try:
            for piece in pieces:
                connection.sendall(piece)
            said = connection.recv(2**16)
        except (BrokenPipeError, ConnectionResetError):
            return ""
    return said.split(b"\r\n")[0].decode()


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"a" * 200_000 + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 50_000,
        b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"\r\n".join([b"Cookie: a"] * 50_000),
    ],
    ids=["line", "header", "headers", "cookies"],
)
def test_heads_that_are_long_are_refused(server, client, head):
    line = answered(server, head, b"\r\n\r\n")
    assert line == "" or line.startswith(("HTTP/1.1 400", "HTTP/1.1 431"))
    assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize(
    ("length", "status"), [(b"-1", "400"), (b"1" * 5000, "4"), (b"0x10", "400"), (b"10\r\nContent-Length: 20", "400")]
)
def test_lengths_that_are_none_are_refused(server, length, status):
    head = b"POST /api/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: "
    line = answered(server, head + length + b"\r\n\r\n")
    assert line == "" or line.startswith(f"HTTP/1.1 {status}")


def parts(count, name):
    return b"".join(
        b'--x\r\nContent-Disposition: form-data; name="' + name + b'"\r\n\r\n\r\n' for _ in range(count)
    ) + b"--x--\r\n"  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        parts(100_000, b"file"),
        parts(100_000, b"a"),
        b"--x\r\n" + b"A: b\r\n" * 100_000 + b"\r\n\r\n--x--\r\n",
        b'--x\r\nContent-Disposition: form-data; name="' + b"a" * 1_000_000 + b'"\r\n\r\n\r\n--x--\r\n',
        b"--x\r\nContent-Disposition: form-data" + b"; a=b" * 100_000 + b"\r\n\r\n\r\n--x--\r\n",
        b'--x\r\nContent-Disposition: form-data; name="settings"\r\n\r\n' + b"a" * 1_000_000 + b"\r\n--x--\r\n",
        b"\r\n" * 1_000_000,
        b"--x" * 500_000,
    ],
    ids=["files", "parts", "headers", "name", "words", "settings", "lines", "boundaries"],
)
def test_forms_that_are_long_are_refused_at_once(client, body):
    answer = client.post("/api/denoise", content=body, headers={"Content-Type": FORM})
    assert answer.status_code in (413, 422)
    assert len(answer.json()["error"]["message"]) < 300


@pytest.mark.parametrize(
    "text", ["[" * 60_000, '{"a":' * 10_000, '{"file": ' + "9" * 60_000 + "}", '"' + "\\u0041" * 9000]
)
def test_json_that_is_deep_or_long_is_refused(client, text):
    answer = client.post("/api/jobs", content=text.encode(), headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    assert len(answer.json()["error"]["message"]) < 1000


def test_connections_that_say_nothing_do_not_keep_others_out(server, client):
    """Not for ever: about a thousand of them would; a proxy before the service closes them."""
    quiet = [socket.create_connection(server, timeout=PATIENCE) for _ in range(100)]
    for each in quiet[:50]:
        each.sendall(b"GET / HTTP/1.1\r\nHost: lo")
    assert client.get("/healthz").status_code == 200
    for each in quiet:
        each.close()


def body_of(received, **headers):
    """What the guard tells an application that asks for a body which arrives as ``received`` says."""
    told = []

    async def application(scope, receive, send):
        try:
            while (await receive()).get("more_body"):
                pass
        except Exception as error:
            told.append(error)
            raise

    async def send(message):
        told.append(message)

    encoded = [(b"host", b"localhost"), *((name.encode(), value.encode()) for name, value in headers.items())]
    scope = {"type": "http", "method": "POST", "path": "/api/jobs", "headers": encoded}
    service = Service(Limits(), None, "cpu", (), lambda *_: None)
    try:
        asyncio.run(guarding.Guard(application, service)(scope, received, send))
    except Exception as error:
        told.append(error)
    finally:
        service.clear()
    return told


def test_a_client_that_falls_silent_within_a_body_is_let_go(monkeypatch):
    monkeypatch.setattr(guarding, "SILENCE", 0.05)
    pieces = iter([{"type": "http.request", "body": b"{", "more_body": True}])

    async def received():
        for piece in pieces:
            return piece
        await asyncio.sleep(PATIENCE)
        return None

    began = time.monotonic()
    told = body_of(received, **{"content-length": "10"})
    assert "silent" in str(told[0].detail)
    assert told[0].status_code == guarding.SLOW_CLIENT
    assert time.monotonic() - began < PATIENCE / 2


def test_a_body_that_is_longer_than_it_said_is_cut():
    async def received():
        return {"type": "http.request", "body": bytes(10_000), "more_body": True}

    told = body_of(received, **{"transfer-encoding": "chunked"})
    assert told[0].name == "TooLarge"


@pytest.mark.parametrize(
    "given", ["CON.png", "con", "nul.tar.png", "COM1.dcm", "lpt9", "AUX.nii.gz", "com¹.tif", "PRN .png"]
)
def test_names_of_devices_are_names_no_more(given):
    kept = cleaned(given)
    assert kept.startswith("_")
    assert cleaned(kept) == kept


@pytest.mark.parametrize("given", ["console.png", "auxiliary.tif", "com.png", "com10.png", "my con.png", "nullen.dcm"])
def test_names_that_only_begin_like_devices_stay(given):
    assert cleaned(given) == given


def test_an_answer_that_refuses_is_json_without_what_was_sent(client):
    answer = client.post("/api/jobs", content=b'{"file": "secret"}', headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert "secret" not in answer.text
    assert json.loads(answer.text)["error"]["name"] == "InvalidRequest"
