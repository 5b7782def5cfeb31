"""The sequential decoders that the paper names for G_m (section 6.1): LSTM, GRU, Transformer with a window.

Each takes fused signals [B, T, F] and a state, and gives hidden values [B, T, H] and the next state: what
it gives for a sequence is what it gives for the sequence cut anywhere. A state is a tuple of tensors that
`start` makes from the flat initial state of the network (h_1 of Eq. 3), which has ``parts`` vectors [H] for
each layer. All are torch modules, for training and export only.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

State = tuple[Tensor, ...]

# Attention heads of the Transformer; the hidden size must be a multiple.
HEADS = 4


class LstmDecoder(nn.LSTM):
    """The paper's choice, without biases as published. State: h and c, each [layers, B, H]."""

    parts = 2

    def __init__(self, fused_size: int, hidden_size: int, layers: int) -> None:
        super().__init__(fused_size, hidden_size, layers, bias=False, batch_first=True)

    def start(self, flat: Tensor) -> State:
        """The published order: all h, then all c."""
        hidden, cell = _by_layer(flat, self.parts, self.num_layers, self.hidden_size)
        return hidden, cell


class GruDecoder(nn.GRU):
    """State: h [layers, B, H]."""

    parts = 1

    def __init__(self, fused_size: int, hidden_size: int, layers: int) -> None:
        super().__init__(fused_size, hidden_size, layers, batch_first=True)

    def start(self, flat: Tensor) -> State:
        """Layer by layer."""
        return (_by_layer(flat, self.parts, self.num_layers, self.hidden_size)[0],)

    def forward(self, fused: Tensor, state: State) -> tuple[Tensor, State]:  # type: ignore[override,unused-ignore]
        """Hidden values [B, T, H] and the next state."""
        hidden, last = super().forward(fused, state[0])
        return hidden, (last,)


class TransformerDecoder(nn.Module):
    """Causal self-attention within a sliding window (Beltagy et al., Longformer, 2020), normalised before.

    Frame t attends to itself, to the ``window`` - 1 frames before it and, however long the sequence, to the
    start: one token per layer made from the reference motion and the attitude. Before the first frame the
    window is full of starts. State: keys and values of each layer, [B, window, H] each, of which the first is
    the start's.
    """

    parts = 1

    def __init__(self, fused_size: int, hidden_size: int, layers: int, window: int) -> None:
        super().__init__()
        self.window = window
        self.entrance = nn.Linear(fused_size, hidden_size)
        self.layers = nn.ModuleList(TransformerLayer(hidden_size, window) for _ in range(layers))
        self.norm = nn.LayerNorm(hidden_size)

    def start(self, flat: Tensor) -> State:
        """Windows full of each layer's start."""
        state: list[Tensor] = []
        for layer, token in zip(self.layers, flat.chunk(len(self.layers), dim=1), strict=True):
            assert isinstance(layer, TransformerLayer)
            _, key, value = layer.project(token[:, None])
            state += [key.expand(-1, self.window, -1), value.expand(-1, self.window, -1)]
        return tuple(state)

    def forward(self, fused: Tensor, state: State) -> tuple[Tensor, State]:
        """Hidden values [B, T, H] and the next state."""
        hidden = []
        # Attention over a whole sequence would be large and nearly all of it masked.
        for block in self.entrance(fused).split(self.window, dim=1):
            next_state: list[Tensor] = []
            for layer, keys, values in zip(self.layers, state[::2], state[1::2], strict=True):
                block, *window = layer(block, keys, values)
                next_state += window
            state = tuple(next_state)
            hidden.append(block)
        return self.norm(torch.cat(hidden, dim=1)), state


class TransformerLayer(nn.Module):
    """One layer of `TransformerDecoder`; a learnt bias by head tells how long ago a frame was."""

    def __init__(self, hidden_size: int, window: int) -> None:
        super().__init__()
        self.window = window
        self.norm_attention = nn.LayerNorm(hidden_size)
        self.projection = nn.Linear(hidden_size, 3 * hidden_size)
        # Of the start, then of the frames of the window from the oldest to the newest.
        self.age_bias = nn.Parameter(torch.zeros(HEADS, 1 + window))
        self.attended = nn.Linear(hidden_size, hidden_size)
        self.norm_forward = nn.LayerNorm(hidden_size)
        self.forward_in = nn.Linear(hidden_size, 2 * hidden_size)
        self.forward_out = nn.Linear(2 * hidden_size, hidden_size)

    def project(self, inputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Query, key and value [B, T, H] of inputs [B, T, H]."""
        query, key, value = self.projection(self.norm_attention(inputs)).chunk(3, dim=-1)
        return query, key, value

    def forward(self, inputs: Tensor, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Outputs [B, T, H], and the next window of keys and values [B, window, H]; T is at most window."""
        query, key, value = self.project(inputs)
        keys, values = torch.cat([keys, key], dim=1), torch.cat([values, value], dim=1)
        q, k, v = (part.unflatten(-1, (HEADS, -1)).transpose(1, 2) for part in (query, keys, values))
        mixed = functional.scaled_dot_product_attention(q, k, v, attn_mask=self._bias(inputs.shape[1]))
        outputs = inputs + self.attended(mixed.transpose(1, 2).flatten(2))
        change = self.forward_out(torch.relu(self.forward_in(self.norm_forward(outputs))))
        return outputs + change, self._slid(keys), self._slid(values)

    def _bias(self, frames: int) -> Tensor:
        """Bias [heads, T, window + T] of frame t for the start, and for the frames of old window and new."""
        columns = torch.arange(self.window + frames)
        place = columns - torch.arange(frames)[:, None]
        place[:, 0] = 0
        outside = (place < 1) | (place > self.window)
        outside[:, 0] = False
        bias = self.age_bias[:, place.clamp(0, self.window)]
        return bias.masked_fill(outside, -torch.inf)

    def _slid(self, window: Tensor) -> Tensor:
        return torch.cat([window[:, :1], window[:, window.shape[1] - self.window + 1 :]], dim=1)


def _by_layer(flat: Tensor, parts: int, layers: int, hidden_size: int) -> Tensor:
    """Flat states [B, parts * layers * H] as [parts, layers, B, H]."""
    return flat.view(-1, parts, layers, hidden_size).permute(1, 2, 0, 3).contiguous()
