"""An image grid seen from the heart."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array

from jdmri.phantom.fields import Field
from jdmri.phantom.population import Subject


class View(NamedTuple):
    """An image grid: where its pixels lie from the heart, and how to find them."""

    y: Field
    x: Field
    pixel: Array  # mm
    subject: Subject

    def indices(self, y: Field, x: Field) -> tuple[Field, Field]:
        """Return fractional rows and columns of positions in mm."""
        size, subject = self.y.shape, self.subject
        x = subject.mirror * x
        sine, cosine = jnp.sin(subject.angle), jnp.cos(subject.angle)
        row = (cosine * y - sine * x + subject.offset[0]) / self.pixel + (size[0] - 1) / 2
        column = (sine * y + cosine * x + subject.offset[1]) / self.pixel + (size[1] - 1) / 2
        return row, column


def make_view(size: tuple[int, int], subject: Subject) -> View:
    """Lay a grid of ``size`` over the field of view, in the subject's own orientation."""
    pixel = subject.field_of_view / max(size)
    row, column = jnp.meshgrid(*(jnp.arange(n) - (n - 1) / 2 for n in size), indexing="ij")
    y, x = row * pixel - subject.offset[0], column * pixel - subject.offset[1]
    sine, cosine = jnp.sin(subject.angle), jnp.cos(subject.angle)
    return View(cosine * y + sine * x, subject.mirror * (cosine * x - sine * y), pixel, subject)
