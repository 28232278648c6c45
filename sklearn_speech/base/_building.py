"""Building of network, loss and optimiser, once the sizes of the data are known."""

import inspect
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Self

import torch

from ..modules.front_end_net import FrontEndNet
from ..modules.weight_init import initialize_weights
from ..utils.device import resolve_device
from ..utils.random import default_float32
from ._callbacks import check_callbacks
from ._mixin import Mixin
from ._schedule import FUSED, FUSED_EXCLUDES, OPTIMIZERS


class NetworkBuilding(Mixin):
    """The parts that ``initialize`` builds; mixin placed before NeuralNet.

    In skorch, the sizes of a network are parameters, and sizes found in the data are written
    back to them. Here they are attributes, learned in ``fit``, so that clones do not have them.
    """

    device: Any
    device_: torch.device

    def _network_shape(self, shape: tuple[int | None, ...]) -> dict[str, Any]:
        """The arguments of the network that depend on the data."""
        if self.reads == "waveform":
            return {"n_times": shape[-1]}
        return {"n_bands": shape[0], "n_frames": shape[-1]}

    def get_params_for(self, prefix: str) -> dict[str, Any]:
        """Arguments for `prefix`; the arguments of the network include the sizes of the data."""
        if prefix != "module":
            return super().get_params_for(prefix)
        accepted = inspect.signature(self.module_class.__init__).parameters
        own = {n: getattr(self, n) for n in self._signature_names() if n in accepted}
        return {**own, **self._network_shape(self.network_shape_)}

    def initialize_module(self) -> Self:
        """Build the network, with the front end inside if one is set."""
        if not hasattr(self, "input_shape_"):
            raise ValueError(
                f"{type(self).__name__} learns the sizes of its network from data: call fit or "
                "partial_fit instead of initialize"
            )
        front_end = None
        self.network_shape_ = self.input_shape_
        if self.frontend is not None:
            front_end = self._make_front_end()
            n_times = self.input_shape_[-1]
            n_frames = None if n_times is None else int(front_end.n_frames(n_times))
            self.network_shape_ = (front_end.n_bands, n_frames)
        module = self.module_class(**self.get_params_for("module"))
        initialize_weights(module, self.weight_init)
        self.module_ = module if front_end is None else FrontEndNet(front_end, module)
        return self

    def _make_front_end(self) -> Any:
        """A new, untrained front end to put inside the network."""
        return self.frontend.to_module()

    def _initialize_module(self, reason: str | None = None) -> Self:
        with self._current_init_context("module"), default_float32():
            self.initialize_module()
            self.module_.to(self.device_)
        return self

    def _initialize_criterion(self, reason: str | None = None) -> Self:
        with self._current_init_context("criterion"):
            self.initialize_criterion()
            self.criterion_.to(self.device_)
        return self

    def _initialize_callbacks(self) -> Self:
        super()._initialize_callbacks()
        check_callbacks(self)
        return self

    def initialize_criterion(self) -> Self:
        """Set ``criterion_``, which returns one loss per clip."""
        raise NotImplementedError

    def initialize(self) -> Self:
        """Build a new network, loss and optimiser; the sizes of the data must be known."""
        self.device_ = resolve_device(self.device)
        return super().initialize()

    def _initialize_without_optimizer(self) -> Self:
        """Build what prediction needs; ``optimizer_`` is built at its first use.

        The optimisers of torch import its compiler, which takes longer than building the rest.
        """
        self.device_ = resolve_device(self.device)
        self._initialize_virtual_params()
        self._initialize_callbacks()
        self._initialize_module()
        self._initialize_criterion()
        self._initialize_history()
        self.initialized_ = True
        return self

    def __getattr__(self, name: str) -> Any:
        if name == "optimizer_" and self.initialized_:
            self._initialize_optimizer()
            for group in self.optimizer_.param_groups:
                group["initial_lr"] = group["lr"]  # schedulers of torch need it to continue
            return self.optimizer_
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def _initialize_optimizer(self, reason: str | None = None) -> Self:
        with self._current_init_context("optimizer"):
            self.initialize_optimizer()
        return self

    @contextmanager
    def _resolved_device(self) -> Iterator[None]:
        """Show skorch the device that ``device="auto"`` stands for."""
        given = self.device
        self.device = str(getattr(self, "device_", None) or resolve_device(given))
        try:
            yield
        finally:
            self.device = given

    def load_params(self, *args: Any, **kwargs: Any) -> None:
        """Load weights, optimiser or history from files of ``save_params``; see skorch.

        Parameters
        ----------
        *args, **kwargs
            As in ``skorch.NeuralNet.load_params``: ``f_params``, ``f_optimizer``, ``f_history``,
            ``checkpoint`` and so on.
        """
        with self._resolved_device():
            super().load_params(*args, **kwargs)

    def initialize_optimizer(self, triggered_directly: bool | None = None) -> Self:
        """Set ``optimizer_``; a front end with its own learning rate is a separate group."""
        named = [(n, p) for n, p in self.get_all_learnable_params() if p.requires_grad]
        groups, options = self.get_params_for_optimizer("optimizer", named)
        make: Any = (
            OPTIMIZERS[self.optimizer] if isinstance(self.optimizer, str) else self.optimizer
        )
        if "weight_decay" in inspect.signature(make).parameters:
            options.setdefault("weight_decay", self.weight_decay)
        if make in FUSED and not FUSED_EXCLUDES & set(options):
            options["fused"] = True
        self.optimizer_ = make(*groups, **options)
        return self

    def get_params_for_optimizer(
        self, prefix: str, named_parameters: Iterable[tuple[str, torch.nn.Parameter]]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Parameter groups and options as in skorch; layers with their own rate are a group.

        Parameters
        ----------
        prefix : str
            ``"optimizer"``.
        named_parameters : iterable of (str, Parameter)

        Returns
        -------
        args : tuple
            The groups of parameters.
        kwargs : dict
            Options of the optimiser.
        """
        named = list(named_parameters)
        own = self._own_rates()
        apart = {p for inside, _ in own for p in inside}
        rest = [(n, p) for n, p in named if p not in apart]
        (groups,), options = super().get_params_for_optimizer(prefix, rest)
        for inside, lr in own:
            trained = [p for _, p in named if p in inside]
            if trained:
                groups.append({"params": trained, "lr": lr})
        return (groups,), options

    def _own_rates(self) -> list[tuple[set[torch.nn.Parameter], float]]:
        """Layers whose learning rate is not that of the network, and that rate."""
        lr = getattr(self.frontend, "lr", None)
        return [] if lr is None else [(set(self.module_.front_end.parameters()), lr)]
