"""Square brackets, gather, scatter and their kin, beside PyTorch.

Each line is an expression; its result, warnings and errors must be the same in both libraries.
"""

from __future__ import annotations

import os
import random
from typing import Any

import expressions
import numpy as np
import pytest

import lantern

torch = pytest.importorskip("torch")

FIRST = int(os.environ.get("LANTERN_SEED", "0"))


def written(tensor: Any, index: Any, value: Any) -> Any:
    """A copy of the tensor after `tensor[index] = value`."""
    tensor = tensor.clone()
    tensor[index] = value
    return tensor


def put(tensor: Any, *args: Any, **kwargs: Any) -> Any:
    """A copy of the tensor after `index_put_`."""
    tensor = tensor.clone()
    tensor.index_put_(*args, **kwargs)
    return tensor


NAMES = {
    "x": lambda lib: lib.arange(24.0).view(2, 3, 4),
    "y": lambda lib: lib.arange(6.0).view(2, 3),
    "v": lambda lib: lib.arange(5.0),
    "n": lambda lib: lib.arange(3),
    "z": lambda lib: lib.tensor(3.0),
    "m": lambda lib: lib.arange(24.0).view(2, 3, 4) > 10,
    "i": lambda lib: lib.tensor([0, 1]),
    "S": lambda lib: slice(None),
    "I8": lambda lib: lib.zeros(3, dtype=lib.int8),
    "U8": lambda lib: lib.zeros(3, dtype=lib.uint8),
    "B": lambda lib: lib.zeros(3, dtype=lib.bool),
    "H": lambda lib: lib.zeros(3, dtype=lib.half),
    "written": lambda lib: written,
    "put": lambda lib: put,
}


TAKEN = r"""
x[5]
x[0,5]
x[0,0,0,0]
z[0]
z[()]
z[...]
z[None]
z[None,...]
z[True]
z[False]
z[T(True)]
v[True]
v[False]
v[T(True)]
v[None,True]
v[[True,False,True,False,True]]
v[1.5]
v["a"]
v[{}]
v[[1.5]]
v[["a"]]
v[[]]
v[()]
v[[[0,1],[2,3]]]
x[[0,1],[1,2]]
x[[[0,1],[1,2]]]
x[[0,slice(None)]]
x[[slice(0,1),slice(0,1)]]
x[[None,0]]
x[(0,1)]
x[[T(0),T(1)]]
x[[T([0,1]),T([1,0])]]
x[[0,T(1)]]
x[[Ellipsis]]
x[...,0]
x[0,...]
x[...,...]
x[0,...,0]
x[...,0,...]
x[:,::2]
v[::-1]
v[::0]
v[1:3.5]
v["a":]
v[T(1):T(3)]
v[T([1]):]
v[T(1.):]
v[np.int64(1)]
v[np.array(1)]
v[np.array([0,2])]
v[np.array([True,False,True,False,True])]
v[range(2)]
v[T([0,-1])]
v[T([5])]
v[T([-6])]
x[T([0]),T([1,2]),T([0])]
x[T([0,1]),T([0,1,2])]
x[T([0,1]),:,T([0,1])]
x[:,T([0,1]),T([0,1])]
x[T([0,1]),0]
x[0,T([0,1])]
x[0,:,T([0,1])]
x[T([0,1]),0,:]
x[:,0,T([0,1])]
x[T([0,1]),None,T([0,1])]
x[:,None,T([0,1])]
x[T([[0],[1]]),T([[0,1]])]
x[m]
x[m[0]]
x[m[:,:,0]]
x[:,m[0]]
x[T([True,False])]
x[T([True,False,True])]
x[m[:,0,:]]
x[0,m[0,:,0]]
x[T([True,False]),T([0])]
x[T([1,0],dtype=torch.uint8)]
x[T(1,dtype=torch.uint8)]
x[T([0],dtype=torch.int32)]
x[T([0],dtype=torch.int16)]
x[T([0],dtype=torch.int8)]
x[T(0,dtype=torch.int32)]
x[T(0,dtype=torch.int16)]
x[T([0.])]
x[T(0.)]
x[T(0)]
x[T([])]
x[T([],dtype=torch.int64)]
x[[],[]]
x[:,[]]
x[T(True)]
x[T(False)]
x[True,0]
x[0,True]
x[True,T([0,1])]
x[T([0,1]),True]
x[False,0]
x[None,None]
x[0,None]
x[None,0,None,1]
x[1:1]
x[-1]
x[-3]
x[T([0,1])[:,None],T([0,1])]
x[..., T([0,1])]
x[T([0,1]),...]
x[...,T([0]),T([0])]
x[0:1,T([0,1]),0:2]
x[slice(None),slice(1,2)]
x[100:]
x[:-100]
x[-100:2]
x[2:1]
x[(T([0]),)]
torch.zeros(0,3)[T([],dtype=torch.int64)]
torch.zeros(3,0)[T([0])]
torch.zeros(2,3)[T([[True,False,True],[True,True,True]])]
x[T([0]),T([0]),T([0]),T([0])]
x[np.array([0,1]),np.array([1,0])]
x[[0,1],:,[1,0]]
x[None,[0,1]]
x[(slice(None),[0,1])]
x[np.bool_(True)]
x[np.array(True)]
x[0:2,0:2][T([[True,True],[True,False]])]
x[1,T([1]),1:]
x[T(0),T(1)]
x[T(0),1:]
x[T([0]),T(1)]
x[tuple]
x[int]
x[None:2]
x[complex(1)]
x[2**70]
x[10**10]
x[[10**10]]
x[[2**70]]
"""

