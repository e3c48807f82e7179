"""Records PEFT's prompt tuning of the tiny Llama beside this: python3 record_prompt.py (torch 2.15.0, transformers 5.24.0, peft 0.21.2).

The folder as PEFT saves it, and expected.json with the tokens, the logits after the first 10 of them, and of the prompt's gradient of their mean square
the norm and the product with sin(0), sin(1), ...
"""
import json
from pathlib import Path

import torch
from peft import PromptTuningConfig, get_peft_model
from transformers import AutoModelForCausalLM

HERE = Path(__file__).parent
torch.manual_seed(200)
base = AutoModelForCausalLM.from_pretrained(HERE / "llama")
model = get_peft_model(base, PromptTuningConfig(num_virtual_tokens=5, task_type="CAUSAL_LM"))
with torch.no_grad():
    model.prompt_encoder["default"].embedding.weight.normal_(0, 0.5)
model.eval()
folder = HERE / "prompt-llama"
model.save_pretrained(folder)
(folder / "README.md").unlink(missing_ok=True)
config = json.loads((folder / "adapter_config.json").read_text())
config["base_model_name_or_path"] = "llama"
(folder / "adapter_config.json").write_text(json.dumps(config, indent=2, sort_keys=True))
tokens = torch.randint(0, 40, (1, 20))
logits = model(input_ids=tokens).logits[:, 5:]
logits.square().mean().backward()
gradient = model.prompt_encoder["default"].embedding.weight.grad.flatten().double()
(folder / "expected.json").write_text(json.dumps({
    "tokens": tokens[0].tolist(), "logits": [round(x, 6) for x in logits.detach().flatten().tolist()[: 10 * 40]],
    "gradient": [gradient.norm().item(), (gradient * torch.sin(torch.arange(len(gradient)).double())).sum().item()]}))
