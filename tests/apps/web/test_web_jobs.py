"""Jobs: their queue, their limits, who may cancel them, what stays of them."""

import json
import socket
import threading
import time

import httpx
import pytest


def events_of(served, path, seen):
    """Follow something in a thread; the thread."""

    def follow():
        with served.client.stream("GET", f"{path}/events") as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            seen.extend(json.loads(line[6:]) for line in answer.iter_lines() if line.startswith("data: "))

    thread = threading.Thread(target=follow)
    thread.start()
    return thread


def test_a_job_goes_from_waiting_to_done_and_its_watchers_see_it(serving, png, denoised, until):
    served = serving()
    key = served.ready_file(png())
    first = served.job(key, strength=0.5)
    assert first.status_code == 202
    assert first.headers["location"] == f"/api/jobs/{first.json()['id']}"
    second = served.job(key).json()
    assert (second["state"], second["place"]) == ("waiting", 1)
    running = first.json()["id"]
    watched = [[], [], []]
    threads = [events_of(served, f"/api/jobs/{running}", seen) for seen in watched]
    until(lambda: all(watched))
    worker = served.doing(running)
    assert worker.asked[-1]["settings"] == {"strength": 0.5}
    worker.says(share=0.5, text="removing the noise")
    half = {"share": 0.5, "text": "removing the noise"}
    until(lambda: all(seen[-1]["progress"] == half for seen in watched))
    worker.says(done=denoised)
    for thread in threads:
        thread.join(30.0)
    for seen in watched:
        assert seen[0]["state"] == "running"
        assert seen[-1]["state"] == "done"
        assert seen[-1] == served.client.get(f"/api/jobs/{running}").json()
    done = seen[-1]
    assert done["result"]["name"] == "x.denoised.png"
    assert done["pictures"] == {
        "error": False, "structure": False, "removed_limit": 1.0, "error_limit": None, "structure_limit": None,
    }  # fmt: skip
    assert served.wait(f"/api/jobs/{second['id']}", "running")
    figures = served.client.get("/metrics").text
    assert 'noiseless_jobs_total{state="done"} 1.0' in figures
    assert "noiseless_busy_workers 1.0" in figures


def test_a_picture_is_seen_before_its_noise_is_known(serving, png, read, until):
    served = serving()
    key = served.upload(png()).json()["id"]
    tile = f"/api/files/{key}/tiles/noisy/0/0/0/0.png"
    assert served.client.get(tile).status_code == 409
    worker = served.doing(key)
    worker.leave()
    noise = read.pop("noise")
    worker.says(found=read)
    until(lambda: served.client.get(f"/api/files/{key}").json().get("picture") == read["picture"])
    assert served.client.get(f"/api/files/{key}").json()["state"] == "reading"
    assert served.client.get(tile).status_code == 200
    assert served.job(key).status_code == 409
    worker.says(done={**read, "noise": noise})
    assert served.wait(f"/api/files/{key}", "ready")["noise"] == noise


def test_a_full_queue_refuses_jobs_and_uploads_and_says_when_to_come_back(serving, told, png):
    served = serving(waiting=2)
    key = served.ready_file(png())
    accepted = [served.job(key).json()["id"] for _ in range(3)]  # one runs, two wait
    refused = served.job(key)
    assert refused.status_code == 429
    assert told(refused)[0] == "QueueFull"
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    in_one = served.client.post("/api/denoise", files={"file": ("a.png", png())})
    assert in_one.status_code == 429
    for _ in range(2):
        assert served.upload(png()).status_code == 202
    assert served.upload(png()).status_code == 429
    assert served.client.post("/api/files/example").status_code == 429
    assert 'noiseless_refused_total{reason="QueueFull"} 4.0' in served.client.get("/metrics").text
    assert served.client.delete(f"/api/jobs/{accepted[1]}").status_code == 204
    assert served.job(key).status_code == 202
    assert served.job(key).status_code == 429


def test_jobs_that_wait_move_up_and_can_be_cancelled(serving, png, until):
    served = serving()
    key = served.ready_file(png())
    running, first, second = (served.job(key).json()["id"] for _ in range(3))
    assert served.client.get(f"/api/jobs/{second}").json()["place"] == 2
    seen = []
    thread = events_of(served, f"/api/jobs/{first}", seen)
    until(lambda: seen)
    worker = served.doing(running)
    assert served.client.delete(f"/api/jobs/{first}").status_code == 204
    thread.join(30.0)
    assert seen[-1]["state"] == "cancelled"
    assert served.client.get(f"/api/jobs/{first}").status_code == 404
    assert served.client.get(f"/api/jobs/{second}").json()["place"] == 1
    assert worker.alive  # what runs is not touched
    assert first not in served.left()


