"""A teacher's scores for stored views of the training images.

A student sees in every epoch one of `views` fixed random views of each image, whose scores a trained teacher has given
once: so the teacher costs its students nothing. The scores lie in the teacher's folder, one file a view, and serve all
students of the same augmentation and data.
"""

from pathlib import Path

import torch

from . import runs

VIEW_SEED = 77
BATCH = 250


def view_parameters(augmentation, count, views):
    """The parameters of every view: [views, count, ...]."""
    return torch.stack([augmentation.draw(count, torch.Generator().manual_seed(VIEW_SEED + k)) for k in range(views)])


@torch.no_grad()
def _view_scores(network, augmentation, parameters):
    scores = [network.evaluate(augmentation.apply(index, parameters[index]))[0]
              for index in torch.arange(len(parameters)).split(BATCH)]
    return torch.cat(scores).half()


def view_scores(folder, load_network, augmentation, parameters, say):
    """float16 [views, count, classes]; what is missing in `folder` is computed, view by view.

    load_network() gives the teacher, ready to evaluate.
    """
    folder = Path(folder) / f"views-{augmentation.name}-{parameters.shape[1]}"
    folder.mkdir(parents=True, exist_ok=True)
    network, scores = None, []
    for k, view in enumerate(parameters):
        path = folder / f"{k:03}.pt"
        if not path.is_file():
            network = network or load_network()
            runs.save_atomically(_view_scores(network, augmentation, view), path)
            say(f"teacher: view {k + 1} of {len(parameters)}")
        scores.append(torch.load(path))
    return torch.stack(scores)
