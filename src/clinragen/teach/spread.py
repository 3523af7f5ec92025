"""A local teacher on a Ray cluster: as many loaded models as there are workers, the ledger with the run.

What each batch is answered depends on the batch alone, so a cluster changes no word.
"""

from collections.abc import Iterator
from itertools import chain
from typing import Any

from clinragen.cluster import TRIES, connected, own_faults
from clinragen.endpoint.ledger import Answer
from clinragen.labels import LabelSet, about, holding
from clinragen.teach.asking import Asking
from clinragen.teach.generate import Batch, Loaded, answer, load


class Worker:
    """One loaded model; Ray starts it on a node of the cluster, and again if the node is lost."""

    def __init__(self, model: str, prompt_id: str, labels: LabelSet) -> None:
        self._model, self._prompt_id, self._labels = model, prompt_id, labels
        self._loaded: Loaded | None = None

    def answers(self, batch: Batch) -> tuple[Batch, list[Answer]]:
        """The batch with its answers."""
        self._loaded = self._loaded or load(self._model)
        with about(self._labels):
            return batch, answer(self._loaded, batch, self._prompt_id)


def spread(batches: Iterator[Batch], asking: Asking) -> Iterator[tuple[Batch, list[Answer]]]:
    """Each batch with its answers, as workers get done; batches are drawn only as workers are free."""
    first = next(batches, None)
    if first is None:
        return
    with connected(asking.engine) as ray, own_faults(ray):
        pool = _pool(ray, asking)
        for batch in chain([first], batches):
            if not pool.has_free():
                yield pool.get_next_unordered()
            pool.submit(lambda worker, given: worker.answers.remote(given), batch)
        while pool.has_next():
            yield pool.get_next_unordered()


def _pool(ray: Any, asking: Asking) -> Any:
    """As many workers as are wanted, if the cluster has room for them; each takes a GPU where it has any."""
    there = ray.cluster_resources()
    gpus = int(there.get("GPU", 0))
    room = gpus or int(there.get("CPU", 1))
    started = ray.remote(num_cpus=1, num_gpus=min(1, gpus), max_restarts=TRIES, max_task_retries=TRIES)(
        Worker
    )
    settings, workers = asking.settings, range(min(asking.engine.workers, max(1, room)))
    return ray.util.ActorPool([started.remote(settings.model, settings.prompt, holding()) for _ in workers])
