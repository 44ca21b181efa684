"""The training system: the step, exact resumption, checkpoints, configs, the command line."""

import json
import re
import signal
import time
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import NamedSharding
from jax.sharding import PartitionSpec as P

from configs import default
from jdmri import losses, masks, models
from jdmri.data.acquisition import Acquisition
from jdmri.data.records import Shape
from jdmri.errors import InputError
from jdmri.runtime import exit_codes
from jdmri.training import (
    batches,
    build,
    optim,
    restore,
    state,
    step,
    train,
)
from jdmri.training.augment import augmentation
from jdmri.training.checkpoint import Checkpoints
from jdmri.training.examples import Bucket, Examples
from tests.helpers.arrays import complex_normal
from tests.helpers.runs import final_state, jdmri, jdmri_here, tiny


def make_task(sampler=None, loss=None, **augment):
    augment = dict(flips=True, frame_roll=True, global_phase=True) | augment
    denoiser = dict(name="cnn3d", width=4, depth=3, batch_norm=True)
    return step.Task(
        model=models.build(dict(name="denoise", denoiser=denoiser)),
        acquisition=Acquisition(
            sampler or masks.variable_density(acceleration=3.0, num_center_lines=2)
        ),
        loss=loss or losses.l2(),
        augment=augmentation(**augment),
    )


def make_examples(key, count=4):
    cine = complex_normal(key, (count, 4, 16, 16))
    maps = jnp.ones((count, 1, 16, 16), jnp.complex64)
    return Examples(cine, maps, jnp.full(count, 0.1), jnp.arange(count, dtype=jnp.uint32))


def run_steps(task, num_devices, num_steps=2, poison=None, batch_size=4, **begin):
    optimizer, _ = optim.build(
        dict(name="sgd", learning_rate=0.1, clip_norm=0.0, schedule=dict(name="constant")), 10
    )
    mesh = jax.make_mesh(
        (num_devices,), ("data",), devices=jax.devices()[:num_devices],
        axis_types=(jax.sharding.AxisType.Auto,),
    )  # fmt: skip
    train_step = step.make_train_step(task, optimizer, ema_decay=0.9, mesh=mesh)
    current = state.create(task.model, optimizer, 0).replace(**begin)
    examples = make_examples(jax.random.key(1))
    if poison is not None:
        examples = examples._replace(cine=examples.cine.at[poison].set(jnp.nan))
    current, examples = jax.device_put((current, examples), NamedSharding(mesh, P()))
    kind = Bucket(Shape(4, 1, 16, 16), measured=False, padded=False)
    plan = batches.make([kind] * 4, batch_size, num_steps, seed=0)
    split = NamedSharding(mesh, P("data"))
    compiled = train_step.lower(current, examples, jax.device_put(plan[0], split)).compile()
    initial = jax.tree.map(np.array, current)
    for rows in plan:
        current, metrics = compiled(current, examples, jax.device_put(rows, split))
    return initial, jax.tree.map(np.array, current), jax.device_get(metrics), compiled


@pytest.mark.optimised  # what the compiler makes of the program is asserted
def test_four_devices_equal_one_with_plain_sgd_and_batch_norm():
    _, one, metrics_one, _ = run_steps(make_task(), 1)
    initial, four, metrics_four, compiled = run_steps(make_task(), 4)
    np.testing.assert_allclose(metrics_one["loss"], metrics_four["loss"], rtol=1e-5)
    compare = partial(np.testing.assert_allclose, rtol=1e-3, atol=2e-6)
    jax.tree.map(compare, one.params, four.params)
    jax.tree.map(compare, one.batch_stats, four.batch_stats)
    assert " all-gather(" not in compiled.as_text()
    moved = jax.tree.map(lambda a, b: np.abs(a - b).max(), initial.params, four.params)
    assert max(jax.tree.leaves(moved)) > 1e-4


def test_a_loss_that_is_not_finite_skips_the_update_and_is_counted():
    initial, current, metrics, _ = run_steps(make_task(), 1, num_steps=3, poison=0)
    for name in ("params", "opt_state", "batch_stats", "ema"):
        jax.tree.map(np.testing.assert_array_equal, getattr(initial, name), getattr(current, name))
    assert current.step == 3 and current.skipped == 3 and metrics["skipped_in_a_row"] == 3
    _, current, metrics, _ = run_steps(make_task(), 1, num_steps=4, poison=0, batch_size=1)
    assert current.skipped == 1 and np.isfinite(jax.tree.leaves(current.params)[0]).all()


