"""A synthetic beating heart: short-axis bSSFP cine with its k-space, coil maps and ground truth.

    scan = phantom.simulate(jax.random.key(0), num_frames=20, matrix=(192, 192), num_coils=8, snr=30.0)
    scan.cine, scan.kspace, scan.maps          # what a scanner would give, and what it should
    scan.labels, scan.volume, scan.displacement, scan.ejection_fraction, scan.subject

From a key to arrays: a person is drawn (``population``), every tissue gets its steady-state signal
(``signal``), the torso is painted at rest (``torso``, ``abdomen``), the heart moves by one backward map a
frame (``motion``, ``heart``, ``endocardium``), and coils receive it at twice the resolution before k-space is
cropped (``coils``, ``scanner``). Real heart data were looked at while it was made; none are in it.

What still looks fake, beside real series:

* Organs are blobs with a dark rim of even width; no bowel folds, discs of the spine, shoulder or arms.
* Where epicardial fat lies on the right ventricle it makes a double rim; the ventricle is a regular cap.
* The left wall is rounder and more even than in patients; basal slices show no outflow tract or valves.
* Nothing passes through the plane: no tissue appears or disappears. Organs below the diaphragm stand still.
* Blood has slow patterns that come and go, but no jets. The cut torso does not alias.
* Circumferential strain is 4 points stronger than published, and 1.5 times the share of a series' energy
  moves (``benchmarks/quality/phantom.py`` prints both beside their references).
"""

from jdmri.phantom.scan import GENERATOR_VERSION, Scan, simulate

__all__ = ["GENERATOR_VERSION", "Scan", "simulate"]
