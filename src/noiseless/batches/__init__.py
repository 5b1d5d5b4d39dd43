"""Batches: the same work for many inputs, by workers that may die, in runs that may be broken off and go on.

    key = recipe_key(recipe)
    with open_run(results, key, outputs) as run, Processes(4) as workers:
        for task, result in workers.map(run.once(work), map(run.task, tasks)):
            outcome = run.finish(task, result)

A run is alone in its folder of results, and keeps there ``manifest.jsonl``: a line of JSON for each input that was
finished, well or badly. An input is left where it is when a line says that it was done, with the same content and the
same recipe, and its outputs are as they were written. In the hidden folder ``.noiseless`` are the lock and, while an
input is at work, its mark: what a killed run leaves is known by it, and cleared by the next.
"""

from .cluster import Cluster
from .deciding import Attempt, Once, Outcome, Task
from .fingerprints import content_hash, recipe_key
from .folder_run import FolderRun, open_run
from .manifest import DONE, FAILED, NAME, SKIPPED, Manifest, Record
from .processes import Processes
from .workers import InProcess, Lost, Workers

__all__ = [
    "DONE",
    "FAILED",
    "NAME",
    "SKIPPED",
    "Attempt",
    "Cluster",
    "FolderRun",
    "InProcess",
    "Lost",
    "Manifest",
    "Once",
    "Outcome",
    "Processes",
    "Record",
    "Task",
    "Workers",
    "content_hash",
    "open_run",
    "recipe_key",
]
