import pytest
import torch

from ffconv_training import runs
from ffconv_training.extremes import random_extremes
from ffconv_training.settle import SLACK, least_change, settle
from ffconv_training.trainer import Trainer, evaluate

NEAR = 1.1  # statistics are estimated anew after the change


@pytest.mark.parametrize("seed", range(5))
def test_the_least_change_meets_its_bounds_and_needs_each_that_it_uses(seed):
    generator = torch.Generator().manual_seed(seed)
    a = torch.randn(12, 20, generator=generator, dtype=torch.double)
    b = torch.randn(12, generator=generator, dtype=torch.double)
    multipliers = least_change(a, b)
    slack = SLACK * a.square().sum(1).mean()
    left = b - a @ (multipliers @ a)  # what a d <= -b still lacks: the small e times the multiplier
    used = multipliers > 0
    assert used.any() and not used.all()
    torch.testing.assert_close(left[used], slack * multipliers[used])
    assert (left[~used] <= 1e-9).all()


@pytest.mark.parametrize("rank", [None, 5])
def test_extremes_are_held_and_data_keep_their_values(dataset, make_config, tmp_path, rank):
    layers = [{"conv": 8, "padding": 1}, {"conv": 8, "stride": 2, "padding": 1, "rank": rank},
              {"conv": 8, "padding": 1}, {"dense": 12}, {"dense": 3}]
    trainer = Trainer(make_config({"guards": 0, "epochs": 6, "settle_bound": 0}, layers=layers, whitening=0.001),
                      dataset, tmp_path, precision="float32")
    trainer.run()
    network, pixels = trainer.average, dataset.train.pixels.float()
    network.dtype = torch.float32
    images = random_extremes(300, dataset.shape, torch.Generator().manual_seed(11))
    scores, _ = evaluate(network, pixels)
    before = max(evaluate(network, images)[1])
    bound = before / 2
    changes = [settle(network, layer, pixels, images, bound)[-1] for layer in range(4)]
    assert max(changes) > 0 and max(evaluate(network, images)[1]) <= bound * NEAR
    settled, _ = evaluate(network, pixels)
    same = settled.argmax(1) == scores.argmax(1)
    assert same.float().mean() > 0.9
    assert not any(settle(network, layer, pixels, images, bound * NEAR)[-1] for layer in range(4))


def test_training_ends_with_a_stage_a_layer_that_settles_and_fixes_it(dataset, make_config, tmp_path):
    layers = [{"conv": 8, "padding": 1}] * 3 + [{"dense": 12}, {"dense": 3}]

    def run(name, bound):
        config = make_config({"guards": 0, "epochs": 6, "settle_bound": bound, "settle_epochs": 2}, layers=layers,
                             whitening=0.001)
        trainer = Trainer(config, dataset, tmp_path / name, precision="float32")
        trainer.run()
        return trainer
    before = max(run("plain", 0).history[-1]["largest_extreme"])
    trainer = run("settled", before / 2)
    assert max(trainer.history[-1]["largest_extreme"]) < 0.6 * before
    assert "conv3 settled" in (tmp_path / "settled" / runs.TEXT_LOG).read_text()
    assert len((tmp_path / "settled" / runs.LOG).read_text().splitlines()) == 6 + 2 * 4
    values = [row["largest"] for row in trainer.history[6:]]
    for layer in range(4):  # what later stages leave as it is
        assert len({tuple(value[:layer + 1]) for value in values[2 * layer:]}) == 1
    assert trainer.history[-1]["validation_accuracy"] > 0.9
