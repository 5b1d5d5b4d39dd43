"""Who may ask: hosts, pages of elsewhere, the token; and what every answer says to a browser."""

import socket

import httpx
import pytest

import noiseless
from noiseless.apps.web.guarding import is_loopback, names_of
from noiseless.apps.web.limits import Limits
from noiseless.apps.web.serving import serve

TOKEN = "0123456789abcdefT"


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "localhost.evil.example", "", "127.0.0.1.evil.example", "[::1", "a b"]
)
def test_other_names_of_this_machine_are_refused(prompt, told, host):
    """A page may point its own name at 127.0.0.1, and would then be of the same origin."""
    for path in ("/", "/api/options", "/healthz"):
        answer = prompt.client.get(path, headers={"Host": host})
        assert answer.status_code in (400, 403)
        if answer.status_code == 403:
            assert told(answer)[0] == "Forbidden"


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1:9000", "[::1]:8000", "localhost."])
def test_names_of_this_machine_are_taken(prompt, host):
    assert prompt.client.get("/healthz", headers={"Host": host}).status_code == 200


def test_names_that_were_given_are_taken(serving):
    served = serving(names=("Scans.example",))
    assert served.client.get("/healthz", headers={"Host": "scans.example"}).status_code == 200


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1", "http://localhost:1", "file://"]
)
def test_requests_by_pages_of_elsewhere_are_refused(prompt, told, origin):
    answer = prompt.client.post("/api/files/example", headers={"Origin": origin})
    assert answer.status_code == 403
    assert told(answer)[0] == "Forbidden"


def test_requests_by_its_own_page_are_taken(prompt):
    headers = {"Origin": prompt.url, "Sec-Fetch-Site": "same-origin"}
    assert prompt.client.post("/api/files/example", headers=headers).status_code == 202


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_pictures_and_frames_of_elsewhere_are_refused(prompt, site):
    assert prompt.client.get("/api/options", headers={"Sec-Fetch-Site": site}).status_code == 403
    assert prompt.client.get("/", headers={"Sec-Fetch-Site": site}).status_code == 200  # a link to the page


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer wrong", f"Bearer {TOKEN}x", f"Basic {TOKEN}", TOKEN, "Bearer \xe9"],
)
def test_without_the_token_nothing_is_answered(serving, told, authorization):
    served = serving(token=TOKEN)
    headers = {} if authorization is None else {"Authorization": authorization.encode("latin-1")}

    with httpx.Client(base_url=served.url) as client:
        for method, path in (("GET", "/api/options"), ("POST", "/api/files"), ("GET", "/api/jobs/x"), ("GET", "/api")):
            answer = client.request(method, path, headers=headers)
            assert answer.status_code == 401
            assert told(answer)[0] == "Unauthorised"
            assert answer.headers["www-authenticate"] == "Bearer"
        for path in ("/", "/healthz", "/metrics", "/openapi.json"):
            assert client.get(path).status_code == 200


def test_with_the_token_all_is_answered(locked, png):
    assert locked.client.get("/api/options").json()["token"] is True
    assert locked.upload(png()).status_code == 202
    assert locked.client.get("/api/options", headers={"Authorization": f"bearer {TOKEN}"}).status_code == 200
    assert TOKEN not in locked.client.get("/openapi.json").text


def test_every_answer_says_what_a_browser_may_do(prompt, png):
    key = prompt.ready_file(png())
    paths = ["/", "/assets/viewer.js", "/healthz", "/metrics", "/openapi.json", "/nothing", "/api/options", "/api/x"]
    paths += [f"/api/files/{key}", f"/api/files/{key}/tiles/noisy/9/9/9/9.png"]
    answers = [prompt.client.get(path) for path in paths]
    answers.append(prompt.client.get("/", headers={"Host": "evil.example"}))
    answers.append(prompt.client.post("/api/files", content=b"x"))
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert "access-control-allow-origin" not in answer.headers
        assert "server" not in answer.headers
        if "/api" in str(answer.request.url):
            assert answer.headers["cache-control"] == "no-store"


def test_a_mistake_of_ours_is_told_without_its_details(prompt, told, monkeypatch, png):
    def broken(*_):
        raise KeyError("the name of a patient")

    monkeypatch.setattr(type(prompt.service), "add_job", broken)
    answer = prompt.job(prompt.ready_file(png()))
    assert answer.status_code == 500
    assert told(answer)[0] == "Failed"
    assert "patient" not in answer.text
    assert answer.headers["cache-control"] == "no-store"


def test_the_page_is_served_and_asks_nothing_of_elsewhere(prompt):
    page = prompt.client.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "http://" not in page.text.replace("http://www.w3.org", "")
    assert "https://" not in page.text
    for name in ("viewer.js", "viewer.css", "page.js", "page.css"):
        asset = prompt.client.get(f"/assets/{name}")
        assert asset.status_code == 200
        assert asset.headers["content-type"].startswith("text/javascript" if name.endswith("js") else "text/css")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "scans.example"])
def test_other_machines_are_served_with_a_token_only(host):
    with pytest.raises(noiseless.InvalidParameter, match="--token"):
        serve(host=host, port=0, token=None, limits=Limits(), device="cpu", tell=print)


@pytest.mark.parametrize("token", ["", "short", "with a blank in it", "ünïcödé-ünïcödé-ünïcödé", "new\nline-new\nline"])
def test_tokens_that_can_be_guessed_or_typed_wrongly_are_refused(token):
    with pytest.raises(noiseless.InvalidParameter, match="16 or more"):
        serve(host="127.0.0.1", port=0, token=token, limits=Limits(), device="cpu", tell=print)


def test_an_address_that_is_taken_is_told():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(noiseless.InvalidParameter, match=f"127.0.0.1:{port}.*another --port"):
            serve(host="127.0.0.1", port=port, token=None, limits=Limits(), device="cpu", tell=print)


def test_hosts_are_known_for_what_they_are():
    assert all(map(is_loopback, ("localhost", "127.0.0.1", "127.3.2.1", "::1", "[::1]")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "10.0.0.1", "example.org", "")))
    assert names_of("0.0.0.0", ("box", "box.example", "")) == ("box", "box.example")


@pytest.mark.parametrize(
    ("limits", "word"),
    [({"bytes": 0}, "bytes"), ({"seconds": 0.0}, "seconds"), ({"minutes_kept": float("nan")}, "minutes-kept"),
     ({"workers": 10_000}, "workers"), ({"waiting": -1}, "waiting")],
)  # fmt: skip
def test_limits_out_of_range_are_refused(limits, word):
    with pytest.raises(noiseless.InvalidParameter, match=word):
        Limits(**limits)
