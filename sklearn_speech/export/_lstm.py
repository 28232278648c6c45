"""An LSTM as operators of ONNX."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn


class ExportedLSTM(nn.Module):
    """An LSTM as one operator of ONNX for each layer and direction.

    torch's exporter writes one step after the other, for one number of steps. The operators are
    placeholders that only the file computes.

    Parameters
    ----------
    lstm : torch.nn.LSTM
        Its sizes are attributes here, too; dropout, which belongs to training, is left out.

    Raises
    ------
    ValueError
        When the LSTM has projections, which the operator lacks.

    Shape
    -----
    As those of the LSTM.
    """

    num_layers: int
    bidirectional: bool
    batch_first: bool

    def __init__(self, lstm: nn.LSTM) -> None:
        super().__init__()
        if lstm.proj_size:
            raise ValueError(
                f"proj_size={lstm.proj_size} of an nn.LSTM: the LSTM of ONNX has no projections; "
                "use proj_size=0"
            )
        for name in lstm.__constants__:
            setattr(self, name, getattr(lstm, name))
        self.directions = nn.ModuleList(
            _Direction(lstm, f"_l{layer}{suffix}")
            for layer in range(lstm.num_layers)
            for suffix in ("", "_reverse")[: 1 + lstm.bidirectional]
        )

    def flatten_parameters(self) -> None:
        """Nothing: it is for GPUs."""

    def forward(
        self, input: Tensor, hx: Sequence[Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Outputs of all steps, and the last states and cells.

        Parameters
        ----------
        input : Tensor
        hx : pair of Tensor, default=None
            The first states and cells. None is 0.
        """
        if not isinstance(input, Tensor):
            raise ValueError(
                f"an nn.LSTM gets a {type(input).__name__}; only tensors, of clips of one length, "
                "can be exported"
            )
        if input.ndim == 2:
            first = None if hx is None else [state.unsqueeze(1) for state in hx]
            out, (states, cells) = self._run(input.unsqueeze(1), first)
            return out.squeeze(1), (states.squeeze(1), cells.squeeze(1))
        if not self.batch_first:
            return self._run(input, hx)
        out, last = self._run(input.transpose(0, 1), hx)
        return out.transpose(0, 1), last

    def _run(self, x: Tensor, first: Any) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """What torch gives without ``batch_first``."""
        n_directions = 1 + self.bidirectional
        last = []
        for layer in range(self.num_layers):
            outputs = []
            for i in range(layer * n_directions, (layer + 1) * n_directions):
                before = None if first is None else [state[i : i + 1] for state in first]
                output, *after = self.directions[i](x, before)
                outputs.append(output)
                last.append(after)
            x = torch.cat(outputs, dim=2) if self.bidirectional else outputs[0]
        states, cells = (torch.cat(parts) for parts in zip(*last, strict=True))
        return x, (states, cells)


class _Direction(nn.Module):
    """One layer and direction.

    Parameters
    ----------
    lstm : torch.nn.LSTM
    suffix : str
        Of the names of its weights, such as "_l0_reverse".

    Shape
    -----
    Input (n_steps, n_clips, in_features), and None or two tensors (1, n_clips, hidden_size);
    output (n_steps, n_clips, hidden_size) and two tensors (1, n_clips, hidden_size).
    """

    def __init__(self, lstm: nn.LSTM, suffix: str) -> None:
        super().__init__()
        self.hidden_size = lstm.hidden_size
        self.attributes: dict[str, Any] = {
            "hidden_size": lstm.hidden_size,
            "direction": "reverse" if suffix.endswith("_reverse") else "forward",
        }
        of = lambda name: _gates(getattr(lstm, name + suffix))  # noqa: E731
        self.of_input = _constant(of("weight_ih"))
        self.of_state = _constant(of("weight_hh"))
        biases = [of("bias_ih"), of("bias_hh")] if lstm.bias else []
        self.bias = _constant(torch.cat(biases)) if biases else None

    def forward(self, x: Tensor, first: Sequence[Tensor] | None) -> Sequence[Tensor]:
        n_steps, n_clips = x.shape[:2]
        inputs = [x, self.of_input, self.of_state, self.bias]
        if first is not None:
            inputs += [None, *first]  # in between are lengths
        of_step = (1, n_clips, self.hidden_size)
        out, state, cell = torch.onnx.ops.symbolic_multi_out(
            "LSTM",
            inputs,
            self.attributes,
            dtypes=[x.dtype] * 3,
            shapes=[(n_steps, *of_step), of_step, of_step],
        )
        return out.squeeze(1), state, cell


def _gates(weights: Tensor) -> Tensor:
    """Rows in the order of ONNX: input, output, forget, cell; torch has input, forget, cell,
    output."""
    entry, forget, cell, out = weights.detach().chunk(4)
    return torch.cat([entry, out, forget, cell])


def _constant(weights: Tensor) -> nn.Parameter:
    return nn.Parameter(weights.unsqueeze(0), requires_grad=False)
