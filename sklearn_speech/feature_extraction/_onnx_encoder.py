"""A module that runs an ONNX file in onnxruntime."""

import os
from typing import Any

import torch
from torch import nn

from ..utils.paths import digest_of_file
from ._onnx_files import import_onnx

_WAVEFORMS = "waveforms, float32 of shape (n_clips, n_times)"


class OnnxEncoder(nn.Module):
    """Run an encoder in onnxruntime, on the CPU, in float32, without gradients.

    Parameters
    ----------
    path : str or os.PathLike
        An ONNX file. Its first input takes waveforms, float32 of shape
        (n_clips, n_times); a second input, if any, the numbers of samples, int64 of
        shape (n_clips,). Its first output is (n_clips, n_frames, n_dims),
        (n_clips, n_dims, n_frames), or (n_clips, n_dims); of three axes, the one of
        frames is the one whose size the file leaves open, and the second where
        it leaves both open.

    Attributes
    ----------
    n_times : int or None
        Length of the clips that it takes, if it is fixed.
    vector_shape : (int, 0 or None) or None
        Size of a vector, and None where there is no axis of frames; None altogether where
        the file leaves the size open.

    Raises
    ------
    ValueError
        When onnxruntime cannot read the file, or it has other inputs or outputs.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__()
        self.path = os.fspath(path)
        self._session = None
        self._digest = digest_of_file(path)
        #: The digest, saved with the weights of a network.
        self.content: torch.Tensor
        content = torch.frombuffer(bytearray.fromhex(self._digest), dtype=torch.uint8)
        self.register_buffer("content", content)
        session = self._open()
        inputs, output = session.get_inputs(), session.get_outputs()[0]
        shapes = ", ".join(f"{i.name} {i.type} {i.shape}" for i in inputs)
        if not _are_waveforms(inputs):
            raise ValueError(
                f"encoder={self.path!r} has the inputs {shapes}; expected one of {_WAVEFORMS}, and "
                "at most one more with the numbers of samples, int64 of shape (n_clips,)"
            )
        if len(output.shape) not in (2, 3) or output.type not in (
            "tensor(float)",
            "tensor(double)",
        ):
            raise ValueError(
                f"encoder={self.path!r} has the output {output.name} {output.type} {output.shape}; "
                "expected floats of shape (n_clips, n_frames, n_dims), (n_clips, n_dims, n_frames) "
                "or (n_clips, n_dims)"
            )
        self.takes_lengths = len(inputs) == 2
        self.n_times = inputs[0].shape[1] if isinstance(inputs[0].shape[1], int) else None
        self.one_by_one = inputs[0].shape[0] == 1
        self.frames_last = len(output.shape) == 3 and (
            isinstance(output.shape[1], int) and not isinstance(output.shape[2], int)
        )
        n_dims = output.shape[1 if self.frames_last else -1]
        self.vector_shape = None
        if isinstance(n_dims, int):
            self.vector_shape = n_dims, 0 if len(output.shape) == 3 else None

    def _open(self) -> Any:
        """The session, opened when it is first needed, since it cannot be pickled."""
        if self._session is None:
            if digest_of_file(self.path) != self._digest:
                raise ValueError(
                    f"encoder={self.path!r} has changed since the network was fitted: fit again"
                )
            runtime = import_onnx("onnxruntime", self.path)
            options = runtime.SessionOptions()
            options.intra_op_num_threads = torch.get_num_threads()
            options.log_severity_level = 3  # warnings about the graph are of no use here
            try:
                self._session = runtime.InferenceSession(
                    self.path, options, providers=["CPUExecutionProvider"]
                )
            except Exception as error:
                raise ValueError(
                    f"encoder={self.path!r} cannot be read by onnxruntime: {error}"
                ) from error
        return self._session

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *others: Any) -> None:
        saved = state_dict.get(f"{prefix}content")
        if saved is not None and not torch.equal(saved.cpu(), self.content.cpu()):
            error_msgs = others[-1]
            error_msgs.append(
                f"encoder={self.path!r} has changed since the network was saved: fit again"
            )
        super()._load_from_state_dict(state_dict, prefix, *others)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_session": None}

    def forward(self, waveforms: torch.Tensor) -> torch.Tensor:
        """Vectors of clips.

        Parameters
        ----------
        waveforms : Tensor of shape (n_clips, n_times)

        Returns
        -------
        vectors : Tensor of shape (n_clips, n_dims, n_frames) or (n_clips, n_dims)
        """
        clips = waveforms.detach().cpu().float()
        if self.n_times not in (None, clips.shape[1]):
            raise ValueError(
                f"encoder={self.path!r} takes clips of {self.n_times} samples, got "
                f"{clips.shape[1]}; set window_length={self.n_times} and hop_length, or pad the "
                "clips by PadOrTrim"
            )
        parts = clips.split(1) if self.one_by_one else [clips]
        vectors = torch.cat([self._run(part) for part in parts])
        return vectors.transpose(1, 2) if vectors.ndim == 3 and not self.frames_last else vectors

    def _run(self, clips: torch.Tensor) -> torch.Tensor:
        session = self._open()
        names = [i.name for i in session.get_inputs()]
        feed = {names[0]: clips.contiguous().numpy()}
        if self.takes_lengths:
            feed[names[1]] = torch.full((len(clips),), clips.shape[1]).numpy()
        try:
            (vectors,) = session.run([session.get_outputs()[0].name], feed)
        except Exception as error:
            raise ValueError(
                f"encoder={self.path!r} cannot compute clips of {clips.shape[1]} samples; are they "
                f"too short? onnxruntime says: {error}"
            ) from error
        return torch.from_numpy(vectors).float()


def _are_waveforms(inputs: list[Any]) -> bool:
    if len(inputs) not in (1, 2):
        return False
    first = inputs[0].type == "tensor(float)" and len(inputs[0].shape) == 2
    return first and all(i.type == "tensor(int64)" and len(i.shape) == 1 for i in inputs[1:])
