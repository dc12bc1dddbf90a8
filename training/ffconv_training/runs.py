"""The folder of a training run: checkpoint, log, and what other runs need of a finished one.

    checkpoint.pt   everything needed to go on after the last finished epoch
    network.pt      the finished network, as evaluated
    log.jsonl       one JSON object an epoch
    train.log       the same for people
    done            there is nothing left to do
"""

import json
import os
import time
from pathlib import Path

import torch

PUBLISHED = Path(__file__).resolve().parent.parent / "runs"  # finished runs in the repository, by name
CHECKPOINT, NETWORK, LOG, TEXT_LOG, DONE = "checkpoint.pt", "network.pt", "log.jsonl", "train.log", "done"


def save_atomically(value, path):
    """A reader of path, and a run that is killed here, find the old file or the new one."""
    temporary = Path(path).with_name(Path(path).name + ".part")
    with open(temporary, "wb") as file:
        torch.save(value, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def save_halved(source, target):
    """A copy of a finished network with weights in half precision."""
    state = torch.load(source, map_location="cpu")
    state["network"] = {name: value.half() if value.is_floating_point() else value
                        for name, value in state["network"].items()}
    save_atomically(state, target)


def say(folder, text):
    """Prints a line and keeps it in the run's text log."""
    line = f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}"
    print(line, flush=True)
    with open(Path(folder) / TEXT_LOG, "a") as file:
        file.write(line + "\n")


def write_log(folder, rows):
    """Replaces log.jsonl: rows after the checkpoint that a run resumes from are not kept."""
    temporary = Path(folder) / (LOG + ".part")
    temporary.write_text("".join(json.dumps(row) + "\n" for row in rows))
    os.replace(temporary, Path(folder) / LOG)


def finished(folder):
    return (Path(folder) / NETWORK).is_file()


def clock(seconds):
    """h:mm:ss"""
    seconds = int(seconds)
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
