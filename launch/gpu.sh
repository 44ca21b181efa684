#!/usr/bin/env bash
# Everything that only a GPU can show, most valuable first, in about nine minutes on an H100, nearly all of them compilation.
# Each part is bounded and written at once; what it printed goes into the rows of docs/results by `python -m benchmarks.tables --take`.
#   bash launch/gpu.sh [OUTPUT_FOLDER] [part ...]        parts: env equal peak tests step epoch memory growth
# Needs: Python with jax (CUDA), flax, optax, orbax, and for `step` torch. Nothing is installed here.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
out=${1:-gpu-results}; shift || true
parts=${*:-env equal peak tests step epoch memory growth}
mkdir -p "$out"; : >"$out/summary.txt"; export XLA_PYTHON_CLIENT_PREALLOCATE=false PYTHONUNBUFFERED=1
python=${PYTHON:-python3}
{ date -u +%F; nvidia-smi --query-gpu=name,driver_version --format=csv,noheader; echo "$(nproc) CPU cores, $(uptime | sed 's/.*load/load/')"; } 2>&1 | tee -a "$out/summary.txt"
part() { # NAME SECONDS COMMAND...
  local name=$1 limit=$2; shift 2
  case " $parts " in *" $name "*) ;; *) return ;; esac
  local begin=$SECONDS; timeout "$limit" "$@" >"$out/$name.txt" 2>&1
  printf '%-8s rc %s, %s s: %s\n' "$name" $? $((SECONDS - begin)) "$(grep -v '^$' "$out/$name.txt" | tail -1 | cut -c1-150)" | tee -a "$out/summary.txt"
}
part env 30 bash -c "nvidia-smi; $python -c 'import jax, flax, optax; print(jax.__version__, flax.__version__, optax.__version__, jax.devices())'"
part equal 90 "$python" - <<'PY'
# The same key, data and weights on CPU and GPU.
import jax, numpy as np
from jdmri import masks, phantom
from jdmri.classical import METHODS
from jdmri.ops import sense
cpu, gpu = jax.devices("cpu")[0], jax.devices()[0]
def both(name, function, *arguments):
    results = []
    for device in (cpu, gpu):
        with jax.default_device(device):
            results.append(np.asarray(function(*jax.device_put(arguments, device))))
    a, b = results
    print(f"{name:20} equal {np.array_equal(a, b)}  relative {np.linalg.norm(a.astype(np.complex128) - b) / np.linalg.norm(a):.1e}")
    return a
shape = (20, 96, 96)
key = jax.random.key(0)
mask = both("variable density", lambda k: masks.variable_density(acceleration=5.0, num_center_lines=5)(k, shape), key)
for name in ("lattice", "uniform", "kt_gaussian"):
    try:
        both(name, lambda k: getattr(masks, name)(acceleration=4.0, **({} if name == "lattice" else {"num_center_lines": 5}))(k, shape), key)
    except Exception as error:
        print(name, type(error).__name__, str(error)[:100])
scan = phantom.simulate(jax.random.key(1), num_frames=20, matrix=(96, 96), num_coils=4)
cine, maps = np.asarray(scan.cine), np.asarray(scan.maps)
kspace = both("forward", sense.forward, cine, maps, mask)
for name in ("view_sharing", "spatiotemporal_tv", "cg_sense"):
    both(name, METHODS.build({"name": name}), kspace, maps, mask)
PY
part peak 20 "$python" - <<'PY'
import jax, jax.numpy as jnp, time
for kind, n in ((jnp.float32, 8192), (jnp.bfloat16, 8192)):
    a = jax.random.normal(jax.random.key(0), (n, n), kind)
    f = jax.jit(lambda a: a @ a)
    f(a).block_until_ready()
    t = time.perf_counter()
    for _ in range(10): b = f(a)
    b.block_until_ready()
    print(kind.__name__, round(2 * n**3 * 10 / (time.perf_counter() - t) / 1e12, 1), "TFLOP/s")
PY
part tests 40 "$python" -m pytest -m gpu -q -p no:cacheprovider
part step 250 "$python" -m benchmarks.speed.train_step --against=torch --precision=tf32 --networks demo cascade dual_unet --widths 64 --sizes 192
part epoch 100 "$python" -m benchmarks.speed.train_step --networks dual_unet --widths 64 --sizes 192 --batches 10
part memory 70 "$python" -m benchmarks.speed.scaling --policies --memory plain scan_remat --cascades 3 --matrix 192 --coils 4 --width 32
part growth 50 "$python" -m benchmarks.speed.scaling --only frames
cat "$out/summary.txt"
