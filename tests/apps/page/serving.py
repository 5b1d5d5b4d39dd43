"""``noiseless serve`` in a process of its own."""

import importlib
import os
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request

import pytest

PATIENCE = 60.0
LARGEST = 3_000_000
"""Bytes of a file that the server of most tests takes."""


class Server:
    """It is started when this is made, and tells where it listens."""

    def __init__(self, folder, *options, port=0):
        # Where a browser has to be there, so has what serves the page to it; see tests/apps/conftest.py.
        is_required = os.environ.get("NOISELESS_REQUIRE_BROWSER") == "1"
        for part in ("fastapi", "uvicorn", "python_multipart", "prometheus_client"):
            (importlib.import_module if is_required else pytest.importorskip)(part)
        environment = {**os.environ, "TMPDIR": str(folder), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "noiseless", "serve", "--port", str(port), *options]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
        )
        line = self.process.stdout.readline().strip()
        assert line.startswith("http://127.0.0.1:"), line + self.process.stdout.read()
        self.said = []
        self._listening = threading.Thread(target=lambda: self.said.extend(self.process.stdout), daemon=True)
        self._listening.start()
        self.url = line.partition("#")[0]
        self.port = int(self.url.rstrip("/").rpartition(":")[2])

    def status(self, path):
        """Of the answer to GET."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=PATIENCE) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    def end(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.process.wait(PATIENCE)
        self._listening.join(PATIENCE)
        self.process.stdout.close()
