"""What users do with sequences of different lengths, and with layers whose sizes are not known."""

from __future__ import annotations

import copy

from nn_record import scenario, tries

SEQUENCES = {}


def numbers(torch, *shape):
    count = 1
    for size in shape:
        count *= size
    return (torch.arange(count).reshape(shape) * 0.37).sin()


@scenario(SEQUENCES)
def packing_and_padding(torch, log):
    tools = torch.nn.utils.rnn
    rows = [numbers(torch, 3, 2), numbers(torch, 4, 2), numbers(torch, 1, 2)]
    for side in ("right", "left"):
        log.append(tools.pad_sequence(rows, True, 7.0, side))
    packed = tools.pack_sequence(rows, enforce_sorted=False)
    log.append(list(packed))
    log.append(tools.pad_packed_sequence(packed, padding_value=-1.0, total_length=5))
    log.append(tools.unpack_sequence(packed))
    padded = tools.pad_sequence(rows, batch_first=True)
    log.append(tools.unpad_sequence(padded, torch.tensor([3, 4, 1]), batch_first=True))
    given = tools.pack_padded_sequence(padded, [2, 2, 1], batch_first=True)
    log.append([list(given)[:2], given.double().data.dtype == torch.float64, given.is_cuda])
    log.append(tools.invert_permutation(torch.tensor([2, 0, 1])))
    x = numbers(torch, 4, 3, 2)
    tries(
        log,
        lambda: tools.pack_padded_sequence(x, [4, 3]),
        lambda: tools.pack_padded_sequence(x, [4, 3, 0]),
        lambda: tools.pack_padded_sequence(x, [2, 3, 4]),
        lambda: tools.pack_padded_sequence(x, [[4, 3, 2]]),
        lambda: tools.pack_padded_sequence(x[:0], [4, 3, 2]),
        lambda: tools.pad_sequence([]),
        lambda: tools.pad_sequence(3),
        lambda: tools.pad_sequence(rows, padding_side="middle"),
        lambda: tools.pad_packed_sequence(packed, total_length=2),
    )


@scenario(SEQUENCES)
def recurrent_layers_over_packed_sequences(torch, log):
    nn, tools = torch.nn, torch.nn.utils.rnn
    rows = [numbers(torch, n, 3).requires_grad_() for n in (2, 4, 1)]
    for kind in (nn.RNN, nn.LSTM, nn.GRU):
        torch.manual_seed(0)
        layer = kind(3, 4, 2, bidirectional=True, dropout=0.5)
        packed = tools.pack_sequence(rows, enforce_sorted=False)
        output, state = layer(packed)
        log.append([output.batch_sizes, output.data, state])
        start = torch.zeros(4, 3, 4)
        again = layer(packed, (start, start) if kind is nn.LSTM else start)
        log.append(again[0].data.shape)


@scenario(SEQUENCES)
def recurrent_layers_refuse_what_does_not_fit(torch, log):
    nn = torch.nn
    layer, one = nn.LSTM(3, 4), torch.ones
    pair = (one(1, 2, 4), one(1, 2, 4))
    tries(
        log,
        lambda: nn.LSTM(3, 4, 0),
        lambda: nn.LSTM(3, 4, proj_size=4),
        lambda: nn.GRU(3, 4, proj_size=2),
        lambda: nn.LSTM(3, 4, 2, dropout=1.5),
        lambda: nn.RNN(3, 4, nonlinearity="other"),
        lambda: nn.LSTM(3.0, 4),
        lambda: nn.LSTM(3, 4, bias=1),
        lambda: layer(one(2, 2, 2, 2)),
        lambda: layer(one(2, 2)),
        lambda: layer(one(2, 3), pair),
        lambda: layer(one(2, 2, 3), (one(1, 3, 4), one(1, 2, 4))),
        lambda: layer(one(2, 2, 3), (one(1, 2, 4), one(1, 3, 4))),
        lambda: layer(one(2, 2, 3).double()),
        lambda: layer(one(0, 2, 3)),
        lambda: nn.GRU(3, 4)(one(2, 2, 3), one(1, 4)),
        lambda: nn.LSTMCell(3, 4)(one(2, 2)),
        lambda: nn.LSTMCell(3, 4)(one(2, 3), (one(3, 4), one(2, 4))),
        lambda: nn.GRUCell(3, 4)(one(2, 3), one(2, 3)),
        lambda: nn.RNNCell(3, 4)(one(2, 2, 3)),
    )
    return nn.LSTM(3, 4, 1, dropout=0.5)


@scenario(SEQUENCES)
def lazy_layers(torch, log):
    nn = torch.nn

    def network():
        torch.manual_seed(0)
        layers = (nn.LazyConv1d(2, 2), nn.LazyBatchNorm1d(), nn.Flatten(), nn.LazyLinear(3))
        return nn.Sequential(*layers)

    net = network()
    log.append([repr(net), list(net.state_dict()), repr(net[3].weight), net[0].bias.dtype])
    log.append(net[3].has_uninitialized_params())
    result = net(numbers(torch, 2, 3, 5))
    log.append([repr(net), dict(net.state_dict()), type(net[3]).__name__])
    twin = network()
    twin.load_state_dict(net.state_dict())
    log.append(
        torch.equal(twin.eval()(numbers(torch, 2, 3, 5)), net.eval()(numbers(torch, 2, 3, 5)))
    )
    log.append(repr(copy.deepcopy(nn.LazyLinear(3))))
    double = network().to("cpu").double()  # each tensor keeps its being without a shape
    log.append([double(numbers(torch, 2, 3, 5).double()), dict(double.state_dict())])
    tries(
        log,
        lambda: nn.LazyLinear(2).weight.shape,
        lambda: nn.LazyConv2d(4, 3)(torch.ones(3)),
        lambda: nn.LazyConv1d(4, 1, groups=2)(torch.ones(1, 3, 4)),
    )
    return result
