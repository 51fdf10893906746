"""Trains TabM, a parameter-efficient ensemble of small networks, with early stopping.

Gorishniy, Kotelnikov & Babenko 2025 (ICLR), "TabM: Advancing tabular deep learning with
parameter-efficient ensembling". The only file that knows PyTorch.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import binary_cross_entropy_with_logits as log_loss

from churn.models.candidate import Target
from churn.models.network.network_graph import Layer, NetworkWeights
from churn.models.network.network_input import Singles
from churn.models.recipe_settings import TabularNetSettings

Rows = NDArray[np.intp]
OnEpoch = Callable[[int, float], None]
"""Called after each epoch with its number from 1 and the log loss of the validation rows."""

_WORTH_COUNTING = 1e-5  # a smaller gain in log loss does not keep the training going
_lock = threading.Lock()


@dataclass(frozen=True, eq=False)
class TrainedNetwork:
    """A network at its best epoch.

    Attributes:
        module: the PyTorch module, on the CPU; its output is float32[n, k, 1], k log-odds.
        best_epoch: the epoch it is from.
        losses: log loss of the validation rows after every epoch.
    """

    module: torch.nn.Module
    best_epoch: int
    losses: tuple[float, ...]

    @property
    def weights(self) -> NetworkWeights:
        """What the module learnt, as arrays."""
        _, backbone, head = self.module.children()
        layers = [block[0] for block in backbone.blocks]  # type: ignore[union-attr]
        return NetworkWeights(
            layers=tuple(
                Layer(_array(x.r), _array(x.weight.T), _array(x.s), _array(x.bias)) for x in layers
            ),
            head=_array(head.weight)[:, :, 0],
            head_bias=_array(head.bias)[:, 0],
        )


def train_network(
    settings: TabularNetSettings,
    encoded: Singles,
    target: Target,
    *,
    widths: tuple[int, ...],
    training: Rows,
    validation: Rows,
    on_epoch: OnEpoch | None = None,
) -> TrainedNetwork:
    """Trains until the validation rows' log loss has not fallen for `patience` epochs.

    On a CPU the same input gives the same weights, bit for bit. PyTorch's random state and number
    of threads belong to the process, so trainings run one after the other, and both are
    restored afterwards.

    Args:
        settings: of the recipe.
        encoded: float32[n, inputs], all rows.
        target: int8[n].
        widths: number of inputs for each feature.
        training: rows to learn from.
        validation: rows that say when to stop; none of them is learnt from.
        on_epoch: may raise to end the training.
    """
    use_gpu = settings.device == "auto" and torch.cuda.is_available()
    device = torch.device("cuda" if use_gpu else "cpu")
    with _alone(settings.seed):
        module = _network(settings, widths).to(device)
        optimizer = torch.optim.AdamW(
            module.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        rows = torch.from_numpy(encoded).to(device)
        truth = torch.from_numpy(np.asarray(target, dtype=np.float32)).to(device)
        learnt, judged = torch.from_numpy(training), torch.from_numpy(validation).to(device)
        best: dict[str, torch.Tensor] = {}
        best_epoch, losses = 0, [np.inf]
        for epoch in range(1, settings.epochs + 1):
            _learn(module, optimizer, rows, truth, learnt, settings.batch_rows)
            losses.append(_judge(module, rows[judged], truth[judged]))
            if on_epoch is not None:
                on_epoch(epoch, losses[-1])
            if not best or losses[-1] < losses[best_epoch] - _WORTH_COUNTING:
                best = {name: value.clone() for name, value in module.state_dict().items()}
                best_epoch = epoch
            elif epoch - best_epoch >= settings.patience:
                break
        module.load_state_dict(best)
        return TrainedNetwork(module.cpu().eval(), best_epoch, tuple(losses[1:]))


@contextmanager
def _alone(seed: int) -> Iterator[None]:
    """Seeds PyTorch and runs it on one thread; other threads that enter meanwhile wait."""
    with _lock, torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        torch.manual_seed(seed)
        try:
            yield
        finally:
            torch.set_num_threads(threads)


def _network(settings: TabularNetSettings, widths: tuple[int, ...]) -> torch.nn.Module:
    from tabm import EnsembleView, LinearEnsemble, make_tabm_backbone

    backbone = make_tabm_backbone(
        d_in=sum(widths),
        n_blocks=settings.layers,
        d_block=settings.width,
        dropout=settings.dropout,
        k=settings.networks,
        arch_type="tabm",
        start_scaling_init="random-signs",
        start_scaling_init_chunks=list(widths),  # the inputs of one feature share their sign
    )
    return torch.nn.Sequential(
        EnsembleView(k=settings.networks),
        backbone,
        LinearEnsemble(settings.width, 1, k=settings.networks),
    )


def _learn(
    module: torch.nn.Module,
    optimizer: torch.optim.Optimizer,
    rows: torch.Tensor,
    truth: torch.Tensor,
    learnt: torch.Tensor,
    batch_rows: int,
) -> None:
    module.train()
    shuffled = learnt[torch.randperm(len(learnt))].to(rows.device)
    for batch in torch.split(shuffled, batch_rows):
        optimizer.zero_grad()
        logits = module(rows[batch])[..., 0]
        # Each of the k networks learns by its own error, not by that of their mean.
        log_loss(logits, truth[batch, None].expand_as(logits)).backward()  # type: ignore[no-untyped-call]
        optimizer.step()


def _judge(module: torch.nn.Module, rows: torch.Tensor, truth: torch.Tensor) -> float:
    module.eval()
    with torch.inference_mode():
        return float(log_loss(module(rows)[..., 0].mean(dim=1), truth))


def _array(tensor: Any) -> Singles:
    return np.ascontiguousarray(tensor.detach().cpu().numpy(), dtype=np.float32)
