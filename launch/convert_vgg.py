"""Turn torchvision's VGG weights into the file that the perceptual loss reads. Needs PyTorch.

    python launch/convert_vgg.py vgg16-397923af.pth vgg16.npz

The .pth is the file that torchvision's vgg16 or vgg19 downloads. Only the five convolutions that the loss
uses are kept. Prints the SHA-256 for --config.loss.sha256.
"""

import hashlib
import sys
from pathlib import Path

import numpy as np

LAYERS = (0, 2, 5, 7, 10)


def main(source: str, target: str) -> None:
    """Convert one file."""
    import torch

    if not target.endswith(".npz"):
        sys.exit(f"the target must end in .npz, got {target}")
    state = torch.load(source, map_location="cpu", weights_only=True)
    names = [f"features.{i}.{part}" for i in LAYERS for part in ("weight", "bias")]
    missing = [name for name in names if name not in state]
    if missing:
        sys.exit(f"{source} is no VGG of torchvision: {', '.join(missing)} not found")
    np.savez(target, **{name: state[name].numpy() for name in names})
    digest = hashlib.sha256(Path(target).read_bytes()).hexdigest()
    sys.stdout.write(f"{target}  SHA-256 {digest}\n")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
