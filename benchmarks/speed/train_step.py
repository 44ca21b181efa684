"""Training step and inference, ours and PyTorch's: the same networks and sizes, in one run, in turn.

    python -m benchmarks.speed.train_step                                 ours alone
    python -m benchmarks.speed.train_step --against=torch                 beside PyTorch: NCHW and channels last; --compile: torch.compile, too
    python -m benchmarks.speed.train_step --against=torch --networks dual_unet --widths 64 --sizes 192 --batches 1 4

Each side is a process of its own, so that its peak memory is its own; they take turns, one step each. Medians. Our step holds augmentation,
masks, undersampling, the loss, the gradient, AdamW and the averaged weights; PyTorch's gets undersampled data and does the rest.
"Temporary" is what XLA plans besides arguments; peaks are those of whole processes while they step, after compilation; on a GPU the device's, with compilation. 20 frames, one coil, float32 (--precision=tf32 or bfloat16: both sides).
"""

import argparse
import ctypes
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

CLEAR, STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")
REPEATS, WARM = 10, 2
OURS, THEIRS = "jdmri", ("torch", "torch channels last")


def main():
    """Print one row for each network, width, size and batch."""
    options = parse()
    if options.worker:
        work(options)
        return
    print(f"| network | width | matrix | batch | {columns()} |")
    print("|" + "---|" * 18)
    sides = [OURS, *(THEIRS if options.against else ()), *(["torch compile"] * options.compile)]
    for case in cases(options):
        report(case, {side: Worker(side, case, options.precision) for side in sides})


def parse():
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--against", choices=["torch"])
    parser.add_argument("--compile", action="store_true", help="torch.compile as a further side")
    parser.add_argument("--networks", nargs="+", default=["demo", "cnn3d", "cascade", "dual_unet"])
    parser.add_argument("--widths", type=int, nargs="+", default=[16, 64])
    parser.add_argument("--sizes", type=int, nargs="+", default=[96, 192])
    parser.add_argument("--batches", type=int, nargs="+", default=[1])
    parser.add_argument("--precision", default="float32", choices=["float32", "tf32", "bfloat16"])
    parser.add_argument("--worker", help="used by the benchmark itself: which side")
    return parser.parse_args()


def cases(options):
    """Every network, width, size and batch; the demo has one width."""
    for name in options.networks:
        for width in options.widths if name != "demo" else [64]:
            for size in options.sizes:
                for batch in options.batches:
                    yield dict(network=name, width=width, size=size, batch=batch)


class Worker:
    """A process that holds one side, and does one step when it is told to."""

    def __init__(self, side, case, precision):
        """Start it, and wait until it has compiled."""
        command = [
            sys.executable,
            "-m",
            "benchmarks.speed.train_step",
            f"--worker={side}",
            f"--precision={precision}",
        ]
        command += ["--networks", case["network"], "--widths", str(case["width"])]
        command += ["--sizes", str(case["size"]), "--batches", str(case["batch"])]
        # Idle OpenMP threads would spin, and take the cores from the side whose turn it is.
        environment = os.environ | {"OMP_WAIT_POLICY": "passive"}
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        self.ready = self._answer()

    def do(self, what):
        """Let it do ``train``, ``infer`` or ``end``."""
        self._process.stdin.write(what + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self):
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("a worker ended before its answer; see its message above")
        return json.loads(line)


def report(case, workers):
    """Take turns, then print the row."""
    seconds = {side: {"train": [], "infer": []} for side in workers}
    for _ in range(REPEATS):
        for what in ("train", "infer"):
            for side, worker in workers.items():
                seconds[side][what].append(worker.do(what)["seconds"])
    peaks = {side: worker.do("end")["peak"] for side, worker in workers.items()}
    median = {s: {k: statistics.median(v) for k, v in t.items()} for s, t in seconds.items()}
    ours, ready = median[OURS], workers[OURS].ready
    cells = [*case.values(), f"{ready['parameters']:,}", f"{ready['seconds']:.0f}"]
    for what in ("train", "infer"):
        cells.append(f"{1e3 * ours[what]:.0f}")
        theirs = {s: median[s][what] for s in median if s in THEIRS}
        cells += compared(ours[what], min(theirs.values(), default=None))
    compiled = median.get("torch compile")
    cells += compared(ours["train"], compiled and compiled["train"])
    cells.append(f"{ready['flops'] / ours['train'] / ready['peak']:.0%}")
    cells += [f"{ready['temporary'] / 2**20:.0f}", f"{peaks[OURS] / 2**20:.0f}"]
    cells.append("–" if len(peaks) == 1 else f"{peaks[THEIRS[0]] / 2**20:.0f}")
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def columns():
    """The header after the case."""
    return (
        "parameters | compile s | step ms | torch ms | ratio | inference ms | torch ms | ratio | torch.compile step ms | ratio | "
        "of peak | temporary MiB | peak MiB | torch peak MiB"
    )


def compared(ours, theirs):
    """Their milliseconds, and our share of them."""
    return ["–", "–"] if theirs is None else [f"{1e3 * theirs:.0f}", f"{ours / theirs:.2f}"]