def test_a_job_that_runs_is_cancelled_by_ending_its_process(serving, png, denoised):
    served = serving()
    key = served.ready_file(png())
    running, waiting = (served.job(key).json()["id"] for _ in range(2))
    worker = served.doing(running)
    assert served.client.delete(f"/api/jobs/{running}").status_code == 204
    assert not worker.alive
    another = served.doing(waiting)
    assert another is not worker
    worker.says(done=denoised)  # too late, and for nobody
    assert served.client.get(f"/api/jobs/{waiting}").json()["state"] == "running"
    another.says(done=denoised)
    served.wait(f"/api/jobs/{waiting}", "done")
    assert 'noiseless_jobs_total{state="cancelled"} 1.0' in served.client.get("/metrics").text


def test_what_takes_too_long_ends(serving, png, told):
    served = serving(seconds=0.5)
    key = served.ready_file(png())
    running = served.job(key).json()["id"]
    worker = served.doing(running)
    job = served.wait(f"/api/jobs/{running}", "failed")
    assert job["error"]["name"] == "TimedOut"
    assert "0.5 s" in job["error"]["message"]
    assert not worker.alive
    slow = served.upload(png()).json()["id"]
    assert served.wait(f"/api/files/{slow}", "failed")["error"]["name"] == "TimedOut"
    assert {running, slow}.isdisjoint(served.left())
    answer = served.client.post("/api/denoise", files={"file": ("a.png", png())})
    assert answer.status_code == 504
    assert told(answer)[0] == "TimedOut"


def test_a_worker_that_dies_takes_its_job_along_and_nothing_else(serving, png, denoised):
    served = serving()
    key = served.ready_file(png())
    running, waiting = (served.job(key).json()["id"] for _ in range(2))
    served.doing(running).says(gone=True, code=-9)
    assert served.wait(f"/api/jobs/{running}", "failed")["error"]["name"] == "WorkerDied"
    served.doing(waiting).says(done=denoised)
    served.wait(f"/api/jobs/{waiting}", "done")
    health = served.client.get("/healthz").json()
    assert (health["status"], health["workers"], health["ready"]) == ("ok", 1, 1)


def test_a_service_without_workers_says_that_it_is_ill(serving, until):
    served = serving()
    (worker,) = served.crew
    until(lambda: worker.ready)
    worker.ready = False  # as if it were loading still
    assert served.client.get("/healthz").json()["status"] == "loading"
    worker.says(gone=True, code=1)
    until(lambda: served.client.get("/healthz").status_code == 503)
    assert served.client.get("/healthz").json()["status"] == "failing"


def test_a_file_goes_with_its_jobs(serving, png):
    served = serving()
    key = served.ready_file(png())
    running, waiting = (served.job(key).json()["id"] for _ in range(2))
    worker = served.doing(running)
    assert served.client.delete(f"/api/files/{key}").status_code == 204
    for path in (f"files/{key}", f"jobs/{running}", f"jobs/{waiting}"):
        assert served.client.get(f"/api/{path}").status_code == 404
    assert not worker.alive
    assert served.left() == []
    assert "noiseless_disk_bytes 0.0" in served.client.get("/metrics").text


def test_a_file_can_be_deleted_while_it_is_read(serving, png):
    served = serving()
    key = served.upload(png()).json()["id"]
    worker = served.doing(key)
    assert served.job(key).status_code == 409
    assert served.client.delete(f"/api/files/{key}").status_code == 204
    assert not worker.alive
    assert served.left() == []


def test_what_is_not_used_is_deleted(serving, png, denoised, until):
    served = serving(minutes_kept=1.0 / 60.0)
    key = served.ready_file(png())
    job = served.job(key).json()["id"]
    time.sleep(1.5)
    assert served.client.get(f"/api/jobs/{job}").json()["state"] == "running"  # work is not idle
    served.doing(job).says(done=denoised)
    until(lambda: served.left() == [], 10.0)
    assert served.client.get(f"/api/files/{key}").status_code == 404
    assert served.client.get(f"/api/jobs/{job}").status_code == 404


def test_the_disk_is_bounded(serving, told, png):
    content = png()
    served = serving(disk_bytes=3 * len(content))
    keys = [served.upload(content).json()["id"] for _ in range(2)]
    refused = served.upload(content)
    assert refused.status_code == 507
    assert told(refused)[0] == "StorageFull"
    assert "retry-after" in refused.headers
    assert len(served.left()) == 2
    served.client.delete(f"/api/files/{keys[0]}")
    assert served.upload(content).status_code == 202