WRITTEN = r"""
written(y,0,1)
written(y,0,T([1.,2,3]))
written(y,0,T([1.,2]))
written(y,0,[1,2,3])
written(y,0,(1,2,3))
written(y,0,np.array([1,2,3]))
written(y,0,np.float32(2))
written(y,0,T([[1.,2,3]]))
written(y,0,T([[1.,2,3],[1,2,3]]))
written(y,S,T([1.,2,3]))
written(y,(S,0),T([1.,2]))
written(y,(S,0),T([[1.],[2]]))
written(y,y>2,0)
written(y,y>2,T([9.]))
written(y,y>2,T([9.,8.,7.]))
written(y,y>2,T([9.,8.]))
written(y,y>2,T(9))
written(y,y>2,T([[9.,8.,7.]]))
written(y,T([True,False]),7)
written(y,T([True,False]),T([7.,8,9]))
written(y,T([True,False]),T([7.,8]))
written(y,i,T([7.,8,9]))
written(y,i,T([[7.],[8]]))
written(y,T([0,0]),T([[7.],[8]]))
written(y,T([0,2]),1)
written(y,(i,i),T([7.,8.]))
written(y,(i,i),T([7,8]))
written(y,(i,i),T([7.,8.],dtype=torch.float64))
written(y,(i,i),5)
written(y,(i,i),T([7.,8.,9.]))
written(n,0,1.5)
written(n,0,T(1.5))
written(n,S,T([1.5,2.5,3.5]))
written(n,i,T([1.5,2.5]))
written(n,i,1.5)
written(n,n>0,1.5)
written(n,0,True)
written(I8,0,300)
written(I8,S,T([300,1,2]))
written(U8,0,-1)
written(U8,0,256)
written(B,0,5)
written(B,0,0.5)
written(H,0,1e6)
written(H,0,1e30)
written(y,0,None)
written(y,0,"a")
written(y,0,1j)
written(y,0,float("nan"))
written(n,0,float("nan"))
written(n,0,float("inf"))
written(n,0,2**63)
written(n,0,2**70)
written(y,0,2**70)
written(z,(),5)
written(z,...,5)
written(z,None,5)
written(z,0,5)
written(z,True,5)
written(z,False,5)
written(z,T(True),5)
written(y,True,5)
written(y,False,5)
written(y,None,T([[1.,2,3],[4,5,6]]))
written(y,(...,0),9)
written(y,(0,...),9)
written(y,5,1)
written(y,(0,5),1)
written(y,[0,1],9)
written(y,[[0,1],[1,2]],9)
written(y,([0,1],[1,2]),9)
written(y,[True,False],9)
written(y,[],9)
written(y,T([],dtype=torch.int64),9)
written(y,(S,[0,2]),T([7.,8.]))
written(y,(S,[0,2]),T([[7.],[8.]]))
written(y,(0,[0,2]),T([7.,8.]))
written(y,([0],S),T([7.,8.,9]))
written(y,(S,T([True,False,True])),T([7.,8.]))
written(y,slice(None,None,2),1)
written(y,slice(None,None,-1),1)
written(y,(S,S,0),1)
written(y,T([0.]),1)
written(y,"a",1)
put(y,(i,i),T([1.,2.]))
put(y,(i,),T([1.,2.,3.]))
put(y,(T([0,0]),T([0,0])),T([1.,2.]),accumulate=True)
put(y,(i,i),T(5.))
put(y,(i,i),5)
put(y,[i,i],T(5.))
put(y,(i,i),T([1,2]))
put(y,(y>2,),T(0.))
put(y,(None,i),T([1.,2.]))
put(y,(i,i,i),T(1.))
put(y,i,T(1.))
y.index_put((i,i),T([1.,2.]),accumulate=True)
torch.masked_fill(y,y>2,5)
written(y,(i,i),y[0,:2])
written(y.expand(2,2,3),0,1)
written(torch.zeros(1).expand(3),slice(None),1)
written(y,(slice(0,1),),z)
written(y,0,y)
written(y,S,torch.zeros(1,2,3))
written(y,i,torch.zeros(1,2,3))
written(y,(i,i),torch.zeros(1,2))
written(y,(i,i),torch.zeros(2,1))
written(y,y>2,torch.zeros(1,3))
written(y, (y>2)[0], 5)
"""

