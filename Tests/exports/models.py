"""Small sequence models, written the way people write them in PyTorch. B batch, L length, C channels, H hidden."""

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

CHANNELS, HIDDEN, CLASSES, LETTERS = 6, 8, 3, 12


class TextCNN(nn.Module):
    """Kim 2014: convolutions of several widths over an embedding, the maximum over time, one linear layer."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(LETTERS, HIDDEN)
        self.convolutions = nn.ModuleList([nn.Conv1d(HIDDEN, HIDDEN, k, padding=k // 2) for k in (3, 5)])
        self.norms = nn.ModuleList([nn.BatchNorm1d(HIDDEN) for _ in range(2)])
        self.head = nn.Linear(2 * HIDDEN, CLASSES)

    def forward(self, tokens, mask):
        """tokens [B, L], mask [B, 1, L] to logits [B, classes]."""
        h = self.embedding(tokens).transpose(1, 2) * mask
        pooled = []
        for convolution, norm in zip(self.convolutions, self.norms):
            pooled.append((torch.relu(norm(convolution(h))) * mask).amax(2))
        return self.head(torch.cat(pooled, 1))


class ByteNet(nn.Module):
    """Kalchbrenner et al. 2016: residual blocks of dilated convolutions between layer norms; a row a position."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(LETTERS, HIDDEN)
        self.norms = nn.ModuleList([nn.LayerNorm(HIDDEN) for _ in range(6)])
        self.down = nn.ModuleList([nn.Conv1d(HIDDEN, HIDDEN // 2, 1) for _ in range(2)])
        self.wide = nn.ModuleList(
            [nn.Conv1d(HIDDEN // 2, HIDDEN // 2, 5, padding=2 * d, dilation=d) for d in (1, 2)])
        self.up = nn.ModuleList([nn.Conv1d(HIDDEN // 2, HIDDEN, 1) for _ in range(2)])
        self.narrow = nn.ModuleList([nn.LayerNorm(HIDDEN // 2) for _ in range(4)])
        self.head = nn.Linear(HIDDEN, LETTERS)

    def forward(self, tokens, mask):
        """tokens [B, L], mask [B, 1, L] to logits [B, L, letters]."""
        channels_last = mask.transpose(1, 2)
        h = self.embedding(tokens) * channels_last
        for i in range(2):
            n = torch.relu(self.norms[i](h)).transpose(1, 2)
            n = torch.relu(self.narrow[2 * i](self.down[i](n).transpose(1, 2))) * channels_last
            n = self.wide[i](n.transpose(1, 2)).transpose(1, 2)
            n = torch.relu(self.narrow[2 * i + 1](n)).transpose(1, 2)
            h = (h + self.up[i](n).transpose(1, 2)) * channels_last
        return self.head(h)


class Recurrent(nn.Module):
    """A recurrent layer of torch.nn, in both directions or one, and a linear layer at each position."""

    def __init__(self, layer, bidirectional):
        super().__init__()
        self.layer = layer(CHANNELS, HIDDEN, batch_first=True, bidirectional=bidirectional)
        self.head = nn.Linear(HIDDEN * (2 if bidirectional else 1), CLASSES)

    def forward(self, x):
        """x [B, L, C] to logits [B, L, classes]."""
        return self.head(self.layer(x)[0])


class PackedLSTM(nn.Module):
    """A bidirectional LSTM that is told the lengths."""

    def __init__(self):
        super().__init__()
        self.layer = nn.LSTM(CHANNELS, HIDDEN, batch_first=True, bidirectional=True)
        self.head = nn.Linear(2 * HIDDEN, CLASSES)

    def forward(self, x, lengths):
        """x [B, L, C], lengths [B] to logits [B, classes]."""
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        rows, _ = pad_packed_sequence(self.layer(packed)[0], batch_first=True)
        return self.head(rows.sum(1) / lengths[:, None].to(x.dtype))


class Transformer(nn.Module):
    """nn.TransformerEncoder with a padding mask, a learned position embedding, the masked mean."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(LETTERS, HIDDEN)
        self.position = nn.Embedding(64, HIDDEN)
        layer = nn.TransformerEncoderLayer(
            HIDDEN, 2, dim_feedforward=16, dropout=0.0, activation="gelu", batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(HIDDEN, CLASSES)

    def forward(self, tokens, mask):
        """tokens [B, L], mask [B, L] (1 real, 0 padding) to logits [B, classes]."""
        h = self.embedding(tokens) + self.position(torch.arange(tokens.shape[1]))
        h = self.encoder(h, src_key_padding_mask=mask == 0) * mask[:, :, None]
        return self.head(h.sum(1) / mask.sum(1, keepdim=True))


class Heads(nn.Module):
    """Two heads of attention written out: products, and what a function does to the scores before the softmax."""

    def __init__(self):
        super().__init__()
        self.norm = nn.LayerNorm(HIDDEN)
        self.project = nn.Linear(HIDDEN, 3 * HIDDEN)
        self.out = nn.Linear(HIDDEN, HIDDEN)

    def split(self, h):
        """h [B, L, H] to queries, keys and values [B, 2, L, H / 2]."""
        parts = self.project(self.norm(h)).chunk(3, 2)
        return [part.unflatten(2, (2, HIDDEN // 2)).transpose(1, 2) for part in parts]

    def forward(self, h, adjust):
        """h [B, L, H] to the same."""
        q, k, v = self.split(h)
        scores = adjust(q @ k.transpose(2, 3) / (HIDDEN // 2) ** 0.5)
        return h + self.out((scores.softmax(3) @ v).transpose(1, 2).flatten(2))

    def fused(self, h, **mask):
        """h [B, L, H] to the same, by the one call PyTorch has for it."""
        y = nn.functional.scaled_dot_product_attention(*self.split(h), **mask)
        return h + self.out(y.transpose(1, 2).flatten(2))


class Causal(nn.Module):
    """A decoder: no position sees a later one, once by scores that give way and once as an attribute says."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(LETTERS, HIDDEN)
        self.filled, self.marked = Heads(), Heads()
        self.head = nn.Linear(HIDDEN, LETTERS)

    def forward(self, tokens):
        """tokens [B, L] to logits [B, L, letters]."""
        length = tokens.shape[1]
        later = torch.ones(length, length, dtype=torch.bool).triu(1)
        h = self.filled(self.embedding(tokens), lambda scores: scores.masked_fill(later, -1e9))
        return self.head(self.marked.fused(h, is_causal=True))


class Relative(nn.Module):
    """An encoder whose scores know distances: a learned bias of each head, and a window; padding counts for itself alone."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(LETTERS, HIDDEN)
        self.bias = nn.Embedding(17, 2)
        self.biased, self.windowed = Heads(), Heads()
        self.head = nn.Linear(HIDDEN, LETTERS)

    def forward(self, tokens, mask):
        """tokens [B, L], mask [B, L] (1 real, 0 padding) to logits [B, L, letters]."""
        place = torch.arange(tokens.shape[1])
        distance = place[None, :] - place[:, None]
        bias = self.bias(distance.clamp(-8, 8) + 8).permute(2, 0, 1)[None]
        real = (mask > 0)[:, None, None, :]
        h = self.biased(self.embedding(tokens), lambda scores: (scores + bias).masked_fill(~real, float("-inf")))
        seen = real & (distance.abs() <= 4) | (distance == 0)
        return self.head(self.windowed.fused(h, attn_mask=seen))


class Conformer(nn.Module):
    """Gulati et al. 2020: one block between two linear layers, its convolution normalized with BatchNorm1d."""

    def __init__(self):
        super().__init__()

        def half():
            return nn.Sequential(nn.LayerNorm(HIDDEN), nn.Linear(HIDDEN, 16), nn.SiLU(), nn.Linear(16, HIDDEN))

        self.enter = nn.Linear(CHANNELS, HIDDEN)
        self.first, self.second = half(), half()
        self.attention_norm, self.convolution_norm, self.last_norm = (nn.LayerNorm(HIDDEN) for _ in range(3))
        self.attention = nn.MultiheadAttention(HIDDEN, 2, batch_first=True)
        self.pointwise = nn.Conv1d(HIDDEN, 2 * HIDDEN, 1)
        self.depthwise = nn.Conv1d(HIDDEN, HIDDEN, 5, padding=2, groups=HIDDEN)
        self.norm = nn.BatchNorm1d(HIDDEN)
        self.out = nn.Conv1d(HIDDEN, HIDDEN, 1)
        self.head = nn.Linear(HIDDEN, CLASSES)

    def forward(self, x, mask):
        """x [B, L, C], mask [B, L] to logits [B, L, classes]."""
        h = self.enter(x)
        h = h + 0.5 * self.first(h)
        n = self.attention_norm(h)
        h = h + self.attention(n, n, n, key_padding_mask=mask == 0, need_weights=False)[0]
        n = nn.functional.glu(self.pointwise(self.convolution_norm(h).transpose(1, 2)), 1)
        n = self.depthwise(n * mask[:, None, :])
        h = h + self.out(nn.functional.silu(self.norm(n))).transpose(1, 2)
        h = h + 0.5 * self.second(h)
        return self.head(self.last_norm(h)) * mask[:, :, None]


class ScriptedLoop(nn.Module):
    """A recurrence over the steps with a Python loop, normalized with the statistics of each step."""

    def __init__(self):
        super().__init__()
        self.enter = nn.Linear(CHANNELS, HIDDEN)
        self.recur = nn.Linear(HIDDEN, HIDDEN, bias=False)
        self.head = nn.Linear(HIDDEN, CLASSES)
        self.mean = nn.Parameter(torch.randn(16, HIDDEN))
        self.variance = nn.Parameter(torch.rand(16, HIDDEN) + 0.5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x [B, L, C] to logits [B, L, classes]."""
        h = torch.zeros(x.size(0), 8)
        rows: list[torch.Tensor] = []
        for step in range(x.size(1)):
            kept = min(step, 15)
            a = self.enter(x[:, step]) + self.recur(h)
            h = torch.tanh((a - self.mean[kept]) / torch.sqrt(self.variance[kept] + 1e-5))
            rows.append(self.head(h))
        return torch.stack(rows, 1)


class LastStep(nn.Module):
    """The last state of ScriptedLoop: a row a sequence. Traced, it never looks behind the length it was traced with."""

    def __init__(self):
        super().__init__()
        self.loop = ScriptedLoop()

    def forward(self, x):
        """x [B, L, C] to logits [B, classes]."""
        return self.loop(x)[:, -1]


class Branches(nn.Module):
    """One of two layers, chosen by the sum of the whole batch: an answer that depends on its neighbours."""

    def __init__(self):
        super().__init__()
        self.low, self.high = nn.Linear(CHANNELS, HIDDEN), nn.Linear(CHANNELS, HIDDEN)
        self.head = nn.Linear(HIDDEN, CLASSES)

    def forward(self, x):
        """x [B, L, C] to logits [B, L, classes]."""
        h = torch.cond(x.sum() > 0, lambda v: torch.tanh(self.high(v)), lambda v: torch.relu(self.low(v)), (x,))
        return self.head(h)


class HigherOrderScan(nn.Module):
    """A recurrence over the steps as `scan`, a higher-order operator."""

    def __init__(self):
        super().__init__()
        self.enter = nn.Linear(CHANNELS, HIDDEN)
        self.recur = nn.Linear(HIDDEN, HIDDEN, bias=False)
        self.head = nn.Linear(HIDDEN, CLASSES)
        self.mean = nn.Parameter(torch.randn(HIDDEN))
        self.variance = nn.Parameter(torch.rand(HIDDEN) + 0.5)

    def forward(self, x):
        """x [B, L, C] to logits [B, L, classes]."""
        from torch._higher_order_ops.scan import scan

        def step(h, row):
            a = self.enter(row) + self.recur(h)
            h = torch.tanh((a - self.mean) / torch.sqrt(self.variance + 1e-5))
            return h, h.clone()

        _, rows = scan(step, torch.zeros(x.shape[0], HIDDEN), x.transpose(0, 1))
        return self.head(rows.transpose(0, 1))
