"""Images of several requests predicted together: while one batch runs, the next one gathers."""

from __future__ import annotations

import asyncio
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnistlab.serving.answering import Writer
from mnistlab.serving.measuring import Meters
from mnistlab.serving.model import Answer, Model
from mnistlab.serving.responses import busy
from mnistlab.serving.settings import Limits


class Job(NamedTuple):
    """Images uint8 (n, H, W) of one request, and where their answer goes."""

    images: NDArray[np.uint8]
    answer: asyncio.Future[list[str]]  # the JSON of each image


class Batcher:
    """One network, its queue and its thread; all methods are called in the event loop.

    The thread ends with the last reference to its batcher, so with the last request that uses it.
    A session computes in one thread, and NumPy and onnxruntime leave Python's lock alone meanwhile.
    """

    def __init__(self, model: Model, limits: Limits, meters: Meters) -> None:
        self.model = model
        self.writer = Writer(model)
        self._limits = limits
        self._waiting: deque[Job] = deque()
        self._n_waiting = 0  # images
        self._is_running = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="predict")
        self._queue = meters.queue.labels(model.name)
        self._batches = meters.batches.labels(model.name)
        self._predictions = meters.predictions.labels(model.name)

    def predict(self, images: NDArray[np.uint8]) -> asyncio.Future[list[str]]:
        """The predictions of uint8 (n, H, W), to be awaited, each as JSON.

        Raises RefusedError 429 where too many wait.
        """
        if self._n_waiting + len(images) > self._limits.queue:
            raise busy("too many images are waiting; try again in a second")
        loop = asyncio.get_running_loop()
        job = Job(images, loop.create_future())
        self._waiting.append(job)
        self._n_waiting += len(images)
        if not self._is_running:
            self._is_running = True
            # Not at once: other requests may have arrived with this one.
            loop.call_soon(self._start, loop)
        return job.answer

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        jobs = self._taken()
        self._queue.set(self._n_waiting)
        if jobs:
            self._thread.submit(self._work, loop, jobs)
            return
        self._is_running = False

    def _taken(self) -> list[Job]:
        """The oldest jobs, at most a batch of images, but one; without those given up."""
        jobs: list[Job] = []
        n_images = 0
        while self._waiting:
            job = self._waiting[0]
            if jobs and n_images + len(job.images) > self._limits.batch:
                break
            self._waiting.popleft()
            self._n_waiting -= len(job.images)
            if not job.answer.done():  # its time was over, or its sender has gone
                jobs.append(job)
                n_images += len(job.images)
        return jobs

    def _work(self, loop: asyncio.AbstractEventLoop, jobs: list[Job]) -> None:
        """In the thread: predict, and give the loop the answer or what went wrong."""
        result: list[str] | Exception
        try:
            # All at once: most of what NumPy takes for one image, it takes for a batch.
            result = self.writer.predictions(self._answer([job.images for job in jobs]))
        except Exception as error:  # the requests get it: it is not this thread's to judge
            result = error
        loop.call_soon_threadsafe(self._finish, loop, jobs, result)

    def _answer(self, images: list[NDArray[np.uint8]]) -> Answer:
        together = images[0] if len(images) == 1 else np.concatenate(images)
        most = self._limits.batch
        if len(together) <= most:
            return self.model.answer(together)
        starts = range(0, len(together), most)
        found = [self.model.answer(together[start : start + most]) for start in starts]
        distances = [each.distances for each in found if each.distances is not None]
        return Answer(
            np.concatenate([each.probabilities for each in found]),
            np.concatenate(distances) if distances else None,
        )

    def _finish(
        self, loop: asyncio.AbstractEventLoop, jobs: list[Job], result: list[str] | Exception
    ) -> None:
        self._start(loop)  # the next batch first, so that the thread does not wait
        start = 0
        for job in jobs:
            stop = start + len(job.images)
            if not job.answer.done():
                if isinstance(result, Exception):
                    job.answer.set_exception(result)
                else:
                    job.answer.set_result(result[start:stop])
            start = stop
        self._batches.observe(start)
        if not isinstance(result, Exception):
            self._predictions.inc(start)
