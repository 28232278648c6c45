"""Time to the first prediction of a saved model, compared with importing its dependencies.

    python benchmarks/loading_speed.py

One new process imports the library, loads a pipeline and predicts one recording. Another one
only imports the same modules of other packages. Both run alternately. The first optimiser of a
process imports torch's compiler; loading a model must not import it.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from report import write_report

from sklearn_speech import SpectrogramCNNClassifier, make_speech_pipeline, save

#: Limit of the ratio of the first prediction to the import of the dependencies.
LIMIT = 1.1

ANSWER = """
import sys
import numpy as np
from sklearn_speech import load
model = load({path!r})
answer = model.predict([(np.zeros(8000), 8000)])
"""

#: Prints the modules of other packages, in the order in which they were imported.
NAMES = """
import json
other = [n for n in list(sys.modules) if not n.startswith("sklearn_speech") and n != "__main__"]
print(json.dumps(other))
"""

IMPORTS = """
import importlib, json, sys
for name in json.load(open({path!r})):
    try:
        importlib.import_module(name)
    except ImportError:
        pass  # created by another module during its import
"""


def seconds(script):
    """Seconds from the start of a new process to its end."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-W", "ignore", "-c", script], check=True)
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7)
    n_repeats = parser.parse_args().repeats
    rng = np.random.default_rng(0)
    clips = [(clip, 8000) for clip in rng.normal(scale=0.1, size=(8, 8000))]
    pipeline = make_speech_pipeline(SpectrogramCNNClassifier(max_epochs=1), sample_rate=8000)
    with tempfile.TemporaryDirectory() as folder:
        model, names = str(Path(folder) / "model.safetensors"), str(Path(folder) / "names.json")
        save(pipeline.fit(clips, ["no", "yes"] * 4), model)
        answer, imports = ANSWER.format(path=model), IMPORTS.format(path=names)
        listed = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", answer + NAMES],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        Path(names).write_text(listed)
        compiler = "torch._dynamo" in json.loads(listed)
        pairs = [(seconds(answer), seconds(imports)) for _ in range(n_repeats)]
    ratio = statistics.median(first / second for first, second in pairs)
    row = {
        "import, load and first answer (s)": round(statistics.median(a for a, _ in pairs), 2),
        "import of dependencies (s)": round(statistics.median(b for _, b in pairs), 2),
        "ratio": round(ratio, 3),
        "limit": LIMIT,
        "imports torch's compiler": compiler,
    }
    print(row)
    note = f"Medians of {n_repeats} alternating runs of new processes; ratio: of each pair."
    write_report("loading_speed", "Time to the first answer", {"One process": [row]}, [note])


if __name__ == "__main__":
    main()
