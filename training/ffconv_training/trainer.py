"""Trains a network after its configuration: resumable, and the same whether interrupted or not.

The only states are the weights, their average, the optimizer and the number of finished epochs: all randomness of an
epoch follows from the seed and its number. After the epochs of training proper come those of settling: one stage a layer,
which is changed so that extreme images excite it little (settle.py), then fixed while the layers behind train on.
"""

import copy
import dataclasses
import statistics
import time
from pathlib import Path

import torch
import torch.nn.functional as F

from . import augment, config as configs, data, extremes, factorize, network as networks, runs, settle, teacher
from .activation import excess_squares

EVALUATION_BATCH = 250
LOGGED = ("loss", "train_accuracy", "penalty", "gradient_norm", "guard_gradient_norm")
SETTLING_IMAGES, SETTLING_EXTREMES, SETTLING_WARM_UP = 1500, 1000, 0.1
STATISTICS_IMAGES = 8192  # for the activations' statistics of the averaged weights
MAX_SKIPPED = 0.01  # of an epoch's steps, whose gradient is not finite: half precision may fail once in a thousand


def has_fast_bfloat16():
    """Whether convolutions in bfloat16 pay: a GPU, or a processor with instructions for it."""
    if torch.cuda.is_available():
        return True
    try:
        flags = Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def loss_function(scores, labels, teacher_scores, config):
    """Cross-entropy with smoothed labels; with a teacher, its share of the divergence from the teacher's answer."""
    loss = F.cross_entropy(scores, labels, label_smoothing=config.training.label_smoothing)
    if teacher_scores is None:
        return loss
    t, share = config.distillation.temperature, config.distillation.share
    divergence = F.kl_div(F.log_softmax(scores / t, 1), F.log_softmax(teacher_scores / t, 1), log_target=True,
                          reduction="batchmean")
    return (1 - share) * loss + share * t * t * divergence


def rate_at(step, steps, peak, warm_up):
    """Up from 0 over the warm-up, then linearly to 0."""
    rising = max(1.0, warm_up * steps)
    return peak * min((step + 1) / rising, (steps - step) / max(1.0, steps - rising))


def _five_digits(value):
    """A number, or a list of them, as the log shows it."""
    if isinstance(value, list):
        return [_five_digits(entry) for entry in value]
    return float(f"{value:.5g}") if isinstance(value, float) else value