BY_PLACE = r"""
y.gather(0,T([[0,1]]))
y.gather(0,T([0]))
y.gather(5,T([[0]]))
y.gather(0,T([[2]]))
y.gather(0,T([[-1]]))
y.gather(0,T([[0.]]))
y.gather(0,T([[0]],dtype=torch.int32))
y.gather(1,torch.zeros(3,1).long())
y.gather(0,torch.zeros(1,4).long())
y.gather(0,torch.zeros(5,3).long()).shape
z.gather(0,T(0))
z.gather(0,T([0]))
z.gather(0,T([0,0]))
y.gather(0,T([],dtype=torch.int64))
y.gather(0,torch.zeros(0,3).long())
torch.gather(input=y,dim=0,index=T([[0]]),sparse_grad=True)
y.scatter(0,T([[0]]),T([[9.]]))
y.scatter(0,T([[2]]),T([[9.]]))
y.scatter(0,T([[0,1]]),T([[9.]]))
y.scatter(0,T([[0]]),9)
y.scatter(0,T([[0]]),9,reduce="add")
y.scatter(0,T([[0]]),9,reduce="multiply")
y.scatter(0,T([[1]]),y,reduce="multiply")
y.scatter(0,T([[0]]),9,reduce="y")
y.scatter(0,T([[0]]),T([[9]]))
y.scatter(0,T([0]),T([[9.]]))
y.scatter(0,torch.zeros(3,3).long(),torch.zeros(3,3))
y.scatter(1,torch.zeros(3,3).long(),torch.zeros(3,3))
y.scatter(0,T([[0]]),value=1.5)
y.scatter(0,T([],dtype=torch.int64),1)
y.long().scatter(0,T([[0]]),1.5)
z.scatter(0,T(0),5)
y.scatter(0,T([[-1]]),1)
y.scatter(0,T([[0]],dtype=torch.int32),1)
y.scatter_(0,T([[0,1,0]]),1)
torch.scatter(y,dim=0,index=T([[0]]),src=y)
y.scatter(0,T([[0]]),z)
y.scatter(0,T([[0]]),T(5))
y.scatter(0,T([[0]]),True)
y.scatter_add(0,T([[0,0,0],[0,0,0]]),y)
y.scatter_add(0,T([[0]]),1)
y.scatter_add(0,T([[2]]),y)
y.scatter_add(0,T([[0]]),y.long())
y.scatter_add_(0,T([[0]]),y.double())
z.scatter_add(0,T(0),z)
y.scatter_add(0,T([0]),y[0])
y.scatter_reduce(0,T([[0,0,0],[0,0,0]]),y,"sum")
y.scatter_reduce(0,T([[0,0,0],[0,0,0]]),y,"prod")
y.scatter_reduce(0,T([[0,0,0],[0,0,0]]),y,"mean")
y.scatter_reduce(0,T([[0,0,0],[0,0,0]]),y,"amax")
y.scatter_reduce(0,T([[0,0,0],[0,0,0]]),y,"amin",include_self=False)
y.scatter_reduce(0,T([[0,0,0],[0,0,0]]),y,"mean",include_self=False)
y.scatter_reduce(0,T([[0,0,0],[0,0,0]]),y,"prod",include_self=False)
y.scatter_reduce(0,T([[0,0,0],[0,0,0]]),y,"max")
y.scatter_reduce(0,T([[0]]),y,reduce="sum")
y.scatter_reduce(0,T([[0]]),y)
y.long().scatter_reduce(0,T([[0,0,0],[0,0,0]]),y.long(),"mean")
y.scatter_reduce(0,T([[0]]),y.long(),"sum")
y.bool().scatter_reduce(0,T([[0]]),y.bool(),"sum")
y.index_select(0,i)
y.index_select(0,T(1))
y.index_select(0,T([2]))
y.index_select(0,T([-1]))
y.index_select(0,T([[0]]))
y.index_select(0,T([0.]))
y.index_select(0,T([0],dtype=torch.int32))
y.index_select(0,[0])
z.index_select(0,T([0]))
z.index_select(0,T(0))
z.index_select(0,T([0,0]))
y.index_select(5,i)
torch.index_select(y,1,i)
y.index_select(0,T([],dtype=torch.int64)).shape
y.index_select(0,T([True]))
y.index_add(0,i,y)
y.index_add(0,i,y,alpha=2)
y.index_add(0,T([0,0]),y)
y.index_add(0,i,y[:1])
y.index_add(0,i,y[:,:2])
y.index_add(0,T([2,0]),y)
y.index_add(0,T([[0,1]]),y)
y.index_add(0,i,y.long())
y.index_add(0,i.int(),y)
y.index_add(0,T(0),y[0])
z.index_add(0,T([0]),T([5.]))
z.index_add(0,T(0),T(5.))
y.index_add(0,i.float(),y)
y.long().index_add(0,i,y.long(),alpha=1.5)
y.index_add_(0,T([-1]),y[:1])
y.index_copy(0,T([1]),y[:1])
y.index_copy(0,T([1,1]),y)
y.index_copy(0,T([2]),y[:1])
y.index_copy(0,T([1]),y)
y.index_copy(0,T([1]),y[:1].long())
y.index_copy(0,T(1),y[0])
y.index_copy(0,T([[1]]),y[:1])
y.index_copy(0,T([1]),y[:1,:2])
z.index_copy(0,T([0]),T([1.]))
z.index_copy(0,T(0),T(1.))
y.index_copy(0,T([-1]),y[:1])
y.index_copy(0,T([0],dtype=torch.int32),y[:1])
y.index_fill(0,T([1]),5)
y.index_fill(0,T([1]),T(5.))
y.index_fill(0,T([1]),T([5.]))
y.index_fill(0,T([2]),5)
y.index_fill(0,T([-1]),5)
y.index_fill(0,T(1),5)
y.index_fill(0,T([[1]]),5)
y.long().index_fill(0,T([1]),5.5)
y.index_fill(0,T([1.]),5)
z.index_fill(0,T([0]),5)
y.index_fill(0,T([1],dtype=torch.int32),5)
y.index_fill_(1,T([0,2]),-1)
y.take(T([0,5]))
y.take(T([6]))
y.take(T([-1]))
y.take(T([[0],[1]]))
y.take(T([0.]))
y.take(T(3))
y.take(T([0],dtype=torch.int32))
y.t().take(T([1]))
torch.zeros(0).take(T([0]))
torch.zeros(0).take(T([],dtype=torch.int64))
torch.take_along_dim(y,T([[0,1]]),1)
torch.take_along_dim(y,T([5,0]))
torch.take_along_dim(y,T([0]),0)
torch.take_along_dim(y,T([[0.]]),0)
torch.take_along_dim(y,T([[7]]),0)
torch.take_along_dim(y,T([[0],[1]]),dim=1)
y.take_along_dim(T([[0]],dtype=torch.int32),1)
y.put(T([0,5]),T([9.,8.]))
y.put(T([0,0]),T([9.,8.]),accumulate=True)
y.put(T([6]),T([1.]))
y.put(T([-1]),T([1.]))
y.put(T([0]),T([1]))
y.put(T([0,1]),T([1.]))
y.put_(T([[0]]),T([1.]))
y.put(T([0],dtype=torch.int32),T([1.]))
y.masked_select(y>2)
y.masked_select(T([True,False,True]))
y.masked_select(y)
y.masked_select(T([True,False]))
y.masked_select(T(True))
z.masked_select(T(True))
y.masked_select((y>2).byte())
y.masked_scatter(y>2,T([9.,8.,7.]))
y.masked_scatter(y>2,T([9.]))
y.masked_scatter(y>2,T([9,8,7]))
y.masked_scatter(y,y)
y.masked_scatter(T([True,False,True]),torch.arange(10.))
y.masked_scatter(torch.ones(3,2,3).bool(),torch.zeros(18)).shape
y.masked_scatter(y>2,5)
y.nonzero()
z.nonzero()
T(5).nonzero()
torch.nonzero(y,as_tuple=False).shape
torch.argwhere(y).shape
torch.argwhere(T(5)).shape
torch.argwhere(z).shape
torch.nonzero_static(y,size=3)
torch.nonzero_static(y,size=8,fill_value=-2)
torch.nonzero(T([float("nan")]))
T([True,False]).nonzero()
"""

