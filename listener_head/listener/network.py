"""The listener generator of the paper (Eq. 1 to 3) as a torch module: training and export only.

The structure, sizes and parameter names are those of the published baseline, so that its checkpoints
load: 248,449 parameters at bfm2009 sizes without attitudes. All inputs and outputs are standardised.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

ATTITUDES: tuple[str, ...] = ("positive", "neutral", "negative")

# h and c of every LSTM layer, each [layers, batch, hidden].
State = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class NetworkConfig:
    """Sizes of the network; the defaults are the published ones."""

    motion_size: int
    audio_size: int = 45
    fused_size: int = 192
    hidden_size: int = 96
    layers: int = 2
    attitudes: tuple[str, ...] = ATTITUDES


class SpeakerListenerFusion(nn.Module):
    """Fuses the speaker's sound and motion, and decodes them from the listener's initial state."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        motion, driven = config.motion_size, config.audio_size + config.motion_size
        state_size = 2 * config.layers * config.hidden_size
        self.layernorm_init = nn.LayerNorm(motion)
        self.layernorm_driven = nn.LayerNorm(driven)
        self.get_initial_state = nn.Sequential(
            nn.Linear(motion, motion), nn.Tanh(), nn.Linear(motion, state_size)
        )
        self.fusion = nn.Sequential(nn.Linear(driven, config.fused_size), nn.Tanh())
        self.lstm_layers = nn.LSTM(
            config.fused_size, config.hidden_size, config.layers, bias=False, batch_first=True
        )


class ListenerNetwork(nn.Module):
    """Speaker's sound and motion up to frame t in, listener's motion of frame t + 1 out."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.fusion = SpeakerListenerFusion(config)
        self.dynam_3dmm_fc = nn.Linear(config.hidden_size, config.motion_size)
        # The paper's attitude e: its own branch of the initial state, absent from published checkpoints.
        if config.attitudes:
            self.attitude = nn.Embedding(len(config.attitudes), 2 * config.layers * config.hidden_size)

    @torch.no_grad()
    def initialise_memory(self) -> None:
        """Start from weights with which a state lasts, so that attitude and reference are not forgotten.

        The published LSTM has no biases, so its forget gates start half open and a state is gone within
        a few frames. One constant fused unit, and one hidden unit that it keeps on, stand in for biases:
        forget gates then start with memories from a few frames to several seconds.
        """
        weights, hidden = dict(self.named_parameters()), self.config.hidden_size
        opening = torch.linspace(0, 5, hidden)
        weights["fusion.fusion.0.weight"][0] = 0.0
        weights["fusion.fusion.0.bias"][0] = 3.0  # tanh(3) is all but 1
        first = weights["fusion.lstm_layers.weight_ih_l0"]
        first[hidden : 2 * hidden, 0] = opening
        # Gates input, forget, cell, output of hidden unit 0: it takes in and gives out a constant.
        for gate, weight in enumerate((4.0, -4.0, 4.0, 4.0)):
            first[gate * hidden, 0] = weight
        for layer in range(1, self.config.layers):
            weights[f"fusion.lstm_layers.weight_ih_l{layer}"][hidden : 2 * hidden, 0] = opening / 0.75

    def initial_state(self, reference: Tensor, attitude: Tensor | None = None) -> State:
        """State from the listener's reference motion [B, M] and attitude index [B] (h_1 of Eq. 3)."""
        fusion = self.fusion
        flat = fusion.get_initial_state(fusion.layernorm_init(reference))
        if attitude is not None:
            flat = flat + self.attitude(attitude)
        shape = (-1, 2, self.config.layers, self.config.hidden_size)
        hidden, cell = flat.view(shape).permute(1, 2, 0, 3).contiguous()
        return hidden, cell

    def decode(self, audio: Tensor, speaker: Tensor, state: State) -> tuple[Tensor, State]:
        """Motion [B, T, M] and next state from audio [B, T, 45], speaker motion [B, T, M] and a state."""
        fusion = self.fusion
        driven = fusion.layernorm_driven(torch.cat([audio, speaker], dim=-1))
        hidden, state = fusion.lstm_layers(fusion.fusion(driven), state)
        return self.dynam_3dmm_fc(hidden), state

    def forward(
        self, audio: Tensor, speaker: Tensor, reference: Tensor, attitude: Tensor | None = None
    ) -> Tensor:
        """Motion [B, T, M] of a whole sequence: frame t of it is the prediction for t + 1."""
        return self.decode(audio, speaker, self.initial_state(reference, attitude))[0]
