#!/usr/bin/env python3
"""Trains several networks one after the other, unattended: one process at a time, at idle priority.

    training/run_queue.py --out build/train mnist-teacher mnist-lola cifar-teacher cifar-lola

NAME stands for training/configs/NAME.json and is trained in OUT/NAME. Finished runs are skipped and interrupted ones
go on, so the same command can be given again at any time. A run that fails is reported, and the queue goes on with the
next. With --queue FILE the names are read from FILE, one a line, anew before every run: it can be edited meanwhile.
"""

import argparse
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
UNFINISHED = 3  # train.py's exit code after --max-minutes


def priority_prefix(niceness):
    """The commands in front of one that give it this niceness; None: it runs where nothing else wants the processor."""
    if niceness is not None:
        return ["nice", "-n", str(niceness)]
    prefix = ["chrt", "-i", "0"] if shutil.which("chrt") else []
    return prefix + ["nice", "-n", "19"]


def names(args):
    if args.queue is None:
        return args.names
    lines = [line.split("#")[0].strip() for line in args.queue.read_text().splitlines()]
    return [line for line in lines if line]


def say(text):
    print(time.strftime("%Y-%m-%d %H:%M:%S"), "queue:", text, flush=True)


def train(name, args):
    """Runs train.py to its end; its exit code."""
    command = [*priority_prefix(args.nice), sys.executable, str(HERE / "train.py"),
               "--config", str(HERE / "configs" / f"{name}.json"), "--out", str(args.out / name)]
    if args.data is not None:
        command += ["--data", str(args.data)]
    if args.max_minutes is not None:
        command += ["--max-minutes", str(args.max_minutes)]
    args.out.mkdir(parents=True, exist_ok=True)
    with open(args.out / f"{name}.out", "a") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        if args.pid_file is not None:
            args.pid_file.write_text(f"{process.pid}\n")
        try:
            return process.wait()
        except BaseException:
            process.terminate()
            process.send_signal(signal.SIGCONT)  # it may be paused
            process.wait()
            raise
        finally:
            if args.pid_file is not None:
                args.pid_file.unlink(missing_ok=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--queue", type=Path, help="a file of names instead")
    parser.add_argument("--out", type=Path, required=True, help="folder of all runs")
    parser.add_argument("--data", type=Path, help="as for train.py")
    parser.add_argument("--nice", type=int, help="a niceness instead of idle priority")
    parser.add_argument("--max-minutes", type=float, help="as for train.py, of each piece")
    parser.add_argument("--pid-file", type=Path, help="holds the process id of the run in progress, to pause it by")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("queue: terminated"))  # and the run in progress with it

    failed = set()
    while True:
        waiting = [name for name in names(args) if name not in failed and not (args.out / name / "done").is_file()]
        if not waiting:
            say("nothing is left" + (f"; failed: {', '.join(sorted(failed))}" if failed else ""))
            return 1 if failed else 0
        name = waiting[0]
        say(f"{name}: starts; after it {', '.join(waiting[1:]) or 'nothing'}")
        code = train(name, args)
        say(f"{name}: exit code {code}")
        if code not in (0, UNFINISHED):
            failed.add(name)


if __name__ == "__main__":
    sys.exit(main())
