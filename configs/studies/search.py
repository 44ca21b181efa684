"""Search for learning rate, weight decay and width of the demo's network: random, grid, or TPE with pruning.

    python -m jdmri.main --mode=search --config=configs/studies/search.py               12 trials, TPE
    python -m jdmri.main --mode=search --config=configs/studies/search.py:grid          needs pip install 'jdmri[search]'

Several processes may work on one --workdir. Each trial is trained once and scored on validation subjects; the test split is
not touched. Take the best into a study with seeds before you believe it.
"""

from ml_collections import ConfigDict

from configs import demo
from configs.studies import default


def get_config(sampler: str = "tpe"):
    """Return the search with ``tpe``, ``random`` or ``grid``."""
    config = ConfigDict()
    config.plugins = ()  # of every run, with those of the base
    config.base = demo.get_config()
    default.shrink(config.base)
    # field → low and high (log: on a logarithmic scale; num: points of a grid), or choices.
    config.space = dict(
        optimizer=dict(
            learning_rate=dict(low=3e-4, high=1e-2, log=True, num=4),
            weight_decay=dict(choices=(0.0, 1e-4, 1e-2)),
        ),
        model=dict(num_cascades=dict(low=2, high=5, num=2)),
    )
    config.search = dict(
        name=sampler,  # tpe, random or grid
        num_trials=12,
        seed=0,
        prune=True,  # stop a trial whose validation PSNR falls below the median of the earlier ones
    )
    return config
