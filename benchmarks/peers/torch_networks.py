"""The networks of `train_step.py` in PyTorch, for comparison only: the same layers, widths and sizes as jdmri's.

Data consistency works on k-space in unshifted order by one-dimensional transforms along ky, as ours does.
"""

import torch
from torch import nn
from torch.nn import functional as F

FRAMES = 20


class Attention(nn.Module):
    """CBAM: channels, then pixels."""

    def __init__(self, width):
        """Make both maps."""
        super().__init__()
        self.mlp = nn.Sequential(
            nn.Linear(width, width // 4, bias=False),
            nn.ReLU(),
            nn.Linear(width // 4, width, bias=False),
        )
        self.pixels = nn.Sequential(nn.Conv2d(2, 1, 7, padding=3, bias=False), nn.BatchNorm2d(1))

    def forward(self, x):
        """Scale ``[b, c, y, x]``."""
        pooled = self.mlp(x.mean((2, 3))) + self.mlp(x.amax((2, 3)))
        x = x * torch.sigmoid(pooled)[..., None, None]
        stacked = torch.stack([x.mean(1), x.amax(1)], 1)
        return x * torch.sigmoid(self.pixels(stacked))


def stage(inputs, width):
    """(3×3 convolution, BatchNorm, LeakyReLU) twice."""
    layers = []
    for channels in (inputs, width):
        conv = nn.Conv2d(channels, width, 3, padding=1, bias=False)
        layers += [conv, nn.BatchNorm2d(width), nn.LeakyReLU(0.1)]
    return nn.Sequential(*layers)


class UNet(nn.Module):
    """Four poolings, attention at the bottom."""

    def __init__(self, width, dropout=0.3, depth=4):
        """Make the stages."""
        super().__init__()
        widths = [width << level for level in range(depth + 1)]
        self.down = nn.ModuleList(map(stage, [FRAMES, *widths[:-1]], widths))
        self.attention = Attention(widths[-1])
        self.drop = nn.Dropout(dropout)
        self.up = nn.ModuleList(nn.ConvTranspose2d(2 * w, w, 2, 2) for w in widths[:-1])
        self.join = nn.ModuleList(stage(2 * w, w) for w in widths[:-1])
        self.last = nn.Conv2d(width, width, 3, padding=1)
        self.project = nn.Conv2d(width, FRAMES, 1)
        self.depth = depth

    def forward(self, x):
        """Map ``[b, frame, y, x]`` to the same size."""
        skips = []
        for level in range(self.depth):
            x = self.down[level](x)
            x = self.drop(x) if level in (0, 1, 3) else x
            skips.append(x)
            x = F.max_pool2d(x, 2)
        x = self.attention(self.down[-1](x))
        for level in reversed(range(self.depth)):
            x = self.join[level](torch.cat([self.up[level](x), skips[level]], 1))
        return self.project(F.leaky_relu(self.last(x), 0.1))


class Conv3d(nn.Conv3d):
    """3-D convolution, cyclic in time, zeros outside the image."""

    def __init__(self, inputs, width, kernel=(3, 3, 3), bias=True):
        """Make it with padding along y and x."""
        super().__init__(
            inputs, width, kernel, padding=(0, kernel[1] // 2, kernel[2] // 2), bias=bias
        )

    def forward(self, x):
        """Convolve ``[b, c, t, y, x]``."""
        border = self.kernel_size[0] // 2
        return super().forward(torch.cat([x[:, :, -border:], x, x[:, :, :border]], 2))


class ResNet3D(nn.Module):
    """The head of the dual UNet."""

    def __init__(self, width=32):
        """Make the three convolutions."""
        super().__init__()
        self.first = Conv3d(2, width, (3, 7, 7), bias=False)
        self.block = nn.ModuleList(Conv3d(width, width, bias=False) for _ in range(2))
        self.norms = nn.ModuleList(nn.BatchNorm3d(width) for _ in range(3))
        self.project = nn.Conv3d(width, 2, 1)

    def forward(self, x):
        """Map ``[b, 2, t, y, x]`` to the same size."""
        x = F.max_pool3d(F.relu(self.norms[0](self.first(x))), 3, 1, 1)
        y = F.relu(self.norms[1](self.block[0](x)))
        return self.project(F.relu(x + self.norms[2](self.block[1](y))))


class DualUNet(nn.Module):
    """Two UNets, then the head."""

    def __init__(self, width):
        """Make the parts."""
        super().__init__()
        self.real, self.imag, self.head = UNet(width), UNet(width), ResNet3D()

    def forward(self, cine):
        """Improve a complex ``[b, t, y, x]``."""
        cine = cine + torch.complex(self.real(cine.real).float(), self.imag(cine.imag).float())
        return cine + joined(self.head(split(cine)))


class CNN3D(nn.Module):
    """Four 3×3×3 convolutions."""

    def __init__(self, width, depth=4):
        """Make the layers."""
        super().__init__()
        layers = [Conv3d(2, width), nn.ReLU()]
        for _ in range(depth - 2):
            layers += [Conv3d(width, width), nn.ReLU()]
        self.layers = nn.Sequential(*layers, Conv3d(width, 2))

    def forward(self, cine):
        """Improve a complex ``[b, t, y, x]``."""
        return cine + joined(self.layers(split(cine)))


class FramesCNN(nn.Module):
    """Four 3×3 convolutions with frames as channels, and the temporal mean as two more."""

    def __init__(self, width, depth=4):
        """Make the layers."""
        super().__init__()
        layers = [nn.Conv2d(2 * FRAMES + 2, width, 3, padding=1), nn.ReLU()]
        for _ in range(depth - 2):
            layers += [nn.Conv2d(width, width, 3, padding=1), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.Conv2d(width, 2 * FRAMES, 3, padding=1))

    def forward(self, cine):
        """Improve a complex ``[b, t, y, x]``."""
        mean = cine.mean(1, keepdim=True)
        moving = cine - mean
        x = self.layers(torch.cat([moving.real, moving.imag, mean.real, mean.imag], 1))
        return cine + torch.complex(*x.float().chunk(2, 1))


class SpaceTimeCNN(nn.Module):
    """Three pairs of a spatial and a temporal convolution."""

    def __init__(self, width, depth=3):
        """Make the layers."""
        super().__init__()
        layers = []
        for inputs in (4, *[width] * (depth - 1)):
            space = nn.Conv3d(inputs, width, (1, 3, 3), padding=(0, 1, 1))
            layers += [space, nn.ReLU(), Conv3d(width, width, (3, 1, 1)), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.Conv3d(width, 2, 1))

    def forward(self, cine):
        """Improve a complex ``[b, t, y, x]``."""
        mean = cine.mean(1, keepdim=True)
        static = split(mean).expand(-1, -1, cine.shape[1], -1, -1)
        return cine + joined(self.layers(torch.cat([split(cine - mean), static], 1)))


class Cascade(nn.Module):
    """Denoisers, each followed by soft data consistency with a learned weight."""

    def __init__(self, denoisers):
        """Take the denoisers."""
        super().__init__()
        self.denoisers = nn.ModuleList(denoisers)
        self.weights = nn.Parameter(torch.full((len(denoisers),), 10.0))

    def forward(self, cine, kspace, mask):
        """Improve a complex ``[b, t, y, x]`` with hybrid k-space of the same shape and a mask ``[b, t, ky, 1]``."""
        for denoiser, weight in zip(self.denoisers, self.weights, strict=True):
            cine = denoiser(cine)
            share = weight.sigmoid() * mask
            difference = torch.fft.fft(cine, dim=-2, norm="ortho") - kspace
            cine = cine - torch.fft.ifft(share * difference, dim=-2, norm="ortho")
        return cine


class Alone(nn.Module):
    """A denoiser without data consistency, with the call of a cascade."""

    def __init__(self, denoiser):
        """Take it."""
        super().__init__()
        self.denoiser = denoiser

    def forward(self, cine, kspace, mask):
        """Improve a complex ``[b, t, y, x]``."""
        return self.denoiser(cine)


def split(cine):
    """Real and imaginary part as channels ``[b, 2, t, y, x]``."""
    return torch.stack([cine.real, cine.imag], 1)


def joined(x):
    """Invert `split`."""
    return torch.complex(x[:, 0].float(), x[:, 1].float())


NETWORKS = {
    "demo": lambda width: Cascade([FramesCNN(64) for _ in range(4)]),
    "dual_unet": lambda width: Alone(DualUNet(width)),
    "cnn3d": lambda width: Alone(CNN3D(width)),
    "cascade": lambda width: Cascade([SpaceTimeCNN(width) for _ in range(3)]),
}


def compiled(network):
    """Compile what works on real numbers: inductor fails on the complex parts (2.13)."""
    for name, module in network.named_modules():
        if isinstance(module, UNet | ResNet3D) or name.endswith("layers"):
            module.compile()
    return network


def channels_last(network):
    """The other memory layout, for every layer that has one."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            module.to(memory_format=torch.channels_last)
        elif isinstance(module, nn.Conv3d):
            module.to(memory_format=torch.channels_last_3d)
    return network
