"""Two circuits side by side: two subjects on one prompt, or one subject on two prompts (with and without a trigger)."""

from __future__ import annotations

from collections.abc import Mapping

from brainscan.circuits.aggregate import edge_strengths, jaccard, node_labels, node_strengths
from brainscan.circuits.graph import Graph
from brainscan.circuits.results import Change, Difference

MOST = 200
"""Changes listed of each kind."""


def diff(before: Graph, after: Graph) -> Difference:
    """What appeared, went and changed, the largest change first.

    Positions count only where both prompts are the same tokens.
    """
    places = before.token_ids == after.token_ids
    old, new = node_strengths(before, places=places), node_strengths(after, places=places)
    labels = {**node_labels(before, places=places), **node_labels(after, places=places)}
    notes = (
        [] if places else ["The prompts differ, so positions are left out and the strongest one of each node counts."]
    )
    if before.weights_sha256 != after.weights_sha256:
        notes.append(
            "The circuits are of two models: neuron 12.345 of one is neuron 12.345 of the other by number alone."
        )
    if before.settings != after.settings:
        notes.append("The circuits were made with different settings.")
    return Difference(
        before=f"{before.subject}: {before.prompt}",
        after=f"{after.subject}: {after.prompt}",
        shared=len(old.keys() & new.keys()),
        nodes=_changes(old, new, labels),
        edges=_changes(edge_strengths(before, places=places), edge_strengths(after, places=places), {}),
        jaccard=jaccard(old, new),
        notes=tuple(notes),
    )


def _changes(old: Mapping[str, float], new: Mapping[str, float], labels: Mapping[str, str]) -> tuple[Change, ...]:
    found = [
        Change(
            id=item, before=old.get(item), after=new.get(item), difference=new.get(item, 0.0) - old.get(item, 0.0),
            label=labels.get(item, ""),
        )
        for item in old.keys() | new.keys()
    ]  # fmt: skip
    found.sort(key=lambda change: (-abs(change.difference), change.id))
    return tuple(change for change in found if change.difference != 0)[:MOST]
