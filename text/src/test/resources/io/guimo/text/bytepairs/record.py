# What Hugging Face's own trainer learns from text.txt. Recorded with tokenizers 0.21.4: python record.py > learnt.txt
import json
import pathlib

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

folder = pathlib.Path(__file__).parent
text = (folder / "text.txt").read_text(encoding="utf-8")
tokenizer = Tokenizer(models.BPE())
tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
tokenizer.decoder = decoders.ByteLevel()
tokenizer.train_from_iterator([text], trainers.BpeTrainer(
    vocab_size=420, min_frequency=2, special_tokens=["<|endoftext|>"],
    initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
model = json.loads(tokenizer.to_str())["model"]
unseen = "To-morrow, and to-morrow; 3 cats' tails\n\n  去年今日此门中，it's  Ünïcode 🙂\t!"
# first line: ids of a text that was not learnt from; then the merges in their order
print(*tokenizer.encode(unseen).ids)
for merge in model["merges"]:
    print(" ".join(merge))