EXPRESSIONS = TAKEN + WRITTEN + BY_PLACE


@pytest.mark.parametrize("expression", [line for line in EXPRESSIONS.splitlines() if line])
def test_an_expression_means_the_same_in_both(expression: str) -> None:
    expressions.assert_same(lantern, torch, expression, NAMES)


def random_index(rng: random.Random, shape: tuple[int, ...]) -> tuple:
    """An index of any kind for a tensor of this shape, as plain Python and NumPy values."""
    entries: list[Any] = []
    count = rng.randint(1, 3)  # the length that index tensors share
    for size in shape[: rng.randint(0, len(shape))]:
        kind = rng.choice(["int", "slice", "slice", "places", "list", "mask", "table"])
        if kind == "int":
            entries.append(rng.randrange(-size, size))
        elif kind == "slice":
            bounds = [rng.choice([None, rng.randint(-size - 1, size + 1)]) for _ in range(2)]
            entries.append(slice(*bounds, rng.choice([None, 1, 2])))
        elif kind == "mask":
            mask = np.zeros(size, bool)
            mask[rng.sample(range(size), min(count, size))] = True
            entries.append(mask)
        else:
            places = np.array([rng.randrange(-size, size) for _ in range(count)])
            entries.append(places.tolist() if kind == "list" else places)
            if kind == "table":
                entries[-1] = places[:, None]
    if rng.random() < 0.4:
        entries.insert(rng.randint(0, len(entries)), None)
    if rng.random() < 0.3:
        entries.insert(rng.randint(0, len(entries)), ...)
    return tuple(entries)


