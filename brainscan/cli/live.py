"""What a person sees while a scan runs: the plan, then one moving line a step with the time left."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from brainscan.cli.printing import print_line
from brainscan.clinic.examine import Attendant
from brainscan.core.visible import visible
from brainscan.report.words import duration
from brainscan.scan.record import Check, Plan, Step, StepResult


def print_plan(console: Console, plan: Plan, folder: Path) -> None:
    """Print what will run, what it should cost, and what is left out and why."""
    print_line(console, ("Plan ", "bold"), f"{plan.name}, seed {plan.seed}, about {duration(plan.estimated_seconds)}")
    for step in plan.steps:
        if step.skip:
            print_line(console, f"  [--] {step.instrument:<10} ", (f"left out: {step.skip}", "dim"))
        else:
            cost = f"{duration(step.estimated_seconds):>12}"
            print_line(console, f"  [  ] {step.instrument:<10} {cost}  ", (step.title, "dim"))
    print_line(console, ("Record: ", "dim"), str(folder))


class Live:
    """Progress on a terminal; on a pipe one plain line a step."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        self._whole: TaskID | None = None
        self._left = 0.0
        self._loaded = ""

    def __enter__(self) -> Live:
        if self.console.is_terminal:
            self._progress = Progress(
                SpinnerColumn(),
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=24),
                TimeElapsedColumn(),
                TextColumn("left"),
                TimeRemainingColumn(),
                console=self.console,
                transient=True,
            )
            self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._progress is not None:
            self._progress.stop()

    def attendant(self) -> Attendant:
        """The callbacks for ``examine``."""
        from brainscan.scan.run import Watch

        watch = Watch(checked=self._checked, started=self._started, moved=self._moved, finished=self._finished)
        return Attendant(loading=self._loading, planned=self._planned, watch=watch)

    def _loading(self, fraction: float, words: str) -> None:
        if self._progress is None:
            if words != self._loaded:
                print_line(self.console, (words, "dim"))
        elif self._task is None:
            self._task = self._progress.add_task(visible(words, keep=""), total=1.0)
        else:
            self._progress.update(self._task, completed=fraction, description=visible(words, keep=""))
        self._loaded = words

    def _planned(self, plan: Plan, folder: Path) -> None:
        self._clear()
        print_plan(self.console, plan, folder)
        if self._progress is not None:
            self._whole = self._progress.add_task("whole scan", total=max(plan.estimated_seconds, 1.0))

    def _checked(self, checks: tuple[Check, ...]) -> None:
        passed = sum(check.passed for check in checks)
        print_line(self.console, f"Self-check: {passed} of {len(checks)} passed")

    def _started(self, step: Step) -> None:
        self._clear()
        if self._progress is not None:
            self._task = self._progress.add_task(step.instrument, total=1.0)

    def _moved(self, step: Step, fraction: float, words: str) -> None:
        if self._progress is None or self._task is None:
            return
        self._progress.update(
            self._task, completed=fraction, description=visible(f"{step.instrument}: {words}", keep="", limit=60)
        )
        if self._whole is not None:
            self._progress.update(self._whole, completed=self._left + fraction * step.estimated_seconds)

    def _finished(self, step: Step, result: StepResult) -> None:
        self._clear()
        self._left += 0.0 if step.skip else step.estimated_seconds
        if self._progress is not None and self._whole is not None:
            self._progress.update(self._whole, completed=self._left)
        if result.outcome == "done":
            cost = f"{duration(result.cost.seconds)} (planned {duration(step.estimated_seconds)})"
            print_line(self.console, f"  [ok] {step.instrument:<10} ", (cost, "dim"))
        elif result.outcome == "failed":
            print_line(self.console, f"  [!!] {step.instrument:<10} failed: {result.reason}")

    def _clear(self) -> None:
        if self._progress is not None and self._task is not None:
            self._progress.remove_task(self._task)
        self._task = None
