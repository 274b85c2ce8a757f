"""Vision subjects: structure, sites, edits, receptive fields, loading."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import nn

from brainscan.core.address import Site
from brainscan.core.errors import BrokenSubject, SiteUnavailable, SubjectNotFound, UnknownFamily, UsageError
from brainscan.subject.edit import Edit
from brainscan.subject.vision.field import receptive_field
from brainscan.subject.vision.fold import folded
from brainscan.subject.vision.load import from_module, load_vision, save_vision
from brainscan.subject.vision.subject import VisionSubject
from tests.vision import PLAIN, small, tiny_lite


def seen(subject: VisionSubject, site: str, images: torch.Tensor, edits: list[Edit] | None = None) -> torch.Tensor:
    kept: list[torch.Tensor] = []
    subject.inspect(images, {subject.check(site): lambda _, x: kept.append(x.clone())}, edits or [])
    return kept[0]


def images(count: int = 2) -> torch.Tensor:
    return torch.randn(count, 3, 32, 32, generator=torch.Generator().manual_seed(1))


def test_layers_come_in_forward_order_with_their_norms_and_non_linearities() -> None:
    subject = tiny_lite()
    assert [layer.path for layer in subject.layers[:3]] == [
        "stem.conv",
        "blocks.0.depthwise.conv",
        "blocks.0.project.conv",
    ]
    assert subject.layers[-1].path == "classifier"
    linear = [layer.path for layer in subject.layers if layer.post is None]
    assert linear == [f"blocks.{i}.project.conv" for i in range(5)] + ["classifier"]
    assert len(subject.structure.blocks) == 5


def test_captures_are_what_the_modules_write() -> None:
    subject, x = tiny_lite(), images()
    with torch.no_grad():
        stem = subject.model.stem(x)  # type: ignore[operator]
    assert torch.equal(seen(subject, "channel.0", x), stem.flatten(2).transpose(1, 2))
    assert seen(subject, "channel_pre.0", x).min() < 0 <= seen(subject, "channel.0", x).min()
    assert seen(subject, f"channel_pre.{len(subject.layers) - 1}", x).shape == (2, 1, 5)


def test_edits_change_what_follows_and_only_there() -> None:
    subject, x = tiny_lite(), images()
    edit = Edit.set("channel.3", torch.zeros(subject.width(Site("channel", 3))), at=[5])
    before, after = seen(subject, "channel.3", x), seen(subject, "channel.3", x, [edit])
    assert torch.count_nonzero(after[:, 5]) == 0
    assert torch.equal(before[:, :5], after[:, :5])
    assert not torch.equal(subject.logits(x), subject.logits(x, edits=[edit]))
    assert torch.equal(seen(subject, "channel.0", x), seen(subject, "channel.0", x, [edit]))


def test_one_channel_is_silenced_by_a_mask() -> None:
    subject, x = tiny_lite(), images()
    mask = torch.ones(subject.width(Site("channel", 0)))
    mask[2] = 0
    after = seen(subject, "channel.0", x, [Edit.scale("channel.0", mask)])
    assert torch.count_nonzero(after[..., 2]) == 0
    assert torch.equal(after[..., :2], seen(subject, "channel.0", x)[..., :2])


class Reused(nn.Module):
    """One non-linearity that is called twice."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.act, self.out = (
            nn.Conv2d(3, 4, 3),
            nn.Conv2d(4, 4, 3),
            nn.ReLU(inplace=True),
            nn.Linear(4, 2),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(self.act(self.b(self.act(self.a(x)))).mean((2, 3)))


def test_a_module_called_twice_has_two_sites() -> None:
    subject, x = from_module(Reused(), PLAIN), images()
    first, second = seen(subject, "channel.0", x), seen(subject, "channel.1", x)
    assert first.shape[1] == 30 * 30
    assert second.shape[1] == 28 * 28
    silenced = seen(subject, "channel.1", x, [Edit.scale("channel.0", 0.0)])
    assert torch.allclose(silenced, subject.model.b.bias.relu().expand_as(silenced))  # type: ignore[union-attr, operator]


