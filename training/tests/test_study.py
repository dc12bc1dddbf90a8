import dataclasses
import json
from fractions import Fraction
from types import SimpleNamespace

import pytest

import factorization_study
from ffconv_training import config as configs, finish, study
from ffconv_training.trainer import Trainer
from test_configs import FOLDER, SHAPES, work


def test_hma_and_mac_are_those_of_the_exported_network():
    for name in ("mnist-lola", "mnist-ffconv", "cifar-lola", "cifar-ffconv-half", "cifar-vgg-s"):
        config = configs.read(FOLDER / "configs" / f"{name}.json")
        chosen = [layer.rank for layer in config.layers]
        assert study.total_work(config.layers, SHAPES[config.dataset], chosen) == work(name)


def test_ranks_are_that_part_where_it_pays():
    config = configs.read(FOLDER / "configs" / "mnist-lola.json")
    assert study.ranks(config.layers, SHAPES["mnist"], Fraction(1, 2)) == [3, 50, None]
    assert study.ranks(config.layers, SHAPES["mnist"], Fraction(1, 16)) == [1, 6, None]
    assert study.ranks(config.layers, SHAPES["mnist"], Fraction(1)) == [None, None, None]


def points(tmp_path):
    return json.loads((tmp_path / "training/runs/small-factorization/results.json").read_text())["points"]


@pytest.fixture
def arrange(dataset, make_config, tmp_path, monkeypatch):
    """A finished run of a small network; the arguments of the study; the study's repository is tmp_path."""
    config = make_config(layers=[{"conv": 6, "stride": 2, "padding": 1}, {"dense": 24}, {"dense": 3}])
    trainer = Trainer(config, dataset, tmp_path / "runs" / "small")
    trainer.run()
    finish.finish(trainer)
    document = tmp_path / "factorization.md"
    document.write_text("before\n<!-- begin small -->\nold\n<!-- end small -->\nafter\n")
    monkeypatch.setattr(factorization_study, "REPOSITORY", tmp_path)
    monkeypatch.setattr(factorization_study, "DOCUMENT", document)
    monkeypatch.setattr(study, "PARTS", (Fraction(1, 2), Fraction(1, 6)))
    args = SimpleNamespace(runs=tmp_path / "runs", out=tmp_path / "out", epochs=1, scratch_epochs=2,
                           max_minutes=None, precision="float32")
    factorization_study.link_runs(args, ["small", None])
    return SimpleNamespace(config=config, args=args, document=document)


def test_the_study_measures_every_point_and_writes_table_and_plot(dataset, arrange, tmp_path):
    results = factorization_study.measure(arrange.args, arrange.config, dataset)
    assert points(tmp_path) == results["points"]
    assert [(point["part"], point["way"]) for point in results["points"]] == [
        (part, way) for part in ("1/2", "1/6") for way in study.WAYS]
    assert [point["epochs"] for point in results["points"]] == [1, 1, 2] * 2
    half, sixth = results["points"][1], results["points"][4]
    assert half["ranks"] == [3, 12, None] and sixth["ranks"] == [1, 4, None]
    assert half["factorized"] >= sixth["factorized"]
    text = arrange.document.read_text()
    assert text.startswith("before\n") and text.endswith("\nafter\n") and "old" not in text
    assert f"| 1/2 | {half['hma']:,} |" in text and f"| {half['mac']:,} |" in text and f"{100 * half['trained']:.2f}" in text
    assert (tmp_path / "training/runs/small-factorization/plot.png").stat().st_size > 1000


def test_an_interrupted_study_goes_on_and_ends_with_the_same_figures(dataset, arrange, tmp_path):
    arrange.args.max_minutes = 0
    assert factorization_study.measure(arrange.args, arrange.config, dataset) is None
    arrange.args.max_minutes = None
    started = dataclasses.replace(arrange.config, start_from="earlier")
    scratch = study.point_config(started, dataset.shape, Fraction(1, 6), "scratch", 2)
    assert scratch.start_from is None
    trainer = Trainer(scratch, dataset, arrange.args.out / scratch.name, "float32")
    assert not trainer.run(max_minutes=0) and len(trainer.history) == 1
    first = factorization_study.measure(arrange.args, arrange.config, dataset)
    arrange.args.out = tmp_path / "again"
    factorization_study.link_runs(arrange.args, ["small", None])
    second = factorization_study.measure(arrange.args, arrange.config, dataset)
    for a, b in zip(first["points"], second["points"]):
        assert {**a, "cpu_seconds": 0} == {**b, "cpu_seconds": 0}


def test_a_network_that_is_not_trained_is_named(arrange):
    with pytest.raises(SystemExit, match="other: not a finished run; train other first"):
        factorization_study.link_runs(arrange.args, ["other"])


def test_sections_without_their_marks_are_refused():
    with pytest.raises(ValueError, match="begin other"):
        study.replace_section("<!-- begin small -->\n<!-- end small -->", "other", "text")
