"""Every config and variant: builds, has its published size, trains a step, restores, evaluates."""

import jax
import numpy as np
import pytest

from configs import (
    cascade,
    cnn3d,
    dc_cnn,
    default,
    demo,
    dual_unet,
    flagship,
    ghodrati,
    modl,
    varnet,
)
from jdmri import models
from jdmri.errors import InputError
from jdmri.evaluation import evaluate
from jdmri.studies import find_lr
from jdmri.training import (
    build,
    optim,
    state,
    train,
)
from jdmri.training.feed import feed
from jdmri.training.step import make_train_step
from tests.helpers.networks import count, example
from tests.helpers.runs import shrink, tiny

VARIANTS = {
    cascade: ("2", "3", "simple0", "simple2", "simple3", "dual2", "dual3", "complex2", "unet2", "resnet2"),
    cnn3d: ("simple", "complex", "complex-edge-300", "complex-perceptual-300", "simple-dropout-300", "complex-sgd", "complex-batchnorm"),
    dc_cnn: ((),),
    default: ((),),
    demo: ((),),
    dual_unet: tuple(dual_unet.VARIANTS),
    flagship: ((), "small"),
    ghodrati: ("unet-l1", "unet-l2", "unet-dssim", "unet-perceptual", "resnet2-l1", "resnet4-perceptual", "resnet7-l1"),
    modl: ("3",),
    varnet: varnet.VARIANTS,
}  # fmt: skip
CONFIGS = {
    f"{module.__name__.removeprefix('configs.')}:{variant}" if variant else module.__name__.removeprefix("configs."): (module, variant)
    for module, variants in VARIANTS.items() for variant in variants
}  # fmt: skip
TRAINED = (  # one a family, the others with -m slow; all are traced
    "cascade:2", "cnn3d:complex-batchnorm", "dc_cnn", "demo", "dual_unet:repaired", "ghodrati:resnet4-perceptual", "modl:3", "varnet:refined",
)  # fmt: skip
DRAWN = ("demo", "ghodrati:resnet4-perceptual")
MILLIONS = {  # as published
    "dual_unet:original": 63.2,
    "ghodrati:unet-l1": 1.3,
    "ghodrati:resnet4-perceptual": 0.1,
    "dc_cnn": 5 * 0.34,
    "flagship": 0.508,  # and the small one 94,314: as they are described
    "flagship:small": 0.0943,
}


def configuration(name):
    module, variant = CONFIGS[name]
    return module.get_config(*([variant] if variant else []))


@pytest.mark.parametrize("name", MILLIONS)
def test_networks_have_their_published_size(name, key):
    model = models.build(configuration(name).model.to_dict())
    data = example(key, frames=20, size=(32, 32), num_coils=1)
    shapes = jax.eval_shape(model.init, key, *data)
    assert count(shapes) / 1e6 == pytest.approx(MILLIONS[name], rel=0.2)


@pytest.mark.parametrize("name", CONFIGS)
def test_every_config_traces_a_training_step(name, tmp_path):
    config = shrink(configuration(name), tmp_path)
    task = build.build_task(config)
    optimizer, _ = optim.build(config.optimizer.to_dict(), 10)
    current = jax.eval_shape(lambda: state.create(task.model, optimizer, 0))
    series = build.split_data(build.read_data(config), config)["train"]
    examples = feed(series, build.pipeline(config)).one(0)
    batch = jax.tree.map(lambda a: a[None], examples)
    train_step = make_train_step(task, optimizer, ema_decay=0.9, mesh=train.one_axis_mesh(1))
    after, metrics = jax.eval_shape(train_step, current, batch, np.zeros(1, np.int32))
    assert jax.tree.map(lambda a: a.shape, after) == jax.tree.map(lambda a: a.shape, current)
    assert metrics["loss"].shape == ()


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.slow] * (n not in TRAINED)) for n in CONFIGS]
)
def test_every_config_trains_restores_and_evaluates(name, tmp_path):
    config = shrink(configuration(name), tmp_path)
    config.train.num_steps = 1
    if name != "demo":
        config.methods = ()
    train.train(config, tmp_path / "run")
    drawn = name in DRAWN
    target, result = evaluate.evaluate(config, tmp_path / "run", pictures=drawn)
    assert "view_sharing" in result["methods"] or name != "demo"
    assert set(result["methods"]) == {"model", *config.methods}
    assert result["methods"]["model"]["psnr"]["n"] == result["protocol"]["num_subjects"] > 0
    pictures = (
        "figures/masks.png",
        "figures/worst-1_comparison.pdf",
        "figures/median.gif",
        "report.html",
    )
    for file in ("series.csv", "summary.json", "card.json", *(pictures if drawn else ())):
        assert (target / file).stat().st_size > 0
    for file in ("config.json", "environment.json", "metrics.jsonl"):
        assert (tmp_path / "run" / file).stat().st_size > 0
    note = result["protocol"]["note"]
    assert ("random filters" in note) == ("perceptual" in name)
    if drawn:
        assert ("random filters" in (target / "report.html").read_text()) == ("perceptual" in name)
    (events,) = (tmp_path / "run" / "tensorboard").iterdir()
    assert b"PNG" in events.read_bytes()


@pytest.mark.parametrize(
    ("module", "variant"),
    [(cascade, "simple"), (cnn3d, "naive"), (cnn3d, "simple-fast"), (dual_unet, "triple"), (flagship, "large"), (ghodrati, "vit"), (ghodrati, "unet-l3"), (modl, "three"), (varnet, "estimated")],
)  # fmt: skip
def test_unknown_variants_are_refused_with_the_known_ones(module, variant):
    with pytest.raises(InputError, match=r"takes|known:"):
        module.get_config(variant)


def test_the_learning_rate_range_test_draws_its_curve(tmp_path):
    text = find_lr.find(tiny(tmp_path), tmp_path / "run", num_steps=12)
    assert "lowest at a learning rate" in text
    rows = (tmp_path / "run" / "lr_range.csv").read_text().splitlines()
    assert rows[0].startswith("learning_rate,loss") and 2 < len(rows) <= 13
    first, last = (float(r.split(",")[0]) for r in (rows[1], rows[-1]))
    assert first == pytest.approx(find_lr.LOWEST, rel=1e-3) and last <= find_lr.HIGHEST * 1.001
    assert (tmp_path / "run" / "lr_range.png").stat().st_size > 0


def test_fewer_and_random_series_are_used_as_told(tmp_path, monkeypatch):
    config = tiny(tmp_path, num_steps=1, num_series=3)
    config.eval.num_series = 1
    config.split.ratios = (5, 2, 1)
    seen = []
    monkeypatch.setattr(train, "feed", lambda s, how: seen.append(len(s)) or feed(s, how))
    train.train(config, tmp_path / "run")
    assert seen == [3, 2]
