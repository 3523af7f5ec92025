"""A local teacher on a Ray cluster: as many loaded models as there are workers, the ledger with the run.

What each batch is answered depends on the batch alone, so a cluster changes no word.
"""

from collections.abc import Iterator
from typing import Any

from clinragen.endpoint.ledger import Answer
from clinragen.errors import TeacherError
from clinragen.teach.asking import Asking
from clinragen.teach.generate import Batch, answer, load

TRIES = 3


class Worker:
    """One loaded model; Ray starts it on a node of the cluster, and again if the node is lost."""

    def __init__(self, model: str, prompt_id: str) -> None:
        self._loaded, self._prompt_id = load(model), prompt_id

    def answers(self, batch: Batch) -> tuple[Batch, list[Answer]]:
        """The batch with its answers."""
        return batch, answer(self._loaded, batch, self._prompt_id)


def spread(batches: Iterator[Batch], asking: Asking) -> Iterator[tuple[Batch, list[Answer]]]:
    """Each batch with its answers, as workers get done; batches are drawn only as workers are free."""
    pool: Any = None
    for batch in batches:
        pool = pool or _pool(asking)
        if not pool.has_free():
            yield pool.get_next_unordered()
        pool.submit(lambda worker, given: worker.answers.remote(given), batch)
    while pool and pool.has_next():
        yield pool.get_next_unordered()


def _pool(asking: Asking) -> Any:
    try:
        import ray
        from ray.util import ActorPool
    except ImportError:
        raise TeacherError(
            "Ray is not installed", expected="the extra [ray]", fix="pip install 'clinragen[ray]'"
        ) from None
    if not ray.is_initialized():
        ray.init(log_to_driver=False, include_dashboard=False, configure_logging=False)
    gpus = 1 if ray.cluster_resources().get("GPU", 0) else 0
    started = ray.remote(num_cpus=1, num_gpus=gpus, max_restarts=TRIES, max_task_retries=TRIES)(Worker)
    workers = range(asking.engine.workers)
    return ActorPool([started.remote(asking.settings.model, asking.settings.prompt) for _ in workers])
