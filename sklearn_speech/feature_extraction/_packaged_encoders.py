"""Encoders of this library whose weights are read from a file of an installed package."""

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from ..modules.moonshine import MoonshineEncoderNet
from ..modules.voice_encoder import VoiceEncoderNet
from ._moonshine_weights import read_moonshine_weights
from ._voice_weights import read_voice_weights


@dataclass(frozen=True)
class PackagedEncoder:
    """A network, and where its weights are.

    Parameters
    ----------
    title : str
        What messages call the network.
    net : type
        ``net(n_layers)`` builds it, ``load_weights`` takes what `read` returns.
    package, file : str
        Import name of the package, and path of the file inside it.
    install : str
        Arguments of ``pip install``.
    read : callable
        Reads the weights by name from the path of the file.
    """

    title: str
    net: type[MoonshineEncoderNet] | type[VoiceEncoderNet]
    package: str
    file: str
    install: str
    read: Callable[[Path], Mapping[str, Tensor]]

    def path(self) -> Path:
        """Path of the weights in the installed package.

        The package is not imported: it needs further packages, which are not used here.

        Raises
        ------
        ImportError
            When it is not installed; the message tells how to install it.
        """
        spec = importlib.util.find_spec(self.package)
        for folder in [] if spec is None else spec.submodule_search_locations or []:
            if (Path(folder) / self.file).is_file():
                return Path(folder) / self.file
        missing = "is not installed" if spec is None else "is installed without that file"
        raise ImportError(
            f"the weights of the {self.title} are read from {self.file} in the package "
            f"{self.package}, which {missing}: pip install {self.install}"
        )

    def load(self, n_layers: int | None) -> MoonshineEncoderNet | VoiceEncoderNet:
        """Build the network with its weights; `n_layers` None means all layers."""
        net = self.net() if n_layers is None else self.net(n_layers)
        return net.load_weights(self.read(self.path())).eval()


#: Packaged encoders by the value of ``encoder`` that stands for them.
PACKAGED = {
    "resemblyzer": PackagedEncoder(
        title="voice encoder",
        net=VoiceEncoderNet,
        package="resemblyzer",
        file="pretrained.pt",
        install="--no-deps resemblyzer",
        read=read_voice_weights,
    ),
    "moonshine": PackagedEncoder(
        title="Moonshine encoder",
        net=MoonshineEncoderNet,
        package="moonshine_voice",
        file="assets/tiny-en/encoder_model.ort",
        install="--no-deps 'moonshine-voice<0.1' onnx onnxruntime",
        read=read_moonshine_weights,
    ),
}
