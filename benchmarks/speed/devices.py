"""What several devices or processes cost: the same training, its batch divided among them, on this machine.

    python -m benchmarks.speed.devices

1, 2 and 4 virtual CPU devices in one process, and 1 and 2 processes that meet over localhost. The cores are the same for all, so that ratios
above 1 are the overhead of the collective path (and of smaller pieces of work). Medians of the steps after the first ten.
"""

import argparse
import os
import socket
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

STEPS = 40


def main():
    """Train in each layout, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=64)
    options = parser.parse_args()
    print("| processes | devices each | step ms | of one device |\n|---|---|---|---|")
    alone = None
    for count, devices in ((1, 1), (1, 2), (1, 4), (2, 1), (2, 2)):
        with tempfile.TemporaryDirectory() as folder:
            seconds = trained(count, devices, options.size, Path(folder) / "run")
        alone = alone or seconds
        print(f"| {count} | {devices} | {1e3 * seconds:.0f} | {seconds / alone:.2f} |", flush=True)


def trained(count, devices, size, folder):
    """Train by the command line; the median time of a step, from the run's own log."""
    with socket.socket() as one:
        one.bind(("localhost", 0))
        address = f"localhost:{one.getsockname()[1]}"
    flags = f"--xla_force_host_platform_device_count={devices}"
    command = [sys.executable, "-m", "jdmri.main", "--config=configs/demo.py"]
    command += [f"--config.data.matrix=({size},{size})", "--config.train.batch_size=4"]
    command += [f"--config.train.num_steps={STEPS}", "--config.train.log_every=5"]
    command += ["--config.eval.every_epochs=100", f"--workdir={folder}", "--config.methods=()"]
    processes = [
        subprocess.Popen(
            [*command, f"--distributed={address},{count},{i}" if count > 1 else "--distributed=off"],
            env=os.environ | {"XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for i in range(count)
    ]  # fmt: skip
    if any([one.wait() for one in processes]):
        raise SystemExit(f"the training in {count} process(es) failed")
    from jdmri.training import records

    history = [r for r in records.read_records(folder) if r["split"] == "train"]
    return statistics.median(r["seconds_per_step"] for r in history if r["step"] > 10)


if __name__ == "__main__":
    main()