@pytest.mark.parametrize(("steps_before", "decay"), [(0, 0.1), (1000, 0.9)])
def test_the_average_follows_fast_at_first_and_then_slowly(steps_before, decay):
    begin = dict(step=jnp.int32(steps_before))
    initial, current, *_ = run_steps(make_task(), 1, num_steps=1, **begin)
    blend = lambda old, new: decay * old + (1 - decay) * new
    for name in ("params", "batch_stats"):
        expected = jax.tree.map(blend, getattr(initial, name), getattr(current, name))
        close = partial(np.testing.assert_allclose, rtol=1e-5, atol=1e-7)
        jax.tree.map(close, current.ema[name], expected)


def test_a_step_draws_by_seed_and_by_number():
    def loss(seed, number):
        begin = dict(seed=jnp.uint32(seed), step=jnp.int32(number))
        return float(run_steps(make_task(), 1, num_steps=1, **begin)[2]["loss"])

    draws = [(0, 0), (1, 0), (0, 1), (0, 0)]
    first, other_seed, other_step, again = (loss(*draw) for draw in draws)
    assert first == again and len({first, other_seed, other_step}) == 3


def test_masks_are_new_every_step_and_fixed_in_evaluation(key):
    task = make_task(loss=lambda e, r, s: jnp.sum(jnp.abs(e) ** 2), flips=False, frame_roll=False)
    example = jax.tree.map(lambda a: a[0], make_examples(key))
    variables = state.create(
        task.model, optim.build(default.get_config().optimizer.to_dict(), 1)[0], 0
    )
    evaluate_step = step.make_eval_step(task)
    first, again = (evaluate_step(variables.variables, example, 0.0)[0]["psnr"] for _ in range(2))
    assert first == again
    another = example._replace(seed=jnp.uint32(9))
    other = evaluate_step(variables.variables, another, 0.0)[0]["psnr"]
    assert first != other


def test_resumption_is_exact(tmp_path):
    """Stop after any step and continue: the whole state equals the uninterrupted run's, bit for bit."""
    config = tiny(tmp_path, num_steps=7)
    config.optimizer.schedule = dict(name="warmup_cosine", warmup=0.4)
    train.train(config, tmp_path / "whole")
    config.checkpoint.every_steps = 1
    train.train(config, tmp_path / "parts")
    checkpoints = Checkpoints(tmp_path / "parts" / "checkpoints")
    checkpoints.drop_after(checkpoints.steps()[-2])
    checkpoints.close()
    assert checkpoints.steps()[-1] == 6
    train.train(config, tmp_path / "parts")
    whole, parts = final_state(tmp_path / "whole"), final_state(tmp_path / "parts")
    jax.tree.map(np.testing.assert_array_equal, whole, parts)
    records = [json.loads(r) for r in (tmp_path / "parts/metrics.jsonl").read_text().splitlines()]
    assert len({(r["step"], r["split"]) for r in records}) == len(records)


def test_another_config_in_the_workdir_is_refused_by_field(tmp_path):
    config = tiny(tmp_path, num_steps=2)
    train.train(config, tmp_path / "run")
    changed = tiny(tmp_path, num_steps=2)
    changed.optimizer.learning_rate = 0.5
    with pytest.raises(InputError, match=r"optimizer.learning_rate: 0.002 → 0.5"):
        train.train(changed, tmp_path / "run")
    longer = tiny(tmp_path, num_steps=4)
    with pytest.raises(InputError, match=r"train.num_steps: 2 → 4.*--extend.*init_from"):
        train.train(longer, tmp_path / "run")
    train.train(longer, tmp_path / "run", extend=True)
    assert final_state(tmp_path / "run").step == 4


def test_init_from_starts_with_the_other_runs_weights(tmp_path):
    train.train(tiny(tmp_path, num_steps=2), tmp_path / "first")
    config = tiny(tmp_path, num_steps=1, init_from=str(tmp_path / "first"), ema_decay=0.0)
    config.optimizer.learning_rate = 0.0
    train.train(config, tmp_path / "second")
    first, second = final_state(tmp_path / "first"), final_state(tmp_path / "second")
    jax.tree.map(partial(np.testing.assert_allclose, atol=1e-6), first.ema["params"], second.params)
    config.split.seed = 1
    with pytest.raises(InputError, match="another split of the same data"):
        train.train(config, tmp_path / "third")


