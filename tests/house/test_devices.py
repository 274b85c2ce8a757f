"""On an accelerator nothing meets across devices; and the pretended one refuses what a real one refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch

from brainscan.activations.capture import capture
from brainscan.circuits.attribute import trace
from brainscan.circuits.basis import Neurons
from brainscan.circuits.build import build_graph
from brainscan.circuits.graph import Settings
from brainscan.circuits.validate import validate
from brainscan.scan.conformance import check_instrument
from brainscan.scan.instrument import INSTRUMENTS
from brainscan.subject.generate import Decoding, generate
from brainscan.subject.language import LanguageSubject
from brainscan.subject.phantom import phantom
from brainscan.treatment.treated import treated
from tests.house.pretend import MixedDevicesError, Pretended, on_cuda
from tests.treatment.made import every_kind


@pytest.fixture
def subject() -> Iterator[LanguageSubject]:
    made = phantom("llama")
    on_cuda(made.model)
    with Pretended():
        yield made


@pytest.mark.parametrize(
    "mixes",
    [
        lambda here, there: here + there,
        lambda here, there: torch.cat([here, there]),
        lambda here, there: torch.matmul(there, here),
        lambda here, there: here[there.long()],
        lambda here, there: there.__setitem__(torch.tensor([0, 1]), here[:2]),
        lambda here, there: there.numpy(),
        lambda here, there: torch.randn(3, device="cuda", generator=torch.Generator()),
    ],
)  # fmt: skip
def test_what_a_gpu_refuses_is_refused(mixes: Callable[[torch.Tensor, torch.Tensor], object]) -> None:
    with Pretended(), pytest.raises(MixedDevicesError):
        mixes(torch.ones(3), torch.ones(3, device="cuda"))


def test_what_a_gpu_allows_is_allowed() -> None:
    with Pretended():
        here, there = torch.ones(3), torch.ones(3).to("cuda")
        assert (here.device.type, there.device.type) == ("cpu", "cuda")
        there = (there * torch.tensor(2.0))[torch.tensor([0, 1])]
        there.copy_(here[:2])
        there[0] = torch.tensor(5.0)
        there[1:] = here[1:2]
        assert there.is_cuda
        assert (there.sum().cpu() + here.sum()).item() == 9
        assert there.cpu().numpy().tolist() == [5, 1]


def test_it_generates_and_gives_its_activations(subject: LanguageSubject) -> None:
    assert subject.device.type == "cuda"
    assert len(generate(subject, [[5, 6, 7], [8]], Decoding(max_new=3, stop_at_end=False))[0].ids) == 3
    assert capture(subject, [[5, 6, 7], [8]], ["resid_post.1"])


def test_circuits_are_traced_and_validated(subject: LanguageSubject) -> None:
    traced = trace(subject, subject.tokens("Hello you"), Neurons(), Settings(nodes=20))
    assert validate(traced, build_graph(traced, "Hello you")).inner


@pytest.mark.parametrize("kind", sorted(every_kind(phantom("llama"))))
def test_treatments_act(subject: LanguageSubject, kind: str) -> None:
    with treated(subject, every_kind(subject)[kind]):
        assert generate(subject, [[5, 6, 7]], Decoding(max_new=2, stop_at_end=False))


@pytest.mark.parametrize("name", ["openings", "lens"])
def test_instruments_read_it(subject: LanguageSubject, name: str) -> None:
    reference = phantom("llama", seed=1)
    on_cuda(reference.model)
    assert check_instrument(INSTRUMENTS.get(name), subject, reference).measurements
