"""Zero-filled reconstruction: ``Eᴴ y``, without density compensation."""

from jdmri.classical.method import METHODS, Method, filled


@METHODS.register("zero_filled")
def zero_filled() -> Method:
    """Leave at zero what was not measured."""
    return filled(lambda kspace, mask: kspace)
