import json

import onnx
import pytest
import torch

from ffconv_training import config as configs, factorize, finish, runs
from ffconv_training.extremes import Guards, random_extremes
from ffconv_training.onnx_run import OnnxNetwork
from ffconv_training.trainer import Trainer, evaluate, load_finished


def train(config, dataset, folder, **options):
    trainer = Trainer(config, dataset, folder, **options)
    trainer.run()
    finish.finish(trainer)
    return trainer


def weights(folder):
    return torch.load(folder / runs.NETWORK)["network"]


def test_a_network_learns_and_its_file_holds_what_a_compiler_needs(dataset, make_config, tmp_path):
    trainer = train(make_config(), dataset, tmp_path / "small")
    report = json.loads((tmp_path / "small" / finish.REPORT).read_text())
    assert report["test_accuracy"] > 0.9
    model = onnx.load(str(tmp_path / "small" / "small.onnx"))
    metadata = {entry.key: json.loads(entry.value) for entry in model.metadata_props}
    assert metadata["ffconv.class_names"] == ["rows", "columns", "none"]
    _, largest, rms = OnnxNetwork(model).run(dataset.test.pixels)
    assert set(metadata["ffconv.ranges"]) == {"input", *largest}
    assert all(value <= metadata["ffconv.ranges"][name] for name, value in largest.items())
    assert set(metadata["ffconv.rms"]) == {"input", *rms}
    assert all(0.5 < value / metadata["ffconv.rms"][name] < 2 for name, value in rms.items())
    card = (tmp_path / "small" / "small.md").read_text()
    assert f"{100 * report['test_accuracy']:.2f} %" in card and "conv1" in card
    assert len((tmp_path / "small" / runs.LOG).read_text().splitlines()) == len(trainer.history) == 4 + 2
    assert (tmp_path / "small" / "curve.png").stat().st_size > 1000
    assert (tmp_path / "small" / runs.DONE).is_file()


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_an_interrupted_run_ends_with_the_same_weights(dataset, make_config, tmp_path, precision):
    config = make_config({"cutout": 3})
    train(config, dataset, tmp_path / "whole", precision=precision)
    for _ in range(6):
        done = Trainer(config, dataset, tmp_path / "pieces", precision=precision).run(max_minutes=0)
    assert not done
    assert Trainer(config, dataset, tmp_path / "pieces", precision=precision).run()
    whole, pieces = weights(tmp_path / "whole"), weights(tmp_path / "pieces")
    assert all(torch.equal(value, pieces[name]) for name, value in whole.items())


def test_a_checkpoint_of_another_configuration_is_refused(dataset, make_config, tmp_path):
    Trainer(make_config(), dataset, tmp_path).run(max_minutes=0)
    Trainer(make_config(), dataset, tmp_path).run(max_minutes=0)
    with pytest.raises(RuntimeError, match="another configuration"):
        Trainer(make_config({"rate": 0.01}), dataset, tmp_path)


def test_a_student_learns_from_its_teachers_scores_alone(dataset, make_config, tmp_path):
    teacher = make_config(name="teacher", activation="relu", export=False,
                          layers=[{"conv": 8, "padding": 1, "pool": 2}, {"conv": 8, "padding": 1, "pool": 6},
                                  {"dense": 3}])
    student = make_config(distillation={"teacher": "teacher", "views": 3, "share": 1.0})
    with pytest.raises(RuntimeError, match="train teacher first"):
        Trainer(student, dataset, tmp_path / "student")
    train(teacher, dataset, tmp_path / "teacher")
    right = dataset.train.labels.clone()
    dataset.train.labels[:] = 0
    trainer = train(student, dataset, tmp_path / "student")
    scores, _ = evaluate(trainer.average, dataset.train.pixels)
    assert (scores.argmax(1) == right).float().mean() > 0.9
    assert len(list((tmp_path / "teacher").glob("views-*/*.pt"))) == 3


def test_guards_alone_tame_a_network_that_overflows(dataset, make_config, tmp_path):
    layers = [{"conv": 16, "padding": 1}] * 4 + [{"dense": 3}]
    config = make_config({"guards": 16, "guard_bound": 6.0, "epochs": 8}, layers=layers, whitening=0.001)
    trainer = Trainer(config, dataset, tmp_path, precision="float32")
    trainer.network.train()
    trainer.network.reestimate([dataset.train.pixels.float()])
    images = random_extremes(200, dataset.shape, torch.Generator().manual_seed(8))

    def excess():
        return trainer.network.guarded(images, 6.0, config.training.score_bound).mean().item()
    before = excess()
    assert before > 1e3
    guards = trainer._guards()
    generator = torch.Generator().manual_seed(9)
    for _ in range(60):
        for parameter in trainer.network.parameters():
            parameter.grad = torch.zeros_like(parameter)
        trainer._add_guards(guards.draw(generator))
        trainer.optimizer.step()
    assert excess() < before / 5


