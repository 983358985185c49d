"""A stand-in for the command ``flare``, which writes down what it is asked and answers from a file."""

import json
import os
import sys

folder = os.environ["STAND_IN"]
with open(os.path.join(folder, "asked.jsonl"), "a", encoding="utf-8") as file:
    variables = {name: os.environ.get(name) for name in ("FLARE_STARTUP_KIT_DIR", "FLARE_PYTHON")}
    file.write(json.dumps({"arguments": sys.argv[1:], "variables": variables}) + "\n")
with open(os.path.join(folder, "answers.json"), encoding="utf-8") as file:
    answers = json.load(file)
for name, lines in answers.items():
    if " ".join(sys.argv[1:]).startswith(name):
        for line in lines:
            print(json.dumps(line) if isinstance(line, dict) else line, flush=True)
        sys.exit(lines[-1].get("exit_code", 0) if isinstance(lines[-1], dict) else 3)
