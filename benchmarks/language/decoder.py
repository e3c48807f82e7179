"""The peer of DecoderSpeed.java: the same decoder, batches, loss, clipping, optimiser and schedule in PyTorch.

Prints tokens per second of wall time and of processor time, one line a window. Arguments: llama or gpt2, SECONDS a window, WINDOWS, then settings among
compile, fused, threads=N.
"""

import math
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

kind, seconds, windows = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
settings = sys.argv[4:]
threads = next((int(s.split("=")[1]) for s in settings if s.startswith("threads=")), 2)
torch.set_num_threads(threads)
torch.manual_seed(1)

V, T, E, LAYERS, H, INNER, BATCH, TEXT = 1024, 192, 256, 6, 8, 704, 32, 400_000
D = E // H


def heads(x):
    return x.view(x.size(0), T, H, D).transpose(1, 2)


class Llama(nn.Module):
    class Layer(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention_norm, self.inner_norm = nn.RMSNorm(E, 1e-5), nn.RMSNorm(E, 1e-5)
            self.q, self.k, self.v, self.o = (nn.Linear(E, E, bias=False) for _ in range(4))
            self.gate, self.up = nn.Linear(E, INNER, bias=False), nn.Linear(E, INNER, bias=False)
            self.down = nn.Linear(INNER, E, bias=False)

        def forward(self, x, cos, sin):
            h = self.attention_norm(x)
            q, k, v = heads(self.q(h)), heads(self.k(h)), heads(self.v(h))
            q = q * cos + q.roll(D // 2, -1) * sin
            k = k * cos + k.roll(D // 2, -1) * sin
            mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.o(mixed.transpose(1, 2).reshape(x.size(0), T, E))
            h = self.inner_norm(x)
            return x + self.down(F.silu(self.gate(h)) * self.up(h))

    def __init__(self):
        super().__init__()
        self.embeddings = nn.Embedding(V, E)
        self.layers = nn.ModuleList(Llama.Layer() for _ in range(LAYERS))
        self.norm = nn.RMSNorm(E, 1e-5)
        frequency = 10_000.0 ** (-2.0 * (torch.arange(D) % (D // 2)) / D)
        angles = torch.arange(T)[:, None] * frequency
        sign = torch.where(torch.arange(D) < D // 2, -1.0, 1.0)
        self.register_buffer("cos", angles.cos())
        self.register_buffer("sin", angles.sin() * sign)

    def forward(self, tokens):
        x = self.embeddings(tokens)
        for layer in self.layers:
            x = layer(x, self.cos, self.sin)
        return F.linear(self.norm(x), self.embeddings.weight)


class Gpt2(nn.Module):
    class Layer(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention_norm, self.inner_norm = nn.LayerNorm(E), nn.LayerNorm(E)
            self.qkv, self.o = nn.Linear(E, 3 * E), nn.Linear(E, E)
            self.up, self.down = nn.Linear(E, 4 * E), nn.Linear(4 * E, E)

        def forward(self, x):
            q, k, v = (heads(part) for part in self.qkv(self.attention_norm(x)).split(E, 2))
            mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.o(mixed.transpose(1, 2).reshape(x.size(0), T, E))
            return x + self.down(F.gelu(self.up(self.inner_norm(x)), approximate="tanh"))

    def __init__(self):
        super().__init__()
        self.embeddings, self.positions = nn.Embedding(V, E), nn.Embedding(T, E)
        self.layers = nn.ModuleList(Gpt2.Layer() for _ in range(LAYERS))
        self.norm = nn.LayerNorm(E)

    def forward(self, tokens):
        x = self.embeddings(tokens) + self.positions.weight
        for layer in self.layers:
            x = layer(x)
        return F.linear(self.norm(x), self.embeddings.weight)


network = Llama() if kind == "llama" else Gpt2()
for parameter in network.parameters():
    if parameter.dim() > 1:
        nn.init.normal_(parameter, std=0.02)
decaying = [p for p in network.parameters() if p.dim() > 1]
others = [p for p in network.parameters() if p.dim() <= 1]
optimizer = torch.optim.AdamW(
    [{"params": decaying, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}], lr=2e-3, fused="fused" in settings
)
warm = 5_000
schedule = torch.optim.lr_scheduler.LambdaLR(
    optimizer, lambda s: (s + 1) / (warm + 1) if s < warm else 0.5 * (1 + math.cos(math.pi * (s - warm) / 95_000))
)
forward = torch.compile(network) if "compile" in settings else network
text = torch.randint(0, V, (TEXT,))
places = torch.arange(T)


def step():
    begin = torch.randint(0, TEXT - T, (BATCH, 1))
    inputs, targets = text[begin + places], text[begin + places + 1]
    loss = F.cross_entropy(forward(inputs).view(-1, V), targets.view(-1))
    value = loss.item()
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimizer.step()
    schedule.step()
    assert math.isfinite(value)


parameters = sum(p.numel() for p in network.parameters())
begun = time.perf_counter()
step()  # compiles
while time.perf_counter() - begun < 3 or "compile" in settings and time.perf_counter() - begun < 20:
    step()
for _ in range(windows):
    begun, begun_cpu, steps = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - begun < seconds:
        step()
        steps += 1
    wall, cpu = time.perf_counter() - begun, time.process_time() - begun_cpu
    print(
        f"python {kind} {' '.join(settings)} parameters={parameters} tokens/s={steps * BATCH * T / wall:.0f}"
        f" tokens/cpu-s={steps * BATCH * T / cpu:.0f}",
        flush=True,
    )
