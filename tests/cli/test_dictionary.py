"""The verbs of dictionaries and features, end to end on a phantom: train, judge, convert, survey, label, search, export."""

from __future__ import annotations

import gzip
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from brainscan.cli import dictionary, features, superposition
from brainscan.clinic.through import looking_through
from brainscan.core.errors import RecordError
from brainscan.dictionary.dictionary import DictionarySet
from brainscan.dictionary.formats.format import read_dictionary, write_dictionary
from tests.phantoms import tiny_llama

TEXT = "The ship was at sea when the whale came. " * 40 + "7 and 9 are numbers, 12 too.\n\n" * 40


def call(*arguments: object) -> Result:
    """Run a verb as a user would, in this process."""
    app = typer.Typer(pretty_exceptions_enable=False)
    for verb in (dictionary, features, superposition):
        verb.register(app)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def fine(*arguments: object) -> Any:
    result = call(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, texts, two trained dictionaries and a survey of the first."""
    root = tmp_path_factory.mktemp("dictionary")
    patch = pytest.MonkeyPatch()
    patch.setenv("BRAINSCAN_CACHE", str(root / "cache"))
    patch.setenv("BRAINSCAN_THREADS", "1")
    tiny_llama(root / "model")
    (root / "texts").mkdir()
    for i in range(8):
        (root / "texts" / f"{i}.txt").write_text(TEXT)
    try:
        made = fine(*train(root))
        assert [each["n_features"] for each in made] == [48, 96]
        assert all(each["steps"] == 40 and each["resumed_at"] == 0 for each in made)
        fine("features", "survey", root / "out" / made[0]["name"], "--subject", root / "model", "--text",
             root / "texts", "--out", root / "survey", "--tokens", 12_000, "--context", 64)  # fmt: skip
    finally:
        patch.undo()
    return root


def train(root: Path, **changes: object) -> list[object]:
    options = {"site": "resid_post.2", "kind": "topk", "tokens": 5120, "batch": 128, "context": 64, "memory": 32,
               "text": root / "texts", "out": root / "out", "lr": 0.01, **changes}  # fmt: skip
    flat = [word for name, value in options.items() for word in (f"--{name}", value)]
    return ["dictionary", "train", root / "model", *flat, "--features", 48, "--features", 96, "-k", 4]


def sae(place: Path) -> Path:
    return place / "out" / "resid_post.2-topk-48"


def test_training_again_goes_on_where_it_stood(place: Path) -> None:
    again = fine(*train(place))
    assert [each["resumed_at"] for each in again] == [40, 40]
    assert again[0]["explained_variance"] is not None


def test_a_dictionary_says_what_it_is(place: Path) -> None:
    shown = fine("dictionary", "show", sae(place))
    assert shown["about"]["subject"] and shown["about"]["source"] == "texts"
    assert shown["parts"][0] | {} == {
        "kind": "topk", "activation": "topk", "n_features": 48, "d_in": 32, "d_out": 32, "k": 4,
        "reads": ["resid_post.2"], "writes": ["resid_post.2"], "normalisation": shown["parts"][0]["normalisation"],
        "skip": False,
    }  # fmt: skip
    listed = fine("dictionary", "list", place / "out")
    assert [(each["name"], each["format"]) for each in listed] == [
        ("resid_post.2-topk-48", "brainscan"),
        ("resid_post.2-topk-96", "brainscan"),
    ]


def test_a_dictionary_is_judged_and_saebench_reads_it(place: Path, tmp_path: Path) -> None:
    judged = fine("dictionary", "eval", sae(place), "--subject", place / "model", "--text", place / "texts",
                  "--tokens", 3000, "--saebench", tmp_path / "core.json")  # fmt: skip
    values = {m["name"]: m["value"] for m in judged["measurements"]}
    assert 0 < values["dictionary.l0"] <= 4 and values["dictionary.explained_variance"] <= 1
    assert "dictionary.ce_recovered" in values
    assert judged["trained_on_these_texts"] is True
    assert json.loads((tmp_path / "core.json").read_text())["eval_type_id"] == "core"


def test_judging_counts_what_it_saw_and_refuses_another_model(place: Path, tmp_path: Path) -> None:
    few = tmp_path / "few.txt"
    few.write_text(TEXT[:2000])
    judged = fine("dictionary", "eval", sae(place), "--subject", place / "model", "--text", few, "--tokens", 50_000)
    assert judged["tokens"] == judged["measurements"][0]["n"] < 3000
    tiny_llama(tmp_path / "wide", hidden_size=64)
    refused = call("dictionary", "eval", sae(place), "--subject", tmp_path / "wide", "--text", few)
    assert refused.exit_code == 3 and "reads 32 numbers a token" in refused.stderr


def test_judging_with_concepts_and_another_seed(place: Path) -> None:
    fine(*train(place, out=place / "other", seed=1))
    other = place / "other" / "resid_post.2-topk-48"
    judged = fine("dictionary", "eval", sae(place), "--subject", place / "model", "--text", place / "texts",
                  "--tokens", 3000, "--concepts", "--other", other)  # fmt: skip
    values = {m["name"]: m["value"] for m in judged["measurements"]}
    assert 0 < values["dictionary.seed_stability"] < 0.999
    same = fine("dictionary", "eval", sae(place), "--subject", place / "model", "--text", place / "texts",
                "--tokens", 1000, "--other", sae(place))  # fmt: skip
    assert {m["name"]: m["value"] for m in same["measurements"]}["dictionary.seed_stability"] == pytest.approx(1)
    assert judged["concepts"], "the texts hold numbers in words or articles often enough"
    for concept in judged["concepts"]:
        assert [m["name"][-1] for m in concept["measurements"]] == ["1", "2", "5"]
        assert {b["what"] for m in concept["measurements"] for b in m["baselines"]} == {
            "full probe on activations", "mean difference",
        }  # fmt: skip


def test_trainings_of_one_model_lie_side_by_side(place: Path, tmp_path: Path) -> None:
    for site in ("resid_post.2", "resid_post.1"):
        assert fine(*train(place, out=tmp_path, site=site, tokens=512))[0]["resumed_at"] == 0
    assert fine(*train(place, out=tmp_path, tokens=512))[0]["resumed_at"] == 4
    shown = fine("dictionary", "show", tmp_path / "resid_post.1-topk-48")
    refused = call(*train(place, out=tmp_path, site="resid_post.1", tokens=512, seed=1))
    assert refused.exit_code == 3 and "another training" in refused.stderr and "--out" in refused.stderr
    assert fine("dictionary", "show", tmp_path / "resid_post.1-topk-48") == shown


def test_a_harvest_of_another_model_is_refused(place: Path, tmp_path: Path) -> None:
    tiny_llama(tmp_path / "model", seed=1)
    (tmp_path / "texts").symlink_to(place / "texts")
    where = {"shards": tmp_path / "shards", "tokens": 512, "dtype": "float32"}
    fine(*train(place, out=tmp_path / "a", **where))
    fine(*train(place, out=tmp_path / "b", kind="relu", **where))
    refused = call(*train(tmp_path, out=tmp_path / "c", **where))
    assert refused.exit_code == 3 and "other settings, texts or weights" in refused.stderr


def test_passes_over_a_small_harvest(place: Path, tmp_path: Path) -> None:
    made = fine(*train(place, out=tmp_path / "out", shards=tmp_path / "shards", passes=4))
    assert [each["steps"] for each in made] == [40, 40]
    manifest = json.loads((tmp_path / "shards" / "manifest.json").read_text())
    assert sum(shard["rows"] for shard in manifest["shards"]) == 5120 // 4
    refused = call(*train(place, passes=4))
    assert refused.exit_code == 3 and "--shards" in refused.stderr


def test_neurons_beside_features(place: Path) -> None:
    found = fine("superposition", "compare", place / "survey", "--site", "mlp_act.2", "--sample", 10)
    assert found["features"]["drawn"] == found["neurons"]["drawn"] == 10
    assert found["gain_interval"]["lo"] <= found["gain"] <= found["gain_interval"]["hi"]
    assert 0 < found["rate"] < 1
    plain = call("superposition", "compare", place / "survey", "--site", "mlp_act.2", "--sample", 4)
    assert plain.exit_code == 0 and "could be labelled" in plain.stdout


def test_conversion_to_saelens_and_back(place: Path, tmp_path: Path) -> None:
    there = fine("dictionary", "convert", sae(place), tmp_path / "sae", "--to", "saelens")
    assert there["format"] == "saelens"
    back = fine("dictionary", "convert", tmp_path / "sae", tmp_path / "back")
    assert back["parts"][0]["reads"] == ["resid_post.2"]
    refused = call("dictionary", "convert", sae(place), tmp_path / "x", "--to", "sparsify")
    assert refused.exit_code == 3 and "read here and not written" in refused.stderr


def test_a_folder_of_other_things_is_not_replaced(place: Path, tmp_path: Path) -> None:
    (tmp_path / "keep.txt").write_text("mine")
    for to in ("brainscan", "saelens"):
        refused = call("dictionary", "convert", sae(place), tmp_path, "--to", to)
        assert refused.exit_code == 3 and "holds something else" in refused.stderr
    refused = call("features", "survey", sae(place), "--subject", "never-opened", "--out", tmp_path)
    assert refused.exit_code == 3 and "holds something else" in refused.stderr
    assert [each.name for each in tmp_path.iterdir()] == ["keep.txt"]


def test_a_dictionary_that_names_no_site_is_told_it(place: Path, tmp_path: Path) -> None:
    nameless = replace(read_dictionary(sae(place)), reads=(), writes=())
    write_dictionary(nameless, tmp_path / "nameless")
    asked = ("--subject", place / "model", "--text", place / "texts", "--tokens", 2000, "--context", 64)
    refused = call("features", "survey", tmp_path / "nameless", *asked, "--out", tmp_path / "s")
    assert refused.exit_code == 3 and "dictionary convert --site" in refused.stderr
    about = fine("features", "survey", tmp_path / "nameless", *asked, "--out", tmp_path / "s", "--site", "resid_post.2")
    assert about["reads"] == about["writes"] == ["resid_post.2"]
    assert fine("features", "search", tmp_path / "s", "--text", "The ship was at sea")
    named = fine("dictionary", "convert", tmp_path / "nameless", tmp_path / "named", "--site", "resid_post.2")
    assert named["parts"][0]["reads"] == ["resid_post.2"]
    refused = call("dictionary", "convert", tmp_path / "named", tmp_path / "again", "--site", "resid_post.1")
    assert refused.exit_code == 3 and "says itself" in refused.stderr


def test_a_part_of_a_set_is_shown_and_converted(place: Path, tmp_path: Path) -> None:
    part = read_dictionary(sae(place))
    write_dictionary(DictionarySet("topk", (part, replace(read_dictionary(sae(place)), k=3))), tmp_path / "set")
    assert [each["k"] for each in fine("dictionary", "show", tmp_path / "set")["parts"]] == [4, 3]
    assert [each["k"] for each in fine("dictionary", "show", f"{tmp_path / 'set'}#1")["parts"]] == [3]
    assert (
        fine("dictionary", "convert", f"{tmp_path / 'set'}#1", tmp_path / "one", "--to", "saelens")["parts"][0]["k"]
        == 3
    )
    refused = call("dictionary", "show", f"{tmp_path / 'set'}#2")
    assert refused.exit_code == 3 and "set of 2 dictionaries" in refused.stderr


def surveyed(place: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A survey made with relative paths, of a model and a dictionary that may be changed."""
    shutil.copytree(place / "model", root / "model")
    shutil.copytree(sae(place), root / "sae")
    monkeypatch.chdir(root)
    fine("features", "survey", "sae", "--subject", "model", "--text", place / "texts", "--out", "survey",
         "--tokens", 2000, "--context", 64)  # fmt: skip
    (root / "elsewhere").mkdir()
    monkeypatch.chdir(root / "elsewhere")
    return root / "survey"


def test_a_survey_is_opened_again_from_another_folder(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    survey = surveyed(place, tmp_path, monkeypatch)
    assert fine("features", "search", survey, "--text", "The ship was at sea")
    origin = json.loads((survey / "origin.json").read_text())
    del origin["dictionary_sha256"], origin["site"]  # as earlier versions wrote it
    (survey / "origin.json").write_text(json.dumps(origin))
    assert fine("features", "search", survey, "--text", "The ship was at sea")


@pytest.mark.parametrize("width", [48, 96])
def test_labels_are_not_put_on_the_features_of_another_dictionary(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    survey = surveyed(place, tmp_path, monkeypatch)
    other = read_dictionary(place / "out" / f"resid_post.2-topk-{width}")
    write_dictionary(replace(other, W_dec=-other.W_dec), tmp_path / "sae")
    refused = call("features", "search", survey, "--text", "The ship was at sea")
    assert refused.exit_code == 3 and "not the one that was surveyed" in refused.stderr
    with pytest.raises(RecordError, match="not the one that was surveyed"), looking_through(str(survey)):
        pass


def test_a_survey_does_not_stand_for_other_weights(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    survey = surveyed(place, tmp_path, monkeypatch)
    tiny_llama(tmp_path / "model", seed=1)
    for words in (
        ("features", "search", survey, "--text", "A ship"),
        ("superposition", "compare", survey, "--site", "mlp_act.2"),
    ):
        refused = call(*words)
        assert refused.exit_code == 3 and "not those that were surveyed" in refused.stderr


def test_features_are_labelled_shown_searched_and_exported(place: Path, tmp_path: Path) -> None:
    survey = place / "survey"
    out = fine("features", "label", survey, "--sample", 12)
    assert out["summary"]["drawn"] == 12
    number = out["labels"][0]["label"]["feature"]
    shown = fine("features", "show", survey, number)
    assert shown["label"]["label"]["feature"] == number and shown["firings"] > 0
    assert len(shown["raised"]) == 12 and shown["strongest"][0]["tokens"]
    by_text = fine("features", "search", survey, "--text", "The ship was at sea")
    contrast = fine("features", "search", survey, "--text", "The whale", "--against", "12 and 9, 7.")
    assert by_text[0]["score"] > 0 and contrast
    page = fine("features", "export", survey, tmp_path / "f.html", "--sample", 5)["written"]
    assert "Content-Security-Policy" in Path(page).read_text()
    assert len(json.loads(Path(fine("features", "export", survey, tmp_path / "f.json", "--form", "json",
                                    "--feature", number)["written"]).read_text())["features"]) == 1  # fmt: skip
    bundle = Path(fine("features", "export", survey, tmp_path / "np", "--form", "neuronpedia")["written"])
    assert bundle.name == "2-brainscan"
    rows = gzip.decompress((bundle / "features" / "batch-0.jsonl.gz").read_bytes()).decode().splitlines()
    assert json.loads(rows[0])["layer"] == "2-brainscan"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("dictionary", "show", "absent"), "no dictionary at"),
        (("dictionary", "train", "m", "--site", "resid_post.2", "--kind", "wrong"), "Choose one of: relu"),
        (("dictionary", "train", "m", "--site", "mlp_in.2", "--kind", "transcoder", "--text", "{texts}"), "--writes"),
        (("dictionary", "train", "m", "--site", "nowhere", "--text", "{texts}"), "not an address"),
        (("dictionary", "train", "m", "--site", "resid_post.2"), "corpus build"),
        (("dictionary", "train", "m", "--site", "resid_post.2", "--features", 0), "--features a number above 0"),
        (("dictionary", "train", "m", "--site", "resid_post.2", "--features", -5), "--features a number above 0"),
        (("dictionary", "train", "m", "--site", "resid_post.2", "--lr", "nan"), "no number above 0"),
        (("dictionary", "train", "m", "--site", "resid_post.2", "--dtype", "int8"), "--dtype float16"),
        (("features", "show", "{root}", 0), "no survey"),
        (("features", "show", "{survey}", 4000), "no feature 4000"),
        (("features", "search", "{survey}"), "by words, by --text"),
        (("features", "search", "{survey}", "!!"), "no word"),
        (("features", "label", "{survey}", "--labeller", "oracle"), "no labeller"),
        (("features", "label", "{survey}", "--labeller", "endpoint"), "BRAINSCAN_AGENT_URL"),
        (("features", "export", "{survey}", "x", "--form", "pdf"), "no form 'pdf'"),
    ],
)
def test_mistakes_are_one_sentence(place: Path, words: tuple[object, ...], says: str) -> None:
    names = {"{root}": place, "{survey}": place / "survey", "{texts}": place / "texts"}
    result = call(*(names.get(word, word) if isinstance(word, str) else word for word in words))
    assert result.exit_code == 3
    assert says in result.stderr and "Traceback" not in result.stderr
    assert result.stderr.startswith("error: ") and result.stderr.count("\n") == 1


def test_the_plain_output_survives_a_pipe(place: Path) -> None:
    for words in (
        ("dictionary", "list", place / "out"),
        ("dictionary", "show", sae(place)),
        ("features", "label", place / "survey", "--sample", 3),
        ("features", "show", place / "survey", 1),
        ("features", "search", place / "survey", "ship"),
    ):
        result = call(*words)
        assert result.exit_code == 0 and result.stdout.strip() and "\x1b" not in result.stdout, result.stderr
