"""Records PEFT adapters on the tiny decoders beside this: python3 record_lora.py (torch 2.15.0, transformers 5.24.0, peft 0.21.2).

For each: the folder as PEFT saves it, and expected.json with the tokens, the logits after the first 10 with the adapter, the loss, and of each factor's
gradient its norm and its product with sin(0), sin(1), ...
"""
import json
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

HERE = Path(__file__).parent
for number, (name, targets) in enumerate({"gpt2": ["c_attn", "c_proj"], "llama": ["q_proj", "k_proj", "down_proj"]}.items()):
    torch.manual_seed(100 + number)
    base = AutoModelForCausalLM.from_pretrained(HERE / name)
    model = get_peft_model(base, LoraConfig(r=2, lora_alpha=6, lora_dropout=0.0, target_modules=targets, task_type="CAUSAL_LM"))
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            if "lora_B" in key:
                parameter.normal_(0, 0.3)
    folder = HERE / f"lora-{name}"
    model.eval()
    model.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    config = json.loads((folder / "adapter_config.json").read_text())
    config["base_model_name_or_path"] = name
    (folder / "adapter_config.json").write_text(json.dumps(config, indent=2, sort_keys=True))
    tokens = torch.randint(0, 40, (1, 20))
    output = model(input_ids=tokens, labels=tokens)
    output.loss.backward()
    gradients = {}
    for key, parameter in model.named_parameters():
        if "lora_" in key:
            gradient = parameter.grad.flatten().double()
            gradients[key.replace(".default", "").removeprefix("base_model.model.")] = [
                gradient.norm().item(), (gradient * torch.sin(torch.arange(len(gradient)).double())).sum().item()]
    (folder / "expected.json").write_text(json.dumps({
        "tokens": tokens[0].tolist(), "logits": [round(x, 6) for x in output.logits.detach().flatten().tolist()[: 10 * 40]],
        "loss": output.loss.item(), "gradients": gradients}))
