import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).resolve().parent.parent / "run_queue.py"


def run(*arguments):
    return subprocess.run([sys.executable, str(SCRIPT), *map(str, arguments)], capture_output=True, text=True)


def test_finished_runs_are_skipped_and_a_failing_one_does_not_stop_the_queue(tmp_path):
    queue = tmp_path / "queue.txt"
    queue.write_text("no-such-network  # fails\nfinished\n\n")
    (tmp_path / "finished").mkdir()
    (tmp_path / "finished" / "done").write_text("")
    pid_file = tmp_path / "pid"
    result = run("--queue", queue, "--out", tmp_path, "--pid-file", pid_file)
    assert result.returncode == 1
    assert "no-such-network: exit code 1" in result.stdout and "failed: no-such-network" in result.stdout
    assert "finished: starts" not in result.stdout and not pid_file.exists()
    assert "no-such-network.json" in (tmp_path / "no-such-network.out").read_text()
    assert run("--out", tmp_path, "finished").returncode == 0
