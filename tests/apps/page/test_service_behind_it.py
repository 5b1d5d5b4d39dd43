"""The page and the service behind it: queues, cancelling, tokens, losing each other, and leaving."""

import re
import signal
import socket
import time

from .given_files import photograph
from .person import denoise, hand_over, problem, saved, setting, text, wait_for_colours


def test_a_running_job_is_cancelled(page, server, tmp_path):
    here = page()
    hand_over(here, photograph(tmp_path, 700, 700)[0])
    setting(here, "#method", "ensemble")
    with here.expect_response(lambda answer: answer.url.endswith("/api/jobs")) as created:
        here.click("#denoise")
    key = created.value.json()["id"]
    here.wait_for_function("() => Number(document.querySelector('#running-bar').getAttribute('aria-valuenow')) > 0")
    assert text(here, "#running-text")
    assert here.evaluate("() => document.activeElement.id") == "cancel"
    with here.expect_response(lambda answer: answer.request.method == "DELETE") as deleted:
        here.click("#cancel")
    assert deleted.value.status == 204
    assert here.is_visible("#denoise")
    assert not here.is_visible("#running")
    assert server.status(f"api/jobs/{key}") == 404
    assert here.evaluate("() => document.activeElement.id") == "denoise"


def test_a_full_queue_is_waited_for(page, tmp_path):
    here = page()
    hand_over(here, photograph(tmp_path)[0])
    setting(here, "#predict", False)
    asked = []

    def answer(route):
        asked.append(time.monotonic())
        if len(asked) > 1:
            route.continue_()
            return
        body = {"error": {"name": "QueueFull", "message": "16 wait already"}}
        route.fulfill(status=429, json=body, headers={"Retry-After": "1"})

    here.route("**/api/jobs", answer)
    here.click("#denoise")
    here.wait_for_selector("#running-text:has-text('Trying again in 1 s')")
    here.wait_for_selector("#download:not([hidden])")
    assert len(asked) == 2
    assert asked[1] - asked[0] >= 0.95


def test_a_service_that_is_gone_and_comes_back_is_told_and_the_file_sent_again(page, starting, tmp_path):
    first = starting()
    here = page(first.url)
    hand_over(here, photograph(tmp_path, 400, 400)[0])
    setting(here, "#method", "ensemble")
    here.click("#denoise")
    here.wait_for_function("() => document.querySelector('#running-bar').hasAttribute('aria-valuenow')")
    first.end(signal.SIGKILL)
    here.wait_for_selector("#running-text:has-text('does not answer')")
    assert "The service does not answer" in problem(here, "#work-problem")
    starting(port=first.port)
    here.get_by_role("button", name="Try again").click()
    here.wait_for_selector("#work-problem .problem:has-text('no longer has this file')")
    here.get_by_role("button", name="Send the file again").click()
    here.wait_for_selector("#work:not([hidden])")
    assert text(here, "#name") == "photo.png"
    assert not here.is_visible(".problem")
    assert here.is_enabled("#denoise")


def test_a_service_that_never_answers_is_told_at_the_start(page, tmp_path):
    here = page()
    here.route("**/api/**", lambda route: route.abort())
    here.set_input_files("#file", str(photograph(tmp_path)[0]))
    assert "The service does not answer" in problem(here)
    here.unroute_all()
    here.get_by_role("button", name="Try again").click()
    here.wait_for_selector("#work:not([hidden])")


TOKEN = "open-sesame-0123456789"


def test_a_token_is_asked_for_kept_in_this_tab_and_taken_from_the_address(page, starting, tmp_path):
    guarded = starting("--token", TOKEN)
    here = page(guarded.url)
    here.wait_for_selector("#token-dialog[open]")
    here.keyboard.press("Escape")
    assert "A token is needed" in problem(here)
    here.get_by_role("button", name="Try again").click()
    here.wait_for_selector("#token-dialog[open]")
    assert not here.is_visible("#token-wrong")
    here.fill("#token", "wrong-wrong-wrong-wrong")
    here.keyboard.press("Enter")
    here.wait_for_selector("#token-wrong:visible")
    here.fill("#token", TOKEN)
    here.keyboard.press("Enter")
    here.wait_for_selector("#token-dialog:not([open])", state="attached")
    here.wait_for_selector("#formats:has-text('PNG')")
    hand_over(here, photograph(tmp_path)[0])
    assert here.evaluate("() => [sessionStorage.token, localStorage.length]") == [TOKEN, 0]

    other = page(f"{guarded.url}#token={TOKEN}")
    other.wait_for_selector("#formats:has-text('PNG')")
    assert other.url == guarded.url
    hand_over(other, photograph(tmp_path)[0])
    wait_for_colours(other, [(9, 9)], (96, 128), [photograph(tmp_path)[1][9, 9]])


def test_two_tabs_do_not_disturb_each_other_and_leaving_deletes_the_file(page, server, tmp_path):
    path = photograph(tmp_path)[0]
    left, right = page(), page()
    keys = []
    for tab in (left, right):
        with tab.expect_response(lambda answer: answer.url.endswith("/api/files")) as created:
            hand_over(tab, path)
        keys.append(created.value.json()["id"])
    setting(right, "#predict", False)
    assert [server.status(f"api/files/{key}") for key in keys] == [200, 200]
    left.goto("about:blank")
    end = time.monotonic() + 10
    while server.status(f"api/files/{keys[0]}") != 404:
        assert time.monotonic() < end
        time.sleep(0.05)
    denoise(right)
    assert server.status(f"api/files/{keys[1]}") == 200
    # A reload asks first while there is a result that nobody has saved.
    asked = []
    right.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    right.evaluate("() => { setTimeout(() => location.reload(), 0); }")
    right.wait_for_timeout(400)
    assert asked == ["beforeunload"]
    assert right.is_visible("#download")
    saved(right, "#download")
    right.reload()
    assert asked == ["beforeunload"]
    right.wait_for_selector("#start:not([hidden])")


def test_a_page_that_comes_back_from_the_memory_of_the_browser_says_that_its_file_is_gone(page, tmp_path):
    here = page()
    hand_over(here, photograph(tmp_path)[0])
    here.evaluate("() => dispatchEvent(new PageTransitionEvent('pagehide', {persisted: true}))")
    here.evaluate("() => dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    assert "deleted when the page was left" in problem(here)
    here.get_by_role("button", name="Send the file again").click()
    here.wait_for_selector("#work:not([hidden])")


def test_another_file_takes_the_place_of_the_first(page, server, tmp_path):
    here = page()
    with here.expect_response(lambda answer: answer.url.endswith("/api/files")) as created:
        hand_over(here, photograph(tmp_path)[0])
    key = created.value.json()["id"]
    here.set_input_files("#file", str(photograph(tmp_path, name="other.png")[0]))
    here.wait_for_selector("#name:has-text('other.png')")
    assert here.is_visible("#work")
    assert server.status(f"api/files/{key}") == 404


def test_the_page_asks_nothing_of_others_and_runs_no_script_of_others(page, server):
    here = page()
    with socket.create_connection(("127.0.0.1", server.port)):
        answer = here.request.get(server.url)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    source = answer.text()
    assert not re.search(r"https?://(?!www\.w3\.org)|<script(?![^>]*\bsrc=)|\sstyle=|\son\w+=", source)