def test_unknown_sites_and_channels_are_refused_by_name() -> None:
    subject = small()
    for site in ("channel.99", "mlp_act.0", "resid_post.0", "channel.3"):
        with pytest.raises(SiteUnavailable):
            subject.check(site)
    assert str(subject.channel("convs.1/5")) == "channel.1/5"
    for text in ("channel.1/9999", "channel.1", "nothing/3", ""):
        with pytest.raises((UsageError, SiteUnavailable)) as refused:
            subject.channel(text)
        assert refused.value.next_step


def test_receptive_fields_agree_with_a_changed_pixel() -> None:
    subject = tiny_lite()
    for site in ("channel.0", "channel.3", "channel.7"):
        field = receptive_field(subject, subject.check(site))
        base = torch.rand(1, 3, 32, 32)
        for position in (0, field.rows * field.columns // 2 + field.columns // 2, field.rows * field.columns - 1):
            left, top, right, bottom = field.box(position)
            outside = torch.ones(32, 32, dtype=torch.bool)
            outside[top:bottom, left:right] = False
            changed = base + outside * torch.randn(1, 3, 32, 32)
            same = seen(subject, site, base)[0, position]
            assert torch.allclose(same, seen(subject, site, changed)[0, position], atol=1e-5)
            inside = base + ~outside * torch.randn(1, 3, 32, 32)
            assert not torch.allclose(same, seen(subject, site, inside)[0, position], atol=1e-5)


def test_a_saved_network_opens_again_with_the_same_answers(tmp_path: Path) -> None:
    subject = small()
    save_vision(tmp_path / "net", "small", {"classes": 4}, subject)
    again = load_vision(str(tmp_path / "net"))
    assert torch.allclose(subject.logits(images()), again.logits(images()), atol=1e-5)
    assert again.card.modality == "vision"
    assert again.classes == subject.classes
    config = json.loads((tmp_path / "net" / "config.json").read_text())
    (tmp_path / "net" / "config.json").write_text(json.dumps({**config, "settings": {"classes": 7}}))
    with pytest.raises(BrokenSubject):
        load_vision(str(tmp_path / "net"))


def test_what_is_no_vision_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SubjectNotFound, match="efficientnet-lite0"):
        load_vision(str(tmp_path / "absent"))
    with pytest.raises(UnknownFamily):
        from_module(_Weighted(), PLAIN)


class _Weighted(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean((2, 3)) * self.weight


@pytest.mark.parametrize("kind", ["vit", "resnet"])
def test_classifiers_of_transformers_open_from_a_folder(tmp_path: Path, kind: str) -> None:
    from transformers import ResNetConfig, ResNetForImageClassification, ViTConfig, ViTForImageClassification

    if kind == "vit":
        model = ViTForImageClassification(
            ViTConfig(
                hidden_size=16,
                num_hidden_layers=2,
                num_attention_heads=2,
                intermediate_size=32,
                image_size=32,
                patch_size=8,
                num_labels=3,
            )
        )
    else:
        model = ResNetForImageClassification(
            ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[2, 2], layer_type="basic", num_labels=3)
        )
    model.save_pretrained(tmp_path)
    (tmp_path / "preprocessor_config.json").write_text(json.dumps({"size": {"height": 32, "width": 32}}))
    subject = load_vision(str(tmp_path))
    assert subject.preparation.size in (32, 224)
    x = torch.randn(2, *subject.blank(1).shape[1:])
    assert subject.logits(x).shape == (2, 3)
    assert subject.structure.blocks
    hidden = [layer for layer in subject.layers if layer.post is not None]
    assert hidden
    site = f"channel.{hidden[-1].number}"
    silent = subject.logits(x, edits=[Edit.scale(site, 0.0)])
    assert not torch.allclose(silent, subject.logits(x))


def resnet(folder: Path, **told: object) -> Path:
    """A small classifier with what its ``preprocessor_config.json`` says."""
    from transformers import ResNetConfig, ResNetForImageClassification

    ResNetForImageClassification(
        ResNetConfig(embedding_size=8, hidden_sizes=[8], depths=[2], layer_type="basic", num_labels=3)
    ).save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps({"size": {"height": 32, "width": 32}, **told}))
    return folder


