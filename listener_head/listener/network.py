"""The listener generator of the paper (Eq. 1 to 3) as a torch module: training and export only.

The structure, sizes and parameter names are those of the published baseline, so that its checkpoints
load: 248,449 parameters at bfm2009 sizes with the LSTM and without attitudes. All inputs and outputs are
standardised.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from listener_head.dyads.clips import ATTITUDES
from listener_head.listener.decoders import GruDecoder, LstmDecoder, State, TransformerDecoder

Decoder = LstmDecoder | GruDecoder | TransformerDecoder

DECODERS: dict[str, type[Decoder]] = {
    "lstm": LstmDecoder,
    "gru": GruDecoder,
    "transformer": TransformerDecoder,
}


@dataclass(frozen=True)
class NetworkConfig:
    """Sizes of the network; the defaults are the published ones.

    ``decoder`` is "lstm", "gru" or "transformer"; ``window`` [frames] is the transformer's.
    """

    motion_size: int
    audio_size: int = 45
    fused_size: int = 192
    hidden_size: int = 96
    layers: int = 2
    attitudes: tuple[str, ...] = ATTITUDES
    decoder: str = "lstm"
    window: int = 90


class SpeakerListenerFusion(nn.Module):
    """Fuses the speaker's sound and motion, and decodes them from the listener's initial state."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        motion, driven = config.motion_size, config.audio_size + config.motion_size
        flat_size = flat_state_size(config)
        self.layernorm_init = nn.LayerNorm(motion)
        self.layernorm_driven = nn.LayerNorm(driven)
        self.get_initial_state = nn.Sequential(
            nn.Linear(motion, motion), nn.Tanh(), nn.Linear(motion, flat_size)
        )
        self.fusion = nn.Sequential(nn.Linear(driven, config.fused_size), nn.Tanh())
        # Published checkpoints call theirs lstm_layers.
        self.add_module(f"{config.decoder}_layers", _make_decoder(config))


def flat_state_size(config: NetworkConfig) -> int:
    """Numbers of the flat initial state."""
    return DECODERS[config.decoder].parts * config.layers * config.hidden_size


def _make_decoder(config: NetworkConfig) -> Decoder:
    sizes = config.fused_size, config.hidden_size, config.layers
    if config.decoder == "transformer":
        return TransformerDecoder(*sizes, config.window)
    return GruDecoder(*sizes) if config.decoder == "gru" else LstmDecoder(*sizes)


class ListenerNetwork(nn.Module):
    """Speaker's sound and motion up to frame t in, listener's motion of frame t + 1 out."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.fusion = SpeakerListenerFusion(config)
        self.dynam_3dmm_fc = nn.Linear(config.hidden_size, config.motion_size)
        # The paper's attitude e: its own branch of the initial state, absent from published checkpoints.
        if config.attitudes:
            self.attitude = nn.Embedding(len(config.attitudes), flat_state_size(config))

    @property
    def decoder(self) -> Decoder:
        """G_m of Eq. 2."""
        decoder: Decoder = getattr(self.fusion, f"{self.config.decoder}_layers")
        return decoder

    @torch.no_grad()
    def initialise_memory(self) -> None:
        """Start from weights with which a state lasts, so that attitude and reference are not forgotten.

        Gates that keep a state start half open, with which it is gone within a few frames. Here they start
        with memories from a few frames to several seconds. The Transformer needs none of this: it always
        sees its start.
        """
        opening = torch.linspace(0, 5, self.config.hidden_size)
        if self.config.decoder == "lstm":
            self._open_forget_gates(opening)
        elif self.config.decoder == "gru":
            update = slice(self.config.hidden_size, 2 * self.config.hidden_size)
            for layer in range(self.config.layers):
                getattr(self.decoder, f"bias_ih_l{layer}")[update] = opening

    def _open_forget_gates(self, opening: Tensor) -> None:
        """The published LSTM has no biases: one constant fused unit, and one hidden unit that it keeps on,
        stand in for them."""
        weights, hidden = dict(self.named_parameters()), self.config.hidden_size
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
        return self.decoder.start(flat)

    def decode(self, audio: Tensor, speaker: Tensor, state: State) -> tuple[Tensor, State]:
        """Motion [B, T, M] and next state from audio [B, T, 45], speaker motion [B, T, M] and a state."""
        fusion = self.fusion
        driven = fusion.layernorm_driven(torch.cat([audio, speaker], dim=-1))
        hidden, state = self.decoder(fusion.fusion(driven), state)
        return self.dynam_3dmm_fc(hidden), state

    def forward(
        self, audio: Tensor, speaker: Tensor, reference: Tensor, attitude: Tensor | None = None
    ) -> Tensor:
        """Motion [B, T, M] of a whole sequence: frame t of it is the prediction for t + 1."""
        return self.decode(audio, speaker, self.initial_state(reference, attitude))[0]