def test_damaged_and_unfinished_checkpoints(tmp_path, caplog):
    train.train(tiny(tmp_path, num_steps=10), tmp_path / "run")
    folder = tmp_path / "run" / "checkpoints"
    checkpoints = Checkpoints(folder)
    last, other = checkpoints.steps()[-1], checkpoints.steps()[0]
    data = max(
        (folder / str(last) / "default").rglob("*"), key=lambda p: p.stat().st_size * p.is_file()
    )
    content = bytearray(data.read_bytes())
    content[len(content) // 2] ^= 1
    data.write_bytes(content)
    with pytest.raises(InputError, match=f"damaged: .*{data.name} differs.*--checkpoint={other}"):
        restore.restore_state(tmp_path / "run", "latest")
    (folder / str(last) / "manifest.json").unlink()
    assert checkpoints.steps() == [other] == [5]
    assert f"Checkpoint {last} has no manifest" in caplog.text
    with pytest.raises(InputError, match="no checkpoint '99'"):
        checkpoints.choose("99")


def test_a_save_may_begin_while_the_manifest_of_another_is_written(tmp_path):
    class Saved(NamedTuple):
        step: np.ndarray
        weights: np.ndarray

    class Slow(dict):
        def __iter__(self):
            for key in super().__iter__():
                time.sleep(0.5)
                yield key

    checkpoints = Checkpoints(tmp_path)
    checkpoints._pending = Slow()
    for number in (1, 2):
        checkpoints.save(Saved(np.int32(number), np.ones(3, np.float32)))
        time.sleep(0.2)
    checkpoints.close()
    assert checkpoints.steps() == [1, 2]


@pytest.mark.parametrize(
    ("scores", "epochs"), [((20, 20, 20, 20), 3), ((20, 21, 19, 22, 5, 22, 30), 6), ((np.nan, 1, 0, -1), 4)]
)  # fmt: skip
def test_early_stopping_counts_validations(tmp_path, monkeypatch, scores, epochs):
    """Only a better score than the best begins the count anew; the scores are told, not measured."""
    told = iter([(dict(loss=1.0, psnr=float(score)), np.zeros((2, 6))) for score in scores])
    monkeypatch.setattr(train, "Validation", lambda *_: lambda state: next(told))
    train.train(tiny(tmp_path, num_steps=60, patience=2), tmp_path / "run")
    assert final_state(tmp_path / "run").step == epochs * 5


def test_ten_bad_steps_in_a_row_stop_the_run(tmp_path, monkeypatch):
    config = tiny(tmp_path, num_steps=40)

    def not_a_number(*, domain):
        return lambda estimate, reference, step: jnp.mean(jnp.abs(estimate)) * jnp.nan

    monkeypatch.setitem(losses.LOSSES._factories, "l1", not_a_number)
    with pytest.raises(InputError, match=r"not finite 10 times in a row.*last good checkpoint"):
        train.train(config, tmp_path / "run")


TINY = (
    "--config=configs/demo.py", "--config.data.num_series=8", "--config.data.num_frames=4",
    "--config.data.matrix=16,18", "--config.model.denoiser.width=4", "--config.model.denoiser.num_frames=4",
    "--config.mask.acceleration=3.0", "--config.mask.num_center_lines=2", "--config.train.log_every=2",
    "--config.metrics=('psnr',)",
)  # fmt: skip


@pytest.mark.parametrize(
    "number", [pytest.param(signal.SIGKILL, marks=pytest.mark.slow), signal.SIGTERM]
)
def test_a_killed_run_resumes_and_ends_byte_equal(tmp_path, number):
    tiny_run = (*TINY, "--config.train.num_steps=150", "--config.checkpoint.every_steps=20")
    manifests = lambda: list((tmp_path / "run" / "checkpoints").glob("*/manifest.json"))
    deadline = time.time() + 120
    with jdmri(*tiny_run, "--workdir=run", cwd=tmp_path) as process:
        while not manifests() and time.time() < deadline:
            time.sleep(0.02)
        process.send_signal(number)
        _, stderr = process.communicate(timeout=120)
    assert process.returncode == (-9 if number == signal.SIGKILL else 75), stderr
    with jdmri(*tiny_run, "--workdir=run", cwd=tmp_path) as process:
        _, stderr = process.communicate(timeout=240)
    assert process.returncode == 0, stderr
    resumed = [line for line in stderr.splitlines() if line.startswith("Resuming from step")]
    assert resumed and int(resumed[0].split()[3]) > 0
    with jdmri(*tiny_run, "--workdir=whole", cwd=tmp_path) as process:
        _, stderr = process.communicate(timeout=240)
    assert process.returncode == 0, stderr
    jax.tree.map(
        np.testing.assert_array_equal,
        final_state(tmp_path / "run"),
        final_state(tmp_path / "whole"),
    )


BAD_INPUT = {
    "no config": ((), "--config=configs/demo.py"),
    "no such config": (("--config=configs/none.py",), "no config file 'configs/none.py'"),
    "no such field": ((*TINY, "--config.train.num_step=3"), 'Did you mean "num_steps"'),
    "no number": ((*TINY, "--config.train.num_steps=many"), "many"),
    "no such mask": ((*TINY, "--config.mask.name=radial"), "unknown mask 'radial'"),
    "too many centre lines": ((*TINY, "--config.mask.num_center_lines=90"), "90 centre lines do not fit"),
    "other frames": ((*TINY, "--config.model.denoiser.num_frames=5"), "built for 5 frames, the series has 4"),
    "no such file": (("--config=configs/demo.py", "--config.data.name=npz", "--config.data.path=x.npz"), "no file 'x.npz'"),
    "too few series": ((*TINY, "--config.data.num_series=2"), "split empty"),
    "too large a batch": ((*TINY, "--config.train.batch_size=500"), "--config.train.batch_size="),
    "no such run": (("--mode=evaluate", "--workdir=nowhere"), "no run in nowhere"),
    "no such mode": (("--config=configs/demo.py", "--mode=fly"), "mode"),
    "stray word": (("--config=configs/demo.py", "stray"), "stray"),
}  # fmt: skip


def is_one_line(stderr, message):
    last = [line for line in stderr.splitlines() if line.startswith("jdmri: ")]
    return len(last) == 1 and message in last[0] and "Traceback" not in stderr


@pytest.mark.parametrize("case", BAD_INPUT)
def test_bad_input_gets_one_line_and_exit_code_2(tmp_path, capsys, case):
    arguments, message = BAD_INPUT[case]
    code = jdmri_here(*arguments, cwd=tmp_path)
    out, stderr = capsys.readouterr()
    assert code == 2 and is_one_line(stderr, message) and not out, stderr
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("case", ["no such field", "too many centre lines", "stray word"])
def test_bad_input_ends_a_process_with_exit_code_2(tmp_path, case):
    """Of the parsing of flags, of the training and of the command line each one."""
    arguments, message = BAD_INPUT[case]
    with jdmri(*arguments, cwd=tmp_path) as process:
        stdout, stderr = process.communicate(timeout=120)
    assert process.returncode == 2 and is_one_line(stderr, message) and not stdout, stderr
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ValueError("RESOURCE_EXHAUSTED: Error writing: No space left on device"), "disk is full"),
        (OSError(28, "No space left on device"), "disk is full"),
        (RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 9 bytes"), "device memory.*width"),
        (PermissionError(13, "Permission denied", "runs"), "cannot read or write runs"),
    ],
)  # fmt: skip
def test_failures_of_the_machine_are_told_apart(error, message):
    told, code = exit_codes.explain(error)
    assert re.search(message, told) and code == 2 and "\n" not in told
    assert exit_codes.explain(RuntimeError("a defect of ours")) is None


@pytest.mark.parametrize(
    ("section", "message"),
    [(dict(mask=dict(name="radial")), "unknown mask"), (dict(loss=dict(name="l7")), "unknown loss"), (dict(model=dict(name="unroll")), "unknown model")],
)  # fmt: skip
def test_what_is_mistyped_is_refused_before_the_data_are_read(
    tmp_path, monkeypatch, section, message
):
    monkeypatch.setattr(build, "read_data", lambda config: pytest.fail("the data were read"))
    config = tiny(tmp_path)
    config.update(section)
    with pytest.raises(InputError, match=message):
        train.train(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()
