"""Records what transformers computes for tiny random decoders: python3 record.py (torch 2.15.0, transformers 5.24.0).

For each: config.json and model.safetensors as transformers saves them, and expected.json with tokens, the logits after the first
8 tokens of the first sequence, the mean cross entropy of the tokens shifted by one, and of each parameter's gradient its norm and
its product with sin(0), sin(1), ... In bfloat16 the logits after the first 4 tokens.
"""
import json
import math
from pathlib import Path

import torch
from transformers import (GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM,
                          Qwen3Config, Qwen3ForCausalLM)

HERE = Path(__file__).parent
COMMON = dict(vocab_size=40, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4,
              num_key_value_heads=2, max_position_embeddings=64, initializer_range=0.3, eos_token_id=2)
LLAMA3 = dict(rope_type="llama3", rope_theta=500000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
              original_max_position_embeddings=16)
MODELS = {
    "gpt2": lambda: GPT2LMHeadModel(GPT2Config(vocab_size=40, n_positions=64, n_embd=16, n_layer=2, n_head=4, embd_pdrop=0,
                                               attn_pdrop=0, resid_pdrop=0, initializer_range=0.3, eos_token_id=[2, 3])),
    "llama": lambda: LlamaForCausalLM(LlamaConfig(**COMMON, rope_parameters=LLAMA3, tie_word_embeddings=False)),
    "qwen2": lambda: Qwen2ForCausalLM(Qwen2Config(**COMMON, tie_word_embeddings=True)),
    "qwen3": lambda: Qwen3ForCausalLM(Qwen3Config(**COMMON, head_dim=6, tie_word_embeddings=True)),
}

for number, (name, make) in enumerate(MODELS.items()):
    torch.manual_seed(number)
    model = make().eval()
    with torch.no_grad():  # biases and scales that transformers begins with 0 and 1 would hide mistakes
        for parameter in model.parameters():
            if parameter.dim() == 1:
                parameter.add_(torch.randn_like(parameter) * 0.2)
    folder = HERE / name
    model.save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    tokens = torch.randint(0, 40, (2, 33))
    output = model(tokens, labels=tokens)
    output.loss.backward()
    gradients = {}
    for key, parameter in model.named_parameters():
        gradient = parameter.grad.flatten().double()
        gradients[key] = [gradient.norm().item(), (gradient * torch.sin(torch.arange(len(gradient)).double())).sum().item()]
    with torch.no_grad():
        narrow = model.to(torch.bfloat16)(tokens).logits.float()
    (folder / "expected.json").write_text(json.dumps({
        "tokens": tokens.tolist(),
        "logits": [round(x, 6) for x in output.logits.detach().flatten().tolist()[: 8 * 40]],
        "loss": output.loss.item(),
        "gradients": gradients,
        "narrowLogits": [round(x, 3) for x in narrow.flatten().tolist()[: 4 * 40]],
    }))