def test_guards_are_random_images_and_the_worst_of_those_met():
    shape, period = (1, 4, 4), 5
    guards = Guards(shape, count=6, pool=160, period=period, excess=lambda images: images.flatten(1).sum(1))
    generator = torch.Generator().manual_seed(10)
    brightest = 0.0
    for step in range(4 * period):
        images = guards.draw(generator)
        assert images.shape == (6, *shape)
        assert step % period != 0 or guards.worst.flatten(1).sum(1).min() >= brightest
        brightest = guards.worst.flatten(1).sum(1).min()
        assert all(any(torch.equal(image, known) for known in guards.worst) for image in images[:3])
    assert len(guards.worst) == 10 and guards.worst.mean() > 0.8 * 255


def test_a_step_without_a_finite_gradient_is_left_out_and_many_end_the_run(dataset, make_config, tmp_path, monkeypatch):
    trainer = Trainer(make_config(), dataset, tmp_path, precision="float32")
    before = [parameter.detach().clone() for parameter in trainer.network.parameters()]
    monkeypatch.setattr(trainer, "_add_guards", lambda guards: torch.tensor(float("nan")))
    images = dataset.train.part(torch.arange(20))
    assert trainer._step(images.pixels.float(), images.labels, None, images.pixels[:8].float()) is None
    assert all(torch.equal(old, new) for old, new in zip(before, trainer.network.parameters()))
    with pytest.raises(RuntimeError, match="lower the rate"):
        trainer.run()


@pytest.mark.parametrize("by", ["responses", "weights"])
def test_a_factorized_network_of_full_rank_starts_where_the_original_ended(dataset, make_config, tmp_path, by):
    train(make_config(), dataset, tmp_path / "small")
    layers = [{"conv": 6, "stride": 2, "padding": 1, "rank": 6}, {"dense": 12, "rank": 12}, {"dense": 3}]
    trainer = Trainer(make_config(name="factorized", layers=layers, start_from="small", start_by=by), dataset,
                      tmp_path / "factorized", precision="float32")
    trainer.network.eval()
    original = load_finished(tmp_path / "small")
    expected, got = (evaluate(network, dataset.test.pixels)[0] for network in (original, trainer.network))
    assert (expected - got).abs().max() < 1e-4 * expected.abs().max()
    trainer.run()
    assert trainer.start["factorized"] == pytest.approx(trainer.start["reestimated"], abs=0.05)


def test_a_network_that_overflows_is_not_exported(dataset, make_config, tmp_path):
    trainer = Trainer(make_config(), dataset, tmp_path, precision="float32")
    trainer.run()
    state = torch.load(tmp_path / runs.NETWORK)
    state["network"]["activations.0.c2"] *= 1e20
    runs.save_atomically(state, tmp_path / runs.NETWORK)
    with pytest.raises(RuntimeError, match="guard_clip"):
        finish.finish(trainer)
    assert not (tmp_path / runs.DONE).exists()


def test_leading_components_lose_the_least_of_the_outputs():
    generator = torch.Generator().manual_seed(7)
    z = torch.randn(3000, 4, generator=generator) @ torch.randn(4, 10, generator=generator)
    z = z + 0.1 * torch.randn(3000, 10, generator=generator)
    components = factorize.leading_components(torch.cov(z.T), 4)
    assert torch.allclose(components.T @ components, torch.eye(4), atol=1e-5)
    centred = z - z.mean(0)
    lost = (centred - centred @ components @ components.T).square().sum() / centred.square().sum()
    assert lost < 0.01


def test_configurations_are_checked():
    good = {"name": "x", "dataset": "mnist", "layers": [{"dense": 10}]}
    assert configs.parse(good).training.epochs > 0
    for changes, message in (({"layer": []}, "unknown layer"), ({"layers": [{"kernel": 3}]}, "one of conv and dense"),
                             ({"activation": "relu"}, "cannot run encrypted"), ({"augmentation": "x"}, "crop-flip"),
                             ({"training": {"epoch": 1}}, "unknown epoch"), ({"distillation": {}}, "teacher"),
                             ({"training": {"settle_epochs": 0}}, "at least 1"),
                             ({"training": {"settle_bound": [8, 8]}}, "expected 0 values")):
        with pytest.raises(configs.ConfigError, match=message):
            configs.parse({**good, **changes})