def in_library(lib: Any, index: tuple) -> tuple:
    return tuple(lib.from_numpy(e) if isinstance(e, np.ndarray) else e for e in index)


def outcomes(lib: Any, array: np.ndarray, index: tuple, number: float) -> list[Any]:
    """What reading, the gradient of reading, and three kinds of writing come to."""
    index = in_library(lib, index)
    results: list[Any] = []

    def attempt(action: Any) -> None:
        try:
            found = action()
        except (IndexError, RuntimeError) as error:
            results.append((type(error).__name__, str(error)[:30]))
        else:
            results.append([each.detach().numpy() for each in found])

    def read() -> list[Any]:
        x = lib.from_numpy(array.copy()).requires_grad_()
        shown = x[index]
        results.append((tuple(shown.shape), shown._is_view()))
        (shown * shown * 0.5).sum().backward()
        return [shown, x.grad]

    def write(value: Any) -> list[Any]:
        x = lib.from_numpy(array.copy()).requires_grad_()
        y = x * 2
        y[index] = value
        (y * y).sum().backward()
        return [y, x.grad]

    def write_plain(value: Any) -> list[Any]:
        x = lib.from_numpy(array.copy())
        x[index] = value
        return [x]

    leaf = lib.tensor(number, dtype=lib.float64, requires_grad=True)
    for action in (read, lambda: write(number), lambda: write_plain(number)):
        attempt(action)
    attempt(lambda: write_plain(lib.tensor(number, dtype=lib.float64)))
    attempt(lambda: [*write(leaf), leaf.grad])
    return results


@pytest.mark.filterwarnings("ignore:Using a non-tuple sequence")
@pytest.mark.parametrize("seed", range(FIRST, FIRST + 200))
def test_a_random_index_means_the_same_in_both(seed: int) -> None:
    rng = random.Random(seed)
    shape = tuple(rng.randint(1, 4) for _ in range(rng.randint(0, 4)))
    array = np.random.RandomState(seed).randn(*shape)
    array = np.asarray(array)
    index = random_index(rng, shape)
    theirs = outcomes(torch, array, index, 1.5)
    ours = outcomes(lantern, array, index, 1.5)
    for have, want in zip(ours, theirs, strict=True):
        if isinstance(want, tuple):
            assert have == want, f"{shape} {index}"
        else:
            assert not isinstance(have, tuple), f"{shape} {index}: {have}"
            for mine, other in zip(have, want, strict=True):
                np.testing.assert_allclose(mine, other, err_msg=f"{shape} {index}")
