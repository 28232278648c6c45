"""A loaded model answers without what only training needs."""

import subprocess
import sys

import numpy as np

from sklearn_speech import SpectrogramCNNClassifier, make_speech_pipeline, save

ANSWER = """
import sys, numpy as np
from sklearn_speech import load
model = load({path!r})
model.predict([(np.zeros(8000), 8000)])
assert "optimizer_" not in vars(model[-1])
print([name for name in ("torch._dynamo", "torch._inductor", "optuna") if name in sys.modules])
model.set_params(spectrogramcnnclassifier__max_epochs=1)
X = model[:-1].transform([(np.ones(8000) / 9, 8000)] * 2)
model[-1].partial_fit(X, ["no", "yes"])
print(type(model[-1].optimizer_).__name__)
"""


def test_a_first_answer_imports_neither_torchs_compiler_nor_optuna(tmp_path):
    path = str(tmp_path / "model.safetensors")
    clips = [(clip, 8000) for clip in np.random.default_rng(0).normal(scale=0.1, size=(4, 8000))]
    net = SpectrogramCNNClassifier(n_layers=1, n_filters=2, max_epochs=1, random_state=0)
    save(make_speech_pipeline(net, sample_rate=8000).fit(clips, ["no", "yes"] * 2), path)
    done = subprocess.run(
        [sys.executable, "-c", ANSWER.format(path=path)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split("\n")[:2] == ["[]", "AdamW"]
