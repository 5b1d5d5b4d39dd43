"""Figures of a server, as Prometheus reads them."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

SECONDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 180.0, 600.0)


class Metrics:
    """One registry a server, so that several may live in one process."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._ended = Counter("noiseless_jobs", "Jobs that ended, by state.", ["state"], registry=self._registry)
        self._read = Counter("noiseless_files", "Uploads that were read, by state.", ["state"], registry=self._registry)
        self._refused = Counter(
            "noiseless_refused", "Requests and uploads that were refused.", ["reason"], registry=self._registry
        )
        self._seconds = Histogram(
            "noiseless_task_seconds", "Of tasks of workers.", ["task"], buckets=SECONDS, registry=self._registry
        )
        for state in ("done", "failed", "cancelled"):
            self._ended.labels(state)
        for state in ("ready", "failed"):
            self._read.labels(state)

    def watch(self, name: str, help_text: str, value: Callable[[], float]) -> None:
        """A figure that is looked up when it is asked for."""
        Gauge(f"noiseless_{name}", help_text, registry=self._registry).set_function(value)

    def job_ended(self, state: str) -> None:
        """As "done", "failed" or "cancelled"."""
        self._ended.labels(state).inc()

    def file_read(self, state: str) -> None:
        """As "ready" or "failed"."""
        self._read.labels(state).inc()

    def refused(self, reason: str) -> None:
        """By the name of the error."""
        self._refused.labels(reason).inc()

    def took(self, task: str, seconds: float) -> None:
        """A task of a worker."""
        self._seconds.labels(task).observe(seconds)

    def text(self) -> bytes:
        """All of them."""
        text: bytes = generate_latest(self._registry)
        return text
