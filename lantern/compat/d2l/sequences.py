"""Text as sequences of numbers, and the recurrent networks of the book's chapter 8."""

from __future__ import annotations

import collections
import math
import random
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import lantern
from lantern import nn

from .plotting import Animator
from .tools import Accumulator, Timer, grad_clipping, sgd

__all__ = [
    "RNNModel", "RNNModelScratch", "SeqDataLoader", "Vocab", "predict_ch8", "read_text",
    "seq_data_iter_random", "seq_data_iter_sequential", "sequence_mask", "masked_softmax",
    "tokenize", "train_ch8", "train_epoch_ch8",
]  # fmt: skip


def read_text(path: str | Path) -> list[str]:
    """Returns the lines of a text file in lower case, with letters and single spaces only."""
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    return [re.sub("[^A-Za-z]+", " ", line).strip().lower() for line in lines]


def tokenize(lines: Sequence[str], token: str = "word") -> list[list[str]]:
    """Splits lines into words or characters.

    >>> tokenize(["time machine"]), tokenize(["ab"], "char")
    ([['time', 'machine']], [['a', 'b']])
    """
    if token not in ("word", "char"):
        raise ValueError(f"token is 'word' or 'char', not {token!r}")
    return [line.split() if token == "word" else list(line) for line in lines]


class Vocab:
    """Numbers for tokens, the most frequent first; 0 stands for `<unk>`, all that is unknown.

    >>> vocab = Vocab([["a", "b", "a"], ["c"]], min_freq=1, reserved_tokens=["<pad>"])
    >>> vocab[["a", "z"]], vocab.to_tokens([1, 2]), len(vocab)
    ([2, 0], ['<pad>', 'a'], 5)
    """

    def __init__(
        self, tokens: Any = None, min_freq: int = 0, reserved_tokens: Sequence[str] | None = None
    ) -> None:
        flat = [t for line in tokens or () for t in (line if isinstance(line, list) else [line])]
        counts = collections.Counter(flat)
        self._token_freqs = sorted(counts.items(), key=lambda pair: pair[1], reverse=True)
        self.idx_to_token = ["<unk>", *(reserved_tokens or ())]
        known = set(self.idx_to_token)
        self.idx_to_token += [
            token for token, n in self._token_freqs if n >= min_freq and token not in known
        ]
        self.token_to_idx = {token: i for i, token in enumerate(self.idx_to_token)}

    def __len__(self) -> int:
        return len(self.idx_to_token)

    def __getitem__(self, tokens: Any) -> Any:
        if isinstance(tokens, (list, tuple)):
            return [self[token] for token in tokens]
        return self.token_to_idx.get(tokens, self.unk)

    def to_tokens(self, indices: Any) -> Any:
        """Returns the token of a number, or those of several."""
        if isinstance(indices, (list, tuple)) or getattr(indices, "ndim", 0) > 0:
            return [self.idx_to_token[int(i)] for i in indices]
        return self.idx_to_token[int(indices)]

    @property
    def unk(self) -> int:
        """The number of all unknown tokens."""
        return 0

    @property
    def token_freqs(self) -> list[tuple[str, int]]:
        """Tokens with their counts, the most frequent first."""
        return self._token_freqs


Batches = Iterator[tuple[lantern.Tensor, lantern.Tensor]]