class Trainer:
    """One run in `folder`. Other runs that the configuration names are folders beside it."""

    def __init__(self, config, dataset, folder, precision="auto", device=None):
        self.config, self.dataset, self.folder = config, dataset, Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        fast = precision == "bfloat16" or precision == "auto" and has_fast_bfloat16()
        self.dtype = torch.bfloat16 if fast else torch.float32
        training = config.training
        self.train_index, self.validation_index = data.split(len(dataset.train), training.validation)
        self.augmentation = augment.AUGMENTATIONS[config.augmentation](dataset.train.pixels)
        self._prepare_views()
        self._prepare_network()
        self.steps_per_epoch = len(self.train_index) // training.batch
        self.steps = self.steps_per_epoch * training.epochs
        settled = config.activation == "quadratic" and training.settle_bound
        self.epochs = training.epochs + (len(self.network.activations) * training.settle_epochs if settled else 0)

    def say(self, text):
        runs.say(self.folder, text)

    def other_run(self, name):
        """The folder of a finished run: beside this one or, where there is none, in the repository."""
        folder = self.folder.parent / name
        for candidate in (folder, runs.PUBLISHED / name):
            if runs.finished(candidate):
                return candidate
        raise RuntimeError(f"{self.config.name} needs the finished run {folder}; train {name} first")

    def _prepare_views(self):
        self.views = self.view_scores = None
        if self.config.distillation is None:
            return
        name = self.config.distillation.teacher
        folder = self.other_run(name)
        self.views = teacher.view_parameters(self.augmentation, len(self.dataset.train),
                                             self.config.distillation.views)
        self.view_scores = teacher.view_scores(self.folder.parent / name,
                                               lambda: load_finished(folder, self.dtype, self.device),
                                               self.augmentation, self.views, self.say)

    def _prepare_network(self):
        training = self.config.training
        torch.manual_seed(training.seed)
        self.network = networks.build(self.config, self.dataset.train, self.train_index)
        if self.config.start_from is not None:
            original = load_finished(self.other_run(self.config.start_from))
            factorize.start_from(self.network, original, self.dataset.train.part(self.train_index).pixels,
                                 self.config.start_by)
        self.network.to(self.device)
        self.network.dtype = self.dtype
        self.average = copy.deepcopy(self.network)
        self._fix(0)
        self.history, self.start = [], {}
        checkpoint = self.folder / runs.CHECKPOINT
        if checkpoint.is_file():
            state = torch.load(checkpoint, map_location=self.device)
            if configs.parse(state["config"]) != self.config:
                raise RuntimeError(f"{checkpoint} was made with another configuration; remove it, or train elsewhere")
            self.network.load_state_dict(state["network"])
            self.average.load_state_dict(state["average"])
            self.history, self.start = state["history"], state["start"]
            self._fix(-(-max(0, len(self.history) - training.epochs) // training.settle_epochs))
            self.optimizer.load_state_dict(state["optimizer"])

    def _fix(self, count):
        """From now on the layers from `count` on are trained alone."""
        training = self.config.training
        self.network.fix(count)
        self.average.fix(count)
        trained = [p for p in self.network.parameters() if p.requires_grad]
        self.optimizer = torch.optim.SGD(
            [{"params": [p for p in trained if p.dim() > 1], "weight_decay": training.weight_decay},
             {"params": [p for p in trained if p.dim() == 1], "weight_decay": 0.0}],
            lr=training.rate, momentum=training.momentum, nesterov=True)

    def _save(self):
        runs.save_atomically({"config": dataclasses.asdict(self.config), "network": self.network.state_dict(),
                              "average": self.average.state_dict(), "optimizer": self.optimizer.state_dict(),
                              "history": self.history, "start": self.start}, self.folder / runs.CHECKPOINT)
        runs.write_log(self.folder, self.history)

    def run(self, max_minutes=None):
        """Trains until the last epoch, or until another epoch would not fit into max_minutes. True if finished."""
        started = time.monotonic()
        self.say(f"{self.config.name}: epoch {len(self.history) + 1} of {self.epochs}, "
                 f"{self.steps_per_epoch} steps each, {str(self.dtype).split('.')[-1]} on {self.device}, "
                 f"{sum(p.numel() for p in self.network.parameters())} parameters")
        if self.config.start_from is not None and not self.history:
            self._measure_start()
        while len(self.history) < self.epochs:
            if max_minutes is not None and self.history:
                elapsed = time.monotonic() - started
                if elapsed + self._recent("seconds") > 60 * max_minutes:
                    self.say(f"stopped after {elapsed / 60:.0f} minutes; the same command goes on")
                    return False
            layer, started_stage = divmod(len(self.history) - self.config.training.epochs,
                                          self.config.training.settle_epochs)
            if layer >= 0 and not started_stage:
                self._settle(layer)
            self._run_epoch(len(self.history))
            self._save()
            self._report()
        if not runs.finished(self.folder):
            runs.save_atomically({"config": dataclasses.asdict(self.config), "shape": self.dataset.shape,
                                  "network": self.average.state_dict()}, self.folder / runs.NETWORK)
        return True

    def _settle(self, layer):
        """Settles a layer of the averaged network, from which training goes on with the layers behind it."""
        generator = self._generator(-3)
        images = torch.cat([extremes.random_extremes(SETTLING_EXTREMES, self.dataset.shape, generator),
                            *extremes.named_extremes(self.dataset.shape).values()])
        data = self.dataset.train.pixels[self.train_index[:SETTLING_IMAGES]].float()
        self.average.dtype = torch.float32
        reached, before, after, change = settle.settle(self.average, layer, data.to(self.device),
                                                       images.to(self.device), self.config.training.settle_bound_of(layer))
        self.average.dtype = self.dtype
        self.say(f"{self.average.linears[layer].name} settled: largest |z| {reached:.1f} on data, on extremes {after:.1f}"
                 + (f" instead of {before:.1f}, a relative change of {change:.1e}" if change else " as it was"))
        self._estimate_average()
        self.network.load_state_dict(self.average.state_dict())
        self._fix(layer + 1)

    def _measure_start(self):
        """Notes what factorization alone keeps of the accuracy, and with the statistics estimated anew."""
        self.average.eval()
        self.start["factorized"] = self._validate()["validation_accuracy"]
        self._estimate_average()
        self.start["reestimated"] = self._validate()["validation_accuracy"]
        self.say(f"validation before training: {self.start['factorized']:.4f}, with statistics estimated anew "
                 f"{self.start['reestimated']:.4f}")

    def _recent(self, key):
        return statistics.median(row[key] for row in self.history[-5:])

    def _report(self):
        row = self.history[-1]
        left = self.epochs - row["epoch"]
        text = (f"epoch {row['epoch']}: loss {row['loss']:.4f}, training accuracy {row['train_accuracy']:.4f}, "
                f"penalty {row['penalty']:.4f}, {row['cpu_seconds']:.0f} s of CPU time, {row['seconds']:.0f} s")
        if "validation_accuracy" in row:
            text += (f"; validation {row['validation_accuracy']:.4f}, largest |z| {max(row['largest']):.1f}, "
                     f"on extremes {max(row['largest_extreme']):.1f}, score {row['largest_score']:.1f}")
        # CPU time does not count pauses; the wall clock at the recent pace does.
        self.say(f"{text}; left {runs.clock(left * self._recent('cpu_seconds'))} of CPU time, "
                 f"{runs.clock(left * self._recent('seconds'))} at the recent pace")

    def _generator(self, epoch):
        return torch.Generator().manual_seed(self.config.training.seed * 1_000_003 + epoch)

    def _epoch_views(self, epoch, generator):
        """(view parameters of every training image, the teacher's scores or None)."""
        count = len(self.dataset.train)
        if self.views is None:
            return self.augmentation.draw(count, generator), None
        offsets = torch.randint(0, len(self.views), (count,), generator=self._generator(-1))
        choice = (offsets + epoch) % len(self.views)
        images = torch.arange(count)
        return self.views[choice, images], self.view_scores[choice, images]

    def _run_epoch(self, epoch):
        training = self.config.training
        clocks = time.monotonic(), time.process_time()
        generator = self._generator(epoch)
        views, view_scores = self._epoch_views(epoch, generator)
        order = self.train_index[torch.randperm(len(self.train_index), generator=generator)]
        fill = (-self.network.pixel_shift / self.network.pixel_scale).cpu()  # the mean pixel
        self.network.train()
        guards = self._guards()
        totals, skipped = torch.zeros(len(LOGGED)), 0
        for step, index in enumerate(order.split(training.batch)[:self.steps_per_epoch]):
            for group in self.optimizer.param_groups:
                group["lr"] = self._rate(epoch * self.steps_per_epoch + step)
            pixels = self.augmentation.apply(index, views[index])
            if training.cutout:
                augment.cut_out(pixels, training.cutout, fill, generator)
            figures = self._step(pixels, self.dataset.train.labels[index],
                                 None if view_scores is None else view_scores[index].float(),
                                 guards.draw(generator) if guards else None)
            if figures is None:
                skipped += 1
                if skipped > MAX_SKIPPED * self.steps_per_epoch:
                    raise RuntimeError(f"{self.config.name}: the gradients of {skipped} of {step + 1} steps are not "
                                       "finite; lower the rate")
                continue
            totals += figures
            self._update_average(epoch * self.steps_per_epoch + step)
        means = (totals / (self.steps_per_epoch - skipped)).tolist()
        row = dict(zip(LOGGED, means), epoch=epoch + 1, skipped=skipped)
        if (epoch + 1) % training.evaluate_every == 0 or epoch + 1 >= training.epochs:
            self._estimate_average()
            row.update(self._validate())
        row.update(seconds=time.monotonic() - clocks[0], cpu_seconds=time.process_time() - clocks[1])
        self.history.append({name: _five_digits(value) for name, value in row.items()})

    def _rate(self, step):
        training = self.config.training
        if step < self.steps:
            return rate_at(step, self.steps, training.rate, training.warm_up)
        steps = training.settle_epochs * self.steps_per_epoch
        return rate_at((step - self.steps) % steps, steps, training.settle_rate, SETTLING_WARM_UP)

    def _guards(self):
        """Anew in every epoch, so that resuming needs no state of it."""
        training = self.config.training
        if self.config.activation != "quadratic" or not training.guards:
            return None

        @torch.no_grad()
        def excess(images):
            return self.network.guarded(images.to(self.device), training.guard_bound, training.score_bound).cpu()
        return extremes.Guards(self.dataset.shape, training.guards, training.guard_pool, training.guard_period, excess)

    def _step(self, pixels, labels, teacher_scores, guards):
        """One step of the optimizer: [loss, accuracy, penalty, gradient's norm, guards' gradient's norm].

        None, and nothing changed but the running statistics, where a gradient is not finite.
        """
        training, count = self.config.training, len(pixels)
        pixels, labels = pixels.to(self.device), labels.to(self.device)
        teacher_scores = teacher_scores.to(self.device) if teacher_scores is not None else None
        scores, penalty = self.network(pixels, training.bound, training.penalty / count)
        loss = loss_function(scores, labels, teacher_scores, self.config)
        penalty = penalty + training.penalty / count / 2 * excess_squares(scores, training.score_bound).sum()
        self.optimizer.zero_grad()
        (loss + penalty).backward()
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), training.clip)
        guard_norm = self._add_guards(guards) if guards is not None else torch.zeros(())
        if not torch.isfinite(norm + guard_norm):
            return None
        self.optimizer.step()
        self.network.project()
        correct = (scores.argmax(1) == labels).float().mean()
        return torch.stack([loss.detach(), correct, penalty.detach(), norm, guard_norm]).cpu()

    def _add_guards(self, pixels):
        """Adds the gradient of extreme images, clipped apart: it must not drown the task's. Returns its norm."""
        training = self.config.training
        parameters = [p for p in self.network.parameters() if p.requires_grad]
        excess = self.network.guarded(pixels.to(self.device), training.guard_bound, training.score_bound).sum()
        gradients = torch.autograd.grad(training.penalty / 2 / training.guards * excess, parameters, allow_unused=True)
        norm = torch.stack([g.norm() for g in gradients if g is not None]).norm()
        scale = (training.guard_clip / (norm + 1e-6)).clamp(max=1.0)
        for parameter, gradient in zip(parameters, gradients):
            if gradient is not None:
                parameter.grad.add_(gradient * scale)
        return norm

    @torch.no_grad()
    def _update_average(self, step):
        if step < self.steps:
            decay = min(self.config.training.average, (1 + step) / (10 + step))
        else:
            decay = 0.0  # the rate falls to 0 in every stage
        averages, currents = list(self.average.parameters()), list(self.network.parameters())
        torch._foreach_mul_(averages, decay)
        torch._foreach_add_(averages, currents, alpha=1 - decay)

    def _estimate_average(self):
        """Statistics of the averaged weights, on views of training images that are the same every time."""
        generator = self._generator(-2)
        index = self.train_index[:STATISTICS_IMAGES]
        views = self.augmentation.draw(len(index), generator)
        self.average.train()
        self.average.project()
        batch = 512
        self.average.reestimate(self.augmentation.apply(i, v).to(self.device)
                                for i, v in zip(index.split(batch), views.split(batch)))
        self.average.eval()

    @torch.no_grad()
    def _validate(self):
        self.average.dtype = torch.float32
        part = self.dataset.train.part(self.validation_index)
        scores, largest = evaluate(self.average, part.pixels, self.device)
        stack = torch.cat(list(extremes.named_extremes(self.dataset.shape, noise_images=40).values()))
        extreme_scores, largest_extreme = evaluate(self.average, stack, self.device)
        self.average.dtype = self.dtype
        return {
            "validation_accuracy": (scores.argmax(1) == part.labels).float().mean().item(),
            "validation_loss": F.cross_entropy(scores, part.labels).item(),
            "largest": largest, "largest_extreme": largest_extreme,
            "largest_score": max(scores.abs().max().item(), extreme_scores.abs().max().item()),
        }


@torch.no_grad()
def evaluate(network, pixels, device="cpu"):
    """(scores, the largest |z| of every activation) of uint8 or float images."""
    scores, largest = [], None
    for batch in pixels.split(EVALUATION_BATCH):
        s, values = network.evaluate(batch.float().to(device))
        scores.append(s.float().cpu())
        seen = torch.tensor([z.abs().max().item() for z in values])
        largest = seen if largest is None else torch.maximum(largest, seen)
    return torch.cat(scores), largest.tolist()


def load_finished(folder, dtype=torch.float32, device="cpu"):
    """The network of a finished run, ready to evaluate."""
    state = torch.load(Path(folder) / runs.NETWORK, map_location="cpu")
    weights = {name: value.float() if value.is_floating_point() else value for name, value in state["network"].items()}
    config = configs.parse(state["config"], str(folder))
    network = networks.Network(config, state["shape"], -weights["pixel_shift"] / weights["pixel_scale"],
                               1 / weights["pixel_scale"], weights.get("linears.0.whitening"))
    network.load_state_dict(weights)
    network.dtype = dtype
    return network.to(device).eval()
