"""Unrolled cascade of (2+1)-D CNNs with soft data consistency; takes any number of frames.

python -m jdmri.main --config=configs/cascade.py        three cascades
python -m jdmri.main --config=configs/cascade.py:2      two
"""

from configs import default


def get_config(num_cascades: str = "3"):
    """Return the configuration with the given number of cascades."""
    config = default.get_config()
    config.model.num_cascades = int(num_cascades)
    config.model.start = "view_sharing"
    return config
