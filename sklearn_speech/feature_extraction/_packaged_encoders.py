"""Encoders of this library whose weights are read from a file of an installed package."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ..modules.moonshine import N_LAYERS, MoonshineEncoderNet
from ..modules.voice_encoder import N_LAYERS as VOICE_LAYERS
from ..modules.voice_encoder import VoiceEncoderNet
from ._moonshine_weights import read_moonshine_weights
from ._package_files import folders_of_package
from ._voice_weights import read_voice_weights


@dataclass(frozen=True)
class PackagedEncoder:
    """A network, and where its weights are.

    Parameters
    ----------
    name : str
        Value of ``encoder`` that stands for it.
    title : str
        What messages call the network.
    n_layers : int
        Number of layers that ``layer`` may choose from.
    net : type
        ``net(n_layers)`` builds it, ``load_weights`` takes what `read` returns.
    package, file : str
        Import name of the package, and path of the file inside it.
    install : str
        Command that installs the package, and what else is to be said.
    read : callable
        Reads the weights by name from the path of the file.
    """

    name: str
    title: str
    n_layers: int
    net: type[MoonshineEncoderNet] | type[VoiceEncoderNet]
    package: str
    file: str
    install: str
    read: Callable[[Path], Mapping[str, Tensor]]

    def path(self) -> Path:
        """Path of the weights in the installed package.

        Raises
        ------
        ImportError
            When it is not installed; the message tells how to install it.
        """
        folders = folders_of_package(self.package)
        for folder in folders or []:
            if (folder / self.file).is_file():
                return folder / self.file
        missing = "is not installed" if folders is None else "is installed without that file"
        raise ImportError(
            f"SpeechEmbedding(encoder={self.name!r}) reads the weights of its network from "
            f"{self.file} in the package {self.package}, which {missing}: {self.install}"
        )

    def load(self, layer: int | None, dtype: torch.dtype) -> MoonshineEncoderNet | VoiceEncoderNet:
        """Build the network with its weights up to a layer; None means all layers.

        Raises
        ------
        ImportError
            As :meth:`path`.
        ValueError
            When there is no such layer, or the file does not hold the weights.
        """
        if layer is not None and layer > self.n_layers:
            raise ValueError(f"layer={layer}, but the {self.title} has layers 1 to {self.n_layers}")
        net = self.net(self.n_layers if layer is None else layer)
        return net.load_weights(self.read(self.path())).to(dtype).eval()


_ENCODERS = (
    PackagedEncoder(
        name="resemblyzer",
        title="voice encoder",
        n_layers=VOICE_LAYERS,
        net=VoiceEncoderNet,
        package="resemblyzer",
        file="pretrained.pt",
        install="pip install --no-deps resemblyzer",
        read=read_voice_weights,
    ),
    PackagedEncoder(
        name="moonshine",
        title="Moonshine encoder",
        n_layers=N_LAYERS,
        net=MoonshineEncoderNet,
        package="moonshine_voice",
        file="assets/tiny-en/encoder_model.ort",
        install="pip install 'moonshine-voice>=0.0.44,<0.1' onnx onnxruntime; recipes do without "
        "it if recognizer=False",
        read=read_moonshine_weights,
    ),
)

#: Packaged encoders by their names.
PACKAGED = {encoder.name: encoder for encoder in _ENCODERS}