def test_the_number_of_files_is_bounded(serving, png):
    served = serving(files=2)
    assert [served.upload(png()).status_code for _ in range(3)] == [202, 202, 507]


def test_the_number_of_jobs_is_bounded(serving, told, png):
    served = serving(files=2)
    key = served.ready_file(png())
    answers = [served.job(key) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [202, 202, 507]
    assert told(answers[-1])[0] == "StorageFull"


def test_uploads_are_read_before_jobs_but_not_for_ever(serving, png, until):
    served = serving(waiting=30)
    key = served.ready_file(png())
    running = served.job(key).json()["id"]
    waiting = served.job(key).json()["id"]
    for _ in range(6):
        served.upload(png())
    order = []
    worker = served.doing(running)
    for _ in range(7):
        count = len(worker.asked)
        worker.says(failed={"name": "UnreadableFile", "message": "no"})
        until(lambda count=count: len(worker.asked) > count)
        order.append(worker.asked[-1]["task"])
    assert order == ["read", "read", "read", "read", "denoise", "read", "read"]
    assert served.client.get(f"/api/jobs/{waiting}").json()["state"] == "failed"


def test_a_client_of_the_short_way_that_goes_away_ends_its_job(serving, png, read, until):
    served = serving()

    def ask():
        with httpx.Client(base_url=served.url, timeout=1.5) as client, pytest.raises(httpx.ReadTimeout):
            client.post("/api/denoise", files={"file": ("a.png", png())})

    thread = threading.Thread(target=ask)
    thread.start()
    until(lambda: served.crew[0].asked)
    worker = served.crew[0]
    worker.says(done=read)
    until(lambda: len(worker.asked) == 2)
    assert worker.asked[-1]["task"] == "denoise"
    thread.join(30.0)
    until(lambda: not worker.alive)
    until(lambda: served.left() == [])
    assert served.service.queue.promised == 0


def test_a_client_that_goes_away_in_the_middle_of_an_upload_leaves_nothing(serving, until):
    served = serving()
    host, port = served.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        head = f"POST /api/files HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Length: 9000000\r\n"
        connection.sendall(head.encode() + b"Content-Type: multipart/form-data; boundary=x\r\n\r\n")
        connection.sendall(b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n')
        connection.sendall(bytes(3_000_000))
        until(served.left)
        assert served.service.queue.uploading == 1
    until(lambda: served.left() == [])
    assert served.service.queue.uploading == 0
    assert served.service.store.used == 0


def test_a_watcher_that_goes_away_is_forgotten(serving, png, until):
    served = serving()
    key = served.ready_file(png())
    job = served.job(key).json()["id"]
    with served.client.stream("GET", f"/api/jobs/{job}/events") as answer:
        lines = answer.iter_lines()  # kept: where it is let go, the connection is closed
        next(lines)
        assert served.service.jobs[job].watchers == 1
    until(lambda: served.service.jobs[job].watchers == 0)


def test_silent_streams_show_that_they_live(serving, png, monkeypatch):
    from noiseless.apps.web import events

    monkeypatch.setattr(events, "HEARTBEAT", 0.2)
    served = serving()
    key = served.upload(png()).json()["id"]
    with served.client.stream("GET", f"/api/files/{key}/events") as answer:
        lines = answer.iter_lines()
        assert next(line for line in lines if line.startswith(":"))


def test_two_tabs_work_side_by_side(serving, png, denoised):
    served = serving(workers=2)
    with httpx.Client(base_url=served.url) as one, httpx.Client(base_url=served.url) as two:
        keys = [served.ready_file(png(seed=seed)) for seed in range(2)]
        jobs = [
            tab.post("/api/jobs", json={"file": key, "settings": {}}).json()["id"]
            for tab, key in zip((one, two), keys, strict=True)
        ]
        workers = [served.doing(job) for job in jobs]
        assert workers[0] is not workers[1]
        one.delete(f"/api/files/{keys[0]}")
        assert two.get(f"/api/jobs/{jobs[1]}").json()["state"] == "running"
        workers[1].says(done=denoised)
        served.wait(f"/api/jobs/{jobs[1]}", "done")


def test_jobs_that_run_when_the_server_stops_are_told(serving, png, until):
    served = serving()
    key = served.ready_file(png())
    job = served.job(key).json()["id"]
    seen = []
    thread = events_of(served, f"/api/jobs/{job}", seen)
    until(lambda: seen)
    worker = served.crew[0]
    worker._loop.call_soon_threadsafe(served.service.begin_stop)
    thread.join(30.0)
    assert seen[-1]["state"] == "cancelled"
    assert served.job(key).status_code == 503
