"""Records what llama.cpp's own Python package makes of packed blocks: python3 record_blocks.py (gguf 0.19.0, numpy 2.4.6).

Unpacked: two blocks of random bytes of each type, their scales replaced by usual ones. Packed: 64 numbers, then 32 zeros.
"""
import json
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType as Type
from gguf.constants import GGML_QUANT_SIZES
from gguf.quants import dequantize, quantize

random = np.random.default_rng(20261125)
SCALES = {Type.Q8_0: [0], Type.Q4_0: [0], Type.Q4_1: [0, 2], Type.Q4_K: [0, 2], Type.Q6_K: [208], Type.F16: [0], Type.BF16: []}
unpacked = {}
for kind, places in SCALES.items():
    elements, size = GGML_QUANT_SIZES[kind]
    count = max(2, 4 // elements)
    blocks = random.integers(0, 256, (count, size), dtype=np.uint8)
    for block in blocks:
        for place in places:
            block[place: place + 2] = np.frombuffer(np.float16(random.normal() * 0.1).tobytes(), dtype=np.uint8)
    if kind == Type.BF16:
        blocks = (random.normal(size=4).astype(np.float32).view(np.uint32) >> 16).astype(np.uint16).view(np.uint8)
    flat = blocks.reshape(-1)
    unpacked[kind.name] = [flat.tobytes().hex(), [float(x) for x in dequantize(flat.reshape(1, -1), kind).reshape(-1)]]
numbers = (random.normal(size=96) * 0.05).astype(np.float32)
numbers[64:] = 0
packed = {kind.name: quantize(numbers.reshape(1, -1), kind).tobytes().hex() for kind in (Type.F16, Type.Q8_0, Type.Q4_0)}
(Path(__file__).parent / "blocks.json").write_text(json.dumps({
    "unpacked": unpacked, "numbers": [float(x) for x in numbers], "packed": packed}))