@pytest.mark.parametrize(
    ("told", "mean", "std"),
    [
        ({"image_mean": [0.5, 0.4, 0.3], "image_std": 0.5}, (127.5, 102.0, 76.5), (127.5,) * 3),
        ({"image_mean": None}, (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)),
        ({"do_normalize": None, "image_mean": None}, (0.0,) * 3, (255.0,) * 3),
        ({"do_normalize": False, "image_mean": [0.5] * 3, "do_rescale": False}, (0.0,) * 3, (1.0,) * 3),
    ],
)
def test_pictures_are_normalised_as_the_folder_says(
    tmp_path: Path, told: dict[str, object], mean: tuple[float, ...], std: tuple[float, ...]
) -> None:
    found = load_vision(str(resnet(tmp_path, **told))).preparation
    assert found.mean == pytest.approx(mean) and found.std == pytest.approx(std)


@pytest.mark.parametrize("told", [{"do_flip_channel_order": True}, {"image_mean": [0.5]}, {"image_std": "half"}])
def test_a_preparation_that_is_not_done_here_is_refused(tmp_path: Path, told: dict[str, object]) -> None:
    with pytest.raises(UnknownFamily, match="colours"):
        load_vision(str(resnet(tmp_path, **told)))


def convnext(folder: Path) -> VisionSubject:
    from transformers import ConvNextConfig, ConvNextForImageClassification

    torch.manual_seed(0)
    sizes = {"hidden_sizes": [8, 16], "depths": [1, 1], "num_stages": 2, "image_size": 64, "num_labels": 3}
    ConvNextForImageClassification(ConvNextConfig(**sizes, layer_scale_init_value=0.5)).save_pretrained(folder)
    return load_vision(str(folder))


def test_a_norm_over_channels_mixes_no_positions(tmp_path: Path) -> None:
    subject = convnext(tmp_path)
    boxes = {layer.path: receptive_field(subject, subject.check(f"{layer.point}.{layer.number}")).box(0)
             for layer in subject.layers[:5]}  # fmt: skip
    assert list(boxes.values()) == [(0, 0, 4, 4), *[(0, 0, 16, 16)] * 3, (0, 0, 20, 20)]


def test_maps_with_channels_last_are_shown_position_by_position(tmp_path: Path) -> None:
    subject = convnext(tmp_path)
    (layer,) = (each for each in subject.layers if each.path.endswith("stages.0.layers.0.pwconv1"))
    x = torch.randn(2, 3, 64, 64)
    shown = seen(subject, f"channel.{layer.number}", x)
    assert shown.shape == (2, 256, 32) and layer.grid == (16, 16)
    doubled = seen(subject, f"channel.{layer.number}", x, [Edit.scale(f"channel.{layer.number}", 2.0)])
    assert torch.allclose(doubled, 2 * shown)


class Normed(nn.Module):
    """A convolution whose map is normed over all of its positions."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.norm, self.b, self.out = (
            nn.Conv2d(3, 4, 3),
            nn.GroupNorm(1, 4),
            nn.Conv2d(4, 4, 3),
            nn.Linear(4, 2),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(self.b(self.norm(self.a(x))).mean((2, 3)))


def test_a_norm_over_the_map_sees_the_whole_picture() -> None:
    subject = from_module(Normed(), PLAIN)
    assert receptive_field(subject, Site("channel_pre", 0)).box(0) == (0, 0, 3, 3)
    assert receptive_field(subject, Site("channel_pre", 1)).whole


def test_folded_norms_change_nothing() -> None:
    subject, x = tiny_lite(), images()
    copy = folded(subject)
    assert [layer.path for layer in copy.layers] == [layer.path for layer in subject.layers]
    assert [layer.post is None for layer in copy.layers] == [layer.post is None for layer in subject.layers]
    assert torch.allclose(seen(copy, "channel_pre.6", x), seen(subject, "channel_pre.6", x), atol=1e-4)
    assert torch.allclose(copy.logits(x), subject.logits(x), atol=1e-4)
    assert any(isinstance(module, nn.BatchNorm2d) for module in subject.model.modules())