def work(options):
    """Hold one side: say when it is ready, then do what standard input says."""
    (case,) = cases(options)
    prepare = ours if options.worker == OURS else theirs
    start = time.perf_counter()
    functions, about = prepare(options, **case)
    for function in functions.values():
        for _ in range(WARM):
            function()
    forget_peak()
    print(json.dumps({"seconds": time.perf_counter() - start, **about}), flush=True)
    for line in sys.stdin:
        if line.strip() == "end":
            print(json.dumps({"peak": peak_bytes(options.worker)}), flush=True)
            return
        start = time.perf_counter()
        functions[line.strip()]()
        print(json.dumps({"seconds": time.perf_counter() - start}), flush=True)


def forget_peak():
    """Give back what compilation freed, and begin to look for the peak of the steps; the kernel does it for a CPU's memory."""
    if hasattr(ctypes.CDLL(None), "malloc_trim") and CLEAR.exists():
        ctypes.CDLL(None).malloc_trim(0)
        CLEAR.write_text("5")


def peak_bytes(side):
    """Most memory of the device while stepping, or on a CPU of the process."""
    module = sys.modules["jax" if side == OURS else "torch"]
    if side == OURS and module.default_backend() != "cpu":
        return module.local_devices()[0].memory_stats()["peak_bytes_in_use"]
    if side != OURS and module.cuda.is_available():
        return module.cuda.max_memory_allocated()
    kilobytes = [line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM")]
    return 1024 * int(kilobytes[0].split()[1])


def config_of(name, width, precision):
    """Our config of a network."""
    from configs import cascade, cnn3d, demo, dual_unet

    makers = {"demo": demo.get_config, "cascade": cascade.get_config}
    makers |= {"cnn3d": lambda: cnn3d.get_config("simple"), "dual_unet": dual_unet.get_config}
    config = makers[name]()
    config.model.denoiser.width = width
    config.train.precision = precision
    config.optimizer.update(name="adamw", clip_norm=1.0)
    config.mask.num_center_lines = 5
    return config


def ours(options, network, width, size, batch):
    """Compile our step and inference."""
    import jax
    import jax.numpy as jnp

    from jdmri.models.reconstructor import reconstructor
    from jdmri.ops import sense
    from jdmri.runtime import memory
    from jdmri.studies import cost
    from jdmri.training import build, throughput
    from jdmri.training.examples import Examples

    memory.keep_freed()  # as the command line does
    config = config_of(network, width, options.precision)
    config.train.batch_size = batch
    cine = jax.random.normal(jax.random.key(0), (20, size, size), jnp.complex64)
    maps = jnp.ones((1, size, size), jnp.complex64)
    stack = lambda a: jnp.broadcast_to(a, (batch, *a.shape))
    sigma, seeds = jnp.full(batch, 0.02), jnp.arange(batch, dtype=jnp.uint32)
    examples = Examples(stack(cine), stack(maps), sigma, seeds)
    compiled, state, *data = cost.compile_step(config, examples)
    task = build.build_task(config)
    mask = task.acquisition.sampler(jax.random.key(1), cine.shape)
    kspace = sense.acquire(jax.random.key(2), cine, maps, mask, 0.02)
    undersampled = jax.device_put((stack(kspace), stack(maps), stack(mask)))
    held = {"state": state}
    # A copy: the step takes the state's own memory.
    variables = jax.tree.map(jnp.copy, state.variables)
    apply = reconstructor(task.model, variables)

    def train():
        held["state"], _ = jax.block_until_ready(compiled(held["state"], *data))

    about = {
        "parameters": sum(a.size for a in jax.tree.leaves(state.params)),
        "flops": (compiled.cost_analysis() or {}).get("flops", 0.0),
        "temporary": memory.estimate(compiled),
        "peak": throughput.matmul_peak(),
    }
    return {"train": train, "infer": lambda: jax.block_until_ready(apply(*undersampled))}, about


def theirs(options, network, width, size, batch):
    """Build the PyTorch step and inference."""
    import torch

    from benchmarks.peers.torch_networks import NETWORKS, channels_last, compiled

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    # Left alone, PyTorch convolves in TensorFloat-32 and multiplies in float32; ours does both as asked.
    torch.backends.cudnn.allow_tf32 = options.precision != "float32"
    torch.backends.cuda.matmul.allow_tf32 = options.precision != "float32"
    torch.manual_seed(0)
    model = NETWORKS[network](width).to(device)
    layouts = {"torch channels last": channels_last, "torch compile": compiled}
    model = layouts.get(options.worker, lambda model: model)(model)
    parameters = sum(p.numel() for p in model.parameters())
    cine = torch.randn(batch, 20, size, size, dtype=torch.complex64, device=device)
    mask = (torch.rand(batch, 20, size, 1, device=device) < 0.2).float()
    kspace = mask * torch.fft.fft(cine, dim=-2, norm="ortho")
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    averaged = [p.detach().clone() for p in model.parameters()]
    narrow = torch.autocast(device.type, torch.bfloat16, enabled=options.precision == "bfloat16")

    def finish():
        if device.type == "cuda":
            torch.cuda.synchronize()

    def train():
        model.train()
        optimizer.zero_grad()
        with narrow:
            loss = (model(cine, kspace, mask) - cine).abs().mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        torch._foreach_lerp_(averaged, [p.detach() for p in model.parameters()], 0.005)
        finish()

    def infer():
        model.eval()
        with torch.no_grad(), narrow:
            model(cine, kspace, mask)
        finish()

    return {"train": train, "infer": infer}, {"parameters": parameters}


if __name__ == "__main__":
    main()
