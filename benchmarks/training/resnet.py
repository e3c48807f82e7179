"""The peer of ResNetSpeed.java: the same network, batches, augmentation, loss, optimiser and schedule in PyTorch.

Prints samples per second of wall time and of processor time, one line a window. Arguments: SECONDS a window, WINDOWS, then settings among
compile, fused, channels-last, threads=N.
"""

import math
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

seconds, windows = float(sys.argv[1]), int(sys.argv[2])
settings = sys.argv[3:]
threads = next((int(s.split("=")[1]) for s in settings if s.startswith("threads=")), 2)
layout = torch.channels_last if "channels-last" in settings else torch.contiguous_format
torch.set_num_threads(threads)
torch.manual_seed(1)

EXAMPLES, BATCH, WIDTH, CLASSES = 54_000, 128, 32, 10
STEPS = 14 * (EXAMPLES // BATCH)


class ConvolutionAndNorm(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.convolution = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x):
        return self.norm(self.convolution(x))


class ResidualBlock(nn.Module):
    def __init__(self, features):
        super().__init__()
        self.inner = ConvolutionAndNorm(features, features, 1)
        self.outer = ConvolutionAndNorm(features, features, 1)

    def forward(self, x):
        return F.relu_(self.outer(F.relu_(self.inner(x))).add_(x))


class SmallResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = ConvolutionAndNorm(1, WIDTH, 2)
        self.first = ResidualBlock(WIDTH)
        self.down = ConvolutionAndNorm(WIDTH, 2 * WIDTH, 2)
        self.second = ResidualBlock(2 * WIDTH)
        self.head = nn.Linear(2 * WIDTH, CLASSES)

    def forward(self, x):
        h = self.first(F.relu_(self.stem(x)))
        h = self.second(F.relu_(self.down(h)))
        return self.head(h.mean((2, 3)))


network = SmallResNet().to(memory_format=layout)
decaying = [p for p in network.parameters() if p.dim() > 1]
others = [p for p in network.parameters() if p.dim() <= 1]
optimizer = torch.optim.AdamW(
    [{"params": decaying, "weight_decay": 0.01}, {"params": others, "weight_decay": 0.0}],
    lr=2e-3,
    fused="fused" in settings,
)
schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 5e-3, total_steps=max(STEPS, 100_000), cycle_momentum=False)
forward = torch.compile(network) if "compile" in settings else network

images = torch.randint(0, 256, (EXAMPLES, 1, 28, 28), dtype=torch.uint8)
labels = torch.randint(0, CLASSES, (EXAMPLES,))


def step(order, i):
    rows = order[i * BATCH : (i + 1) * BATCH]
    pixels = images[rows].float().sub_(73.0).div_(90.0)  # normalised
    half = torch.rand(BATCH) < 0.5
    pixels[half] = pixels[half].flip(3)  # mirrored: half of the batch
    pixels = pixels.contiguous(memory_format=layout)
    loss = F.cross_entropy(forward(pixels), labels[rows])
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    schedule.step()
    return loss


parameters = sum(p.numel() for p in network.parameters())
order = torch.randperm(EXAMPLES)
warm = time.perf_counter()
done = 0
while time.perf_counter() - warm < (20 if "compile" in settings else 3):
    step(order, done % (EXAMPLES // BATCH))
    done += 1
for _ in range(windows):
    begun, begun_cpu, steps = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - begun < seconds:
        loss = step(order, (done + steps) % (EXAMPLES // BATCH))
        steps += 1
        if not math.isfinite(loss.item()):
            raise SystemExit("diverged")
    done += steps
    wall, cpu = time.perf_counter() - begun, time.process_time() - begun_cpu
    print(f"python {torch.__version__} {' '.join(settings)} parameters={parameters} samples/s={steps * BATCH / wall:.0f} samples/cpu-s={steps * BATCH / cpu:.0f}", flush=True)