def seq_data_iter_random(corpus: Sequence[int], batch_size: int, num_steps: int) -> Batches:
    """Yields pieces of `num_steps` numbers and the pieces one further on, in random order."""
    corpus = corpus[random.randint(0, num_steps - 1) :]
    starts = [i * num_steps for i in range((len(corpus) - 1) // num_steps)]
    random.shuffle(starts)
    for i in range(0, len(starts) - batch_size + 1, batch_size):
        batch = starts[i : i + batch_size]
        X = lantern.tensor([corpus[j : j + num_steps] for j in batch])
        Y = lantern.tensor([corpus[j + 1 : j + 1 + num_steps] for j in batch])
        yield X, Y


def seq_data_iter_sequential(corpus: Sequence[int], batch_size: int, num_steps: int) -> Batches:
    """Yields pieces so that each row of a batch goes on where it was in the batch before."""
    offset = random.randint(0, num_steps)
    count = (len(corpus) - offset - 1) // batch_size * batch_size
    Xs = lantern.tensor(corpus[offset : offset + count]).reshape(batch_size, -1)
    Ys = lantern.tensor(corpus[offset + 1 : offset + 1 + count]).reshape(batch_size, -1)
    for i in range(0, Xs.shape[1] // num_steps * num_steps, num_steps):
        yield Xs[:, i : i + num_steps], Ys[:, i : i + num_steps]


class SeqDataLoader:
    """Batches of a text: `corpus` holds the numbers of its tokens, `vocab` the tokens."""

    def __init__(
        self, batch_size: int, num_steps: int, use_random_iter: bool, corpus: Sequence[int],
        vocab: Vocab,
    ) -> None:  # fmt: skip
        self.data_iter_fn = seq_data_iter_random if use_random_iter else seq_data_iter_sequential
        self.corpus, self.vocab = corpus, vocab
        self.batch_size, self.num_steps = batch_size, num_steps

    def __iter__(self) -> Batches:
        return self.data_iter_fn(self.corpus, self.batch_size, self.num_steps)


class RNNModelScratch:
    """A recurrent network made of functions, with its parameters in a list."""

    def __init__(
        self, vocab_size: int, num_hiddens: int, device: Any, get_params: Callable[..., Any],
        init_state: Callable[..., Any], forward_fn: Callable[..., Any],
    ) -> None:  # fmt: skip
        self.vocab_size, self.num_hiddens = vocab_size, num_hiddens
        self.params = get_params(vocab_size, num_hiddens, device)
        self.init_state, self.forward_fn = init_state, forward_fn

    def __call__(self, X: lantern.Tensor, state: Any) -> Any:
        """`(N, steps)` numbers of tokens to what `forward_fn` makes of their one-hot rows."""
        X = nn.functional.one_hot(X.T, self.vocab_size).float()  # (steps, N, vocabulary)
        return self.forward_fn(X, state, self.params)

    def begin_state(self, batch_size: int, device: Any) -> Any:
        """Returns the state before the first step."""
        return self.init_state(batch_size, self.num_hiddens, device)


class RNNModel(nn.Module):
    """A recurrent layer under a linear one that scores the next token."""

    def __init__(self, rnn_layer: nn.Module, vocab_size: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rnn, self.vocab_size = rnn_layer, vocab_size
        self.num_hiddens = rnn_layer.hidden_size
        self.num_directions = 2 if rnn_layer.bidirectional else 1
        self.linear = nn.Linear(self.num_directions * self.num_hiddens, vocab_size)

    def forward(self, inputs: lantern.Tensor, state: Any) -> Any:
        """`(N, steps)` numbers of tokens to `(steps * N, vocabulary)` scores, and the state."""
        X = nn.functional.one_hot(inputs.T.long(), self.vocab_size).float()
        Y, state = self.rnn(X, state)
        return self.linear(Y.reshape(-1, Y.shape[-1])), state

    def begin_state(self, device: Any, batch_size: int = 1) -> Any:
        """Returns the state before the first step: one tensor, for an LSTM two."""
        shape = (self.num_directions * self.rnn.num_layers, batch_size, self.num_hiddens)
        state = lantern.zeros(shape, device=device)
        if isinstance(self.rnn, nn.LSTM):
            return state, lantern.zeros(shape, device=device)
        return state


def predict_ch8(prefix: str, num_preds: int, net: Any, vocab: Vocab, device: Any) -> str:
    """Returns `prefix` with `num_preds` further tokens, always the most probable one."""
    state = net.begin_state(batch_size=1, device=device)
    outputs = [vocab[prefix[0]]]

    def last() -> lantern.Tensor:
        return lantern.tensor([outputs[-1]], device=device).reshape(1, 1)

    with lantern.no_grad():
        for token in prefix[1:]:
            _, state = net(last(), state)
            outputs.append(vocab[token])
        for _ in range(num_preds):
            y, state = net(last(), state)
            outputs.append(int(y.argmax(dim=1).reshape(1)))
    return "".join(vocab.to_tokens(outputs))


def train_epoch_ch8(
    net: Any, train_iter: Any, loss: Any, updater: Any, device: Any, use_random_iter: bool
) -> tuple[float, float]:
    """Trains for one epoch; returns the perplexity and how many tokens went by in a second."""
    state, timer = None, Timer()
    metric = Accumulator(2)  # loss, tokens
    for X, Y in train_iter:
        if state is None or use_random_iter:
            state = net.begin_state(batch_size=X.shape[0], device=device)
        elif isinstance(state, tuple):
            state = tuple(s.detach() for s in state)
        else:
            state = state.detach()
        y = Y.T.reshape(-1).to(device)
        y_hat, state = net(X.to(device), state)
        mean = loss(y_hat, y.long()).mean()
        if isinstance(updater, lantern.optim.Optimizer):
            updater.zero_grad()
            mean.backward()
            grad_clipping(net, 1)
            updater.step()
        else:
            mean.backward()
            grad_clipping(net, 1)
            updater(batch_size=1)
        metric.add(mean.detach() * y.numel(), y.numel())
    return math.exp(metric[0] / metric[1]), metric[1] / timer.stop()


def train_ch8(
    net: Any, train_iter: Any, vocab: Vocab, lr: float, num_epochs: int, device: Any,
    use_random_iter: bool = False,
) -> None:  # fmt: skip
    """Trains a language model of characters, draws its perplexity and prints what it writes."""
    loss = nn.CrossEntropyLoss()
    animator = Animator(
        xlabel="epoch", ylabel="perplexity", legend=["train"], xlim=[10, num_epochs]
    )
    if isinstance(net, nn.Module):
        updater: Any = lantern.optim.SGD(net.parameters(), lr)
    else:

        def updater(batch_size: int) -> None:
            sgd(net.params, lr, batch_size)

    for epoch in range(num_epochs):
        ppl, speed = train_epoch_ch8(net, train_iter, loss, updater, device, use_random_iter)
        if (epoch + 1) % 10 == 0:
            print(predict_ch8("time traveller", 50, net, vocab, device))
            animator.add(epoch + 1, [ppl])
    print(f"perplexity {ppl:.1f}, {speed:.1f} tokens/sec on {device}")
    for prefix in ("time traveller", "traveller"):
        print(predict_ch8(prefix, 50, net, vocab, device))


def sequence_mask(X: lantern.Tensor, valid_len: lantern.Tensor, value: float = 0) -> lantern.Tensor:
    """Sets what lies behind the valid length of each row to `value`, in place.

    >>> import lantern
    >>> sequence_mask(lantern.tensor([[1, 2, 3], [4, 5, 6]]), lantern.tensor([1, 2]))
    tensor([[1, 0, 0],
            [4, 5, 0]])
    """
    steps = lantern.arange(X.size(1), device=X.device)
    X[steps[None, :] >= valid_len[:, None]] = value
    return X


def masked_softmax(X: lantern.Tensor, valid_lens: lantern.Tensor | None) -> lantern.Tensor:
    """Softmax over the last dimension of `(N, queries, keys)`, only over valid keys."""
    if valid_lens is None:
        return nn.functional.softmax(X, dim=-1)
    if valid_lens.dim() == 1:
        lengths = lantern.repeat_interleave(valid_lens, X.shape[1])
    else:
        lengths = valid_lens.reshape(-1)
    flat = sequence_mask(X.reshape(-1, X.shape[-1]).clone(), lengths, value=-1e6)
    return nn.functional.softmax(flat.reshape(X.shape), dim=-1)
