"""The encoder of Moonshine in files."""

import importlib.util

import numpy as np
import pytest

from sklearn_speech import SpeechEmbedding, load_onnx, to_onnx
from tests.export.cases import waveforms

pytest.importorskip("onnxscript", reason="the extra onnx is not installed")
pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
if importlib.util.find_spec("moonshine_voice") is None:
    pytest.skip("moonshine-voice is not installed", allow_module_level=True)


@pytest.mark.slow
def test_its_first_layers_are_in_a_file_for_clips_of_any_length(tmp_path):
    X = [waveforms(1, n_times)[0] for n_times in (2, 4000, 20001)]
    embedding = SpeechEmbedding(encoder="moonshine", layer=2).fit(X)
    to_onnx(embedding, tmp_path / "m.onnx")
    for found, expected in zip(load_onnx(tmp_path / "m.onnx").transform(X), embedding.transform(X)):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-4)
