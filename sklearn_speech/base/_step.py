"""One step of training: what a batch goes through between the data and new weights."""

import torch
from torch import nn

from ..modules.front_end_net import FrontEndNet
from ._batches import Batch

#: A data set is moved to the device as a whole when it takes at most this share of what is free.
_SHARE_OF_MEMORY = 0.5


class TrainingStep:
    """One step of the optimiser for one batch, with everything constant looked up once."""

    def __init__(self, net):
        self.net = net
        self.parameters = [p for p in net.module_.parameters() if p.requires_grad]
        weights = [p for p in self.parameters if p.dim() > 1]
        self.penalised = weights if net.l1 or net.l2 else []
        modules = list(net.module_.modules())
        self.constrained = [m for m in modules if hasattr(m, "apply_constraints")]
        self.on_waveforms, self.on_spectrograms = _by_domain(net)
        self.mixed_with = None
        self.inside = isinstance(net.module_, FrontEndNet)
        # a front end that nothing changes is run once, not once an epoch
        self.features_first = (
            self.inside
            and not self.on_waveforms
            and not any(p.requires_grad for p in net.module_.front_end.parameters())
        )
        self.generator = torch.Generator(device=net.device_)
        self.generator.manual_seed(int(torch.randint(2**31 - 1, ()).item()))
        self.mixed = net.mixed_precision and net.device_.type == "cuda"

    def to_device(self, values):
        return None if values is None else values.to(self.net.device_, non_blocking=True)

    def prepared(self, data):
        """`data` as steps want it: features where they are constant, on the device if it fits."""
        if data is None:
            return None
        if self.features_first:
            data = self._features(data)
        device = self.net.device_
        if device.type == "cuda" and not data.ragged:
            free, _ = torch.cuda.mem_get_info(device)
            if data.X.nbytes < _SHARE_OF_MEMORY * free:
                data = data.to(device)
        return data

    def _features(self, data):
        module, clips = self.net.module_, []
        module.eval()
        with torch.no_grad():
            for start in range(0, len(data), 64):
                batch = data.batch(slice(start, start + 64))
                features, frames = module.features(
                    self.to_device(batch[0]), self.to_device(batch.lengths)
                )
                features = features.cpu()
                if frames is None:
                    clips.append(features)
                else:
                    clips.extend(f[:, :n] for f, n in zip(features, frames.tolist()))
        X = clips if data.ragged else torch.cat(clips)
        return data.with_clips(X)

    def _losses(self, output, batch):
        losses = self.net.clip_losses(output, self.to_device(batch[1]), batch)
        if self.mixed_with is None:
            return losses
        permutation, share = self.mixed_with
        others = Batch(batch[0], self.to_device(batch[1])[permutation])
        other_losses = self.net.clip_losses(output, others[1], others)
        return share * losses + (1 - share) * other_losses

    def _apply(self, augmentations, x, lengths):
        for augmentation in augmentations:
            if hasattr(augmentation, "mix"):
                x, lengths, *self.mixed_with = augmentation.mix(x, lengths, self.generator)
            else:
                x, lengths = augmentation(x, lengths, self.generator)
        return x, lengths

    def output(self, batch, augment=False):
        """Output of the network, and with `augment` of a changed copy of the batch."""
        module = self.net.module_
        self.mixed_with = None
        x, lengths = self.to_device(batch[0]), self.to_device(getattr(batch, "lengths", None))
        if self.inside and not self.features_first:
            if augment:
                x, lengths = self._apply(self.on_waveforms, x, lengths)
            x, lengths = module.features(x, lengths)
        elif not self.inside and augment:
            x, lengths = self._apply(self.on_waveforms, x, lengths)
        if augment:
            x, lengths = self._apply(self.on_spectrograms, x, lengths)
        network = module.network if self.inside else module
        return network(x) if lengths is None else network(x, lengths)

    def __call__(self, batch):
        net, done = self.net, {}

        def closure():
            net.optimizer_.zero_grad(set_to_none=True)
            with torch.autocast(net.device_.type, torch.bfloat16, enabled=self.mixed):
                output = self.output(batch, augment=True)
            losses = self._losses(output.float(), batch)
            weight = self.to_device(getattr(batch, "sample_weight", None))
            loss = losses.mean() if weight is None else (losses * weight).mean()
            penalised = loss + self._penalty() if self.penalised else loss
            penalised.backward()
            if net.gradient_clip is not None:
                nn.utils.clip_grad_norm_(self.parameters, net.gradient_clip)
            if net.callbacks_:
                net.notify(
                    "on_grad_computed",
                    named_parameters=list(net.module_.named_parameters()),
                    batch=batch,
                    training=True,
                )
            done.setdefault("loss", loss.detach())
            done.setdefault("output", output.detach())
            return penalised

        net.optimizer_.step(closure)
        for module in self.constrained:
            module.apply_constraints()
        return done["loss"], done["output"]

    def _penalty(self):
        net, total = self.net, 0.0
        for weight in self.penalised:
            if net.l1:
                total = total + net.l1 * weight.abs().sum()
            if net.l2:
                total = total + net.l2 * weight.square().sum()
        return total


def _by_domain(net):
    augmentations = list(net.augment or [])
    inside_waveforms = net.frontend is not None or net.reads == "waveform"
    waveforms, spectrograms = [], []
    for i, augmentation in enumerate(augmentations):
        domain = getattr(augmentation, "domain", None)
        if domain not in ("waveform", "spectrogram"):
            raise ValueError(
                f"augment[{i}]={augmentation!r}: expected an augmentation of "
                "sklearn_speech.augmentation, with a domain"
            )
        if domain == "waveform" and not inside_waveforms:
            raise ValueError(
                f"augment[{i}]={augmentation!r} changes waveforms, but {type(net).__name__} is "
                "given spectrograms; set frontend= to put the front end inside"
            )
        if domain == "spectrogram" and net.reads == "waveform":
            raise ValueError(
                f"augment[{i}]={augmentation!r} changes spectrograms, but "
                f"{type(net).__name__} reads waveforms"
            )
        if hasattr(augmentation, "mix") and not net.mixes_targets:
            raise ValueError(
                f"augment[{i}]={augmentation!r} mixes targets, which {type(net).__name__} cannot"
            )
        (waveforms if domain == "waveform" else spectrograms).append(augmentation)
    return waveforms, spectrograms
