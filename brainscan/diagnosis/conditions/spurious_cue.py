"""Spurious cue: a class that leans on what stands beside the object, such as a watermark or the background."""

from brainscan.diagnosis.condition import Condition, Criterion

CONDITION = Condition(
    name="spurious-cue",
    title="Spurious cue",
    question="Does a class lean on a watermark or on the background instead of its object?",
    criteria=(
        Criterion(
            "cues.mark.rate",
            0.25,
            "One corner or edge cell of its images, pasted into images of other classes, turned {hits} of {n} of them into it ({interval}); {baseline}.",
            beats="the same region from images of other classes",
        ),
        Criterion(
            "cues.background.rate",
            0.5,
            "The border of its images, pasted around the centre of other classes' images, turned {hits} of {n} into it ({interval}); {baseline}.",
            beats="the same region from images of other classes",
        ),
    ),
    evidence=("cues.",),
    recommendation="remove the cue from the training images of that class, or give it to all classes alike.",
    would_settle="more labelled images of each class, under the names of the model's classes.",
    modality="vision",
)
