"""What a service counts of itself, as Prometheus reads it."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
IMAGES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Meters:
    """Counters, gauges and histograms of one service."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self.requests = Counter(
            "mnistlab_requests", "Answered requests.", ["path", "status"], registry=registry
        )
        self.seconds = Histogram(
            "mnistlab_request_seconds",
            "From a request's headers to its answer.",
            ["path"],
            buckets=SECONDS,
            registry=registry,
        )
        self.predictions = Counter(
            "mnistlab_predictions", "Classified images.", ["model"], registry=registry
        )
        self.batches = Histogram(
            "mnistlab_batch_images",
            "Images of one run of a network.",
            ["model"],
            buckets=IMAGES,
            registry=registry,
        )
        self.queue = Gauge(
            "mnistlab_queue_images", "Images that wait.", ["model"], registry=registry
        )
        self.in_progress = Gauge(
            "mnistlab_requests_in_progress", "Requests that are being answered.", registry=registry
        )

        self._of_paths: dict[tuple[str, int], tuple[Counter, Histogram]] = {}

    def note(self, path: str, status: int, seconds: float) -> None:
        """Count a request that was answered."""
        found = self._of_paths.get((path, status))
        if found is None:  # looked up once: `labels` takes as long as the counting itself
            found = (self.requests.labels(path, status), self.seconds.labels(path))
            self._of_paths[path, status] = found
        counter, histogram = found
        counter.inc()
        histogram.observe(seconds)

    def text(self) -> tuple[bytes, bytes]:
        """All of them in Prometheus' text format, and its content type."""
        return generate_latest(self.registry), CONTENT_TYPE_LATEST.encode()
